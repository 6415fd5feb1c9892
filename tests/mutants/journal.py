"""Results of runs in a file, one JSON object a line, so that a run that was interrupted continues."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutants.change import Change
from tests.mutants.trace import Trace


class Result(NamedTuple):
    """What the tests said of a change.

    Attributes:
        key: the change, ``FILE:LINE:KIND``.
        room: the room of its file.
        kind: its kind.
        function: the function around it.
        what: the old and the new code.
        digest: of the changed file.
        outcome: ``noticed``, ``survived``, ``hung``, or ``broken`` where the tests fail without a change or are not found.
        seconds: how long the tests ran.
        detail: the test that noticed it.
    """

    key: str
    room: str
    kind: str
    function: str
    what: str
    digest: str
    outcome: str
    seconds: float
    detail: str


class Journal:
    """The results so far. Without a file they are kept in memory only.

    Args:
        path: the file; None for none.
        again: run again what survived, hung or broke.
    """

    def __init__(self, path: Path | None, *, again: bool = False) -> None:
        self._path = path
        self._again = again
        self._lock = threading.Lock()
        self._results: dict[tuple[str, str], Result] = {}
        self._rooms: dict[tuple[str, str], tuple[float, Trace]] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._read(line)

    def _read(self, line: str) -> None:
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            # The last line of a run that was killed.
            return
        if "bound" in entry:
            self._rooms[entry["room"], entry["tests"]] = entry["bound"], Trace(**entry["trace"])
        else:
            result = Result(**entry)
            self._results[result.key, result.digest] = result

    def find(self, change: Change, source: bytes) -> Result | None:
        """Return the result of a change of this source, if it is there."""
        result = self._results.get((change.key, digest(change.applied(source))))
        return None if result is None or (self._again and result.outcome != "noticed") else result

    def add(self, result: Result) -> None:
        """Write a result."""
        with self._lock:
            self._results[result.key, result.digest] = result
            self._append(result._asdict())

    def room(self, room: str, tests: str) -> tuple[float, Trace] | None:
        """Return a room's bound, in seconds, and its trace, if its tests are the same as when it was measured."""
        return self._rooms.get((room, tests))

    def add_room(self, room: str, tests: str, bound: float, trace: Trace) -> None:
        """Write a room's bound and trace."""
        with self._lock:
            self._rooms[room, tests] = bound, trace
            self._append({"room": room, "tests": tests, "bound": bound, "trace": trace._asdict()})

    def _append(self, entry: dict[str, Any]) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def digest(data: bytes) -> str:
    """Return a short name of some bytes."""
    return hashlib.sha256(data).hexdigest()[:16]
