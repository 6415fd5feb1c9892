"""Answers that are known already: what was read of the configuration, for as long as nothing was changed since.

Before each use the store is asked for its revision, so an answer is never older than the store. Where that question would
wait for a network, nothing is known.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor_pb2 import MethodOptions

from gateway_entities.errors import GatewayError
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.access import Admitted, Credentials, needed_for

Key = tuple[str, str, bytes]
"""The path of an RPC, the name of a codec, and the request in that form."""

_MOST_BYTES: Final = 64 * 1024 * 1024
_LONGEST_REQUEST: Final = 4096


def _tells_revision(method: Method[Any, Any]) -> bool:
    descriptor = method.request_type.DESCRIPTOR.file.services_by_name[method.service.rpartition(".")[2]]
    level = descriptor.methods_by_name[method.name].GetOptions().idempotency_level
    return level == MethodOptions.NO_SIDE_EFFECTS and "revision" in method.response_type.DESCRIPTOR.fields_by_name


_READS: Final = frozenset(method.path for method in METHODS if _tells_revision(method))
"""The RPCs whose answers depend on the request and the revision alone."""


class _Answer(NamedTuple):
    revision: int
    data: bytes


class KnownAnswers:
    """Answers of one store. ``find`` is for the event loop; ``keep`` may be called from any thread."""

    def __init__(
        self,
        revision: Callable[[], int | None],
        admit: Callable[[Credentials, Any], Admitted | None],
        *,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """Say what the answers depend on.

        Args:
            revision: returns the store's revision at once; None when that would take a while.
            admit: decides about a caller at once; None when that would take a while. It raises GatewayError.
            most_bytes: how much to keep; beyond that, what was used longest ago goes first.
        """
        self._revision = revision
        self._admit = admit
        self._most_bytes = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[Key, _Answer] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Key, method: Method[Any, Any], credentials: Credentials) -> tuple[Admitted, bytes] | None:
        """Return the caller's name and the answer, in the form that was asked for; None when it is to be found out.

        Also None for a caller who is not admitted: whoever finds it out says so.
        """
        answer = self._answers.get(key)
        if answer is None:
            return None
        try:
            admitted = self._admit(credentials, needed_for(method))
        except GatewayError:
            return None
        if admitted is None or answer.revision != self._revision():
            return None
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
        return admitted, answer.data

    def keep(self, key: Key, response: Any, data: bytes) -> None:
        """Keep an answer, if it is one that can be known.

        Args:
            key: of the request.
            response: the response message.
            data: the same in the form that was asked for.
        """
        if key[0] not in _READS or len(key[2]) > _LONGEST_REQUEST or len(data) > self._most_bytes:
            return
        with self._lock:
            self._forget(key)
            self._answers[key] = _Answer(response.revision, data)
            self._bytes += _size(key, data)
            while self._bytes > self._most_bytes:
                self._forget(next(iter(self._answers)))

    def _forget(self, key: Key) -> None:
        answer = self._answers.pop(key, None)
        if answer is not None:
            self._bytes -= _size(key, answer.data)


def _size(key: Key, data: bytes) -> int:
    # The objects around the bytes cost about as much as a short answer.
    return len(key[2]) + len(data) + 512
