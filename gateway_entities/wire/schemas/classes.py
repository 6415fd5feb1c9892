"""Message classes of deep schemas."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass

# How deep protobuf's calls nest for each type that leads to itself through others.
_CALLS: Final = 4


class Classes:
    """Makes message classes. Protobuf makes those of fields by recursion, which fails for long chains of types."""

    def __init__(self) -> None:
        self._made: set[Descriptor] = set()

    def make(self, descriptor: Descriptor) -> None:
        """Make the class of a message, and of all types that its fields lead to, the innermost first."""
        order = list(self._innermost_first(descriptor))
        limit = sys.getrecursionlimit()
        try:
            # Types that lead to each other have no innermost one.
            sys.setrecursionlimit(limit + _CALLS * len(order))
            for each in order:
                GetMessageClass(each)
        finally:
            sys.setrecursionlimit(limit)

    def _innermost_first(self, descriptor: Descriptor) -> Iterator[Descriptor]:
        waiting = [(descriptor, False)]
        while waiting:
            message, done = waiting.pop()
            if done:
                yield message
            elif message not in self._made:
                self._made.add(message)
                waiting.append((message, True))
                waiting += [(field.message_type, False) for field in message.fields if field.message_type is not None]
