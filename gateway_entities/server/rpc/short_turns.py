"""Short turns of threads, while one of them works for seconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, TypeVar

T = TypeVar("T")

_TURN_S: Final = 0.0005
_lock: Final = threading.Lock()
_open = 0
_usual = 0.0


@contextmanager
def _short_turns() -> Generator[None]:
    global _open, _usual  # noqa: PLW0603 - the setting is the interpreter's.
    with _lock:
        if _open == 0:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(min(_TURN_S, _usual))
        _open += 1
    try:
        yield
    finally:
        with _lock:
            _open -= 1
            if _open == 0:
                sys.setswitchinterval(_usual)


def in_short_turns(work: Callable[[], T]) -> T:
    """Run a function while threads that run Python take turns of 0.5 ms, instead of Python's 5 ms.

    Each cached response waits for several turns of a worker that is busy. It is not for always, because with many threads
    each switch costs processor time: about 5 % of that of a server under a mixed load.
    """
    with _short_turns():
        return work()
