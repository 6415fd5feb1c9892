"""Functions run in forked children."""

from __future__ import annotations

import json
import os
import signal
import traceback
import warnings
from collections.abc import Callable
from typing import Any

_SECONDS = 20


def in_children(count: int, work: Callable[[int], Any], *, meanwhile: Callable[[], object] = lambda: None) -> list[Any]:
    """Fork children that run ``work(0)``, ``work(1)`` and so on, and return their results, which JSON can show.

    A child that hangs is ended, and an exception is a result, as text.

    Args:
        count: the number of children.
        work: what each of them runs.
        meanwhile: what this process runs at the same time.
    """
    children: list[tuple[int, int]] = []
    for number in range(count):
        read, write = os.pipe()
        with warnings.catch_warnings():
            # Python warns of forks beside threads, which is what these tests are about.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            _run(number, work, write)
        os.close(write)
        children.append((pid, read))
    meanwhile()
    return [_result(*child) for child in children]


def _run(number: int, work: Callable[[int], Any], write: int) -> None:
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_SECONDS)
        result = work(number)
    except BaseException:
        result = traceback.format_exc()
    try:
        with open(write, "w", encoding="utf-8") as pipe:
            json.dump(result, pipe)
    finally:
        os._exit(0)


def _result(pid: int, read: int) -> Any:
    with open(read, encoding="utf-8") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else "the child hung and was ended"
