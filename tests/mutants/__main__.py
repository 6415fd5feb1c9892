"""Small changes of the package, one at a time, and whether the tests notice: ``python -m tests.mutants``.

Why neither mutmut 3.8 nor cosmic-ray 8.7: mutmut runs tests in forks of one process, which the gRPC that they start does not
survive, changes functions only, and its kinds are fixed. cosmic-ray has one test command and one time limit per session,
changes the checkout in place, and all kinds here except the comparisons would be operators of our own. What is left, a
copy of the tree and a subprocess with a time limit, is in workspace.py.

A change whose tests run into the time limit counts as ``hung``. Each room's limit comes from a run without a change.
"""

from __future__ import annotations

import argparse
import contextlib
import queue
import signal
import statistics
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.change import Change
from tests.mutants.draw import candidates, draw, equivalents, without_named
from tests.mutants.journal import Journal, Result, digest
from tests.mutants.kinds import KINDS
from tests.mutants.rooms import ROOMS, ROOT, room_tests, selection
from tests.mutants.summary import Progress, text
from tests.mutants.trace import Trace
from tests.mutants.workspace import Run, Workspace, workspace

# A room's bound from the seconds that its tests take: a busy machine may be slower later.
_BOUND_FACTOR, _BOUND_EXTRA_S = 3.0, 30.0
# A room whose tests take longer than this has the wrong tests.
_LONGEST_ROOM_S = 900.0

Drawn = Sequence[tuple[str, Change]]


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the changes of the command line, of the repository at ``root``; return 0 if every one was noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Change the package, and run its tests.")
    parser.add_argument("--seed", type=int, default=1, help="draws the changes (default: 1)")
    parser.add_argument("--count", type=int, default=300, help="how many, spread over the rooms (default: 300)")
    parser.add_argument("--room", action="append", choices=list(ROOMS), help="only this room; may be repeated")
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="only this kind; may be repeated")
    parser.add_argument("--only", action="append", metavar="FILE:LINE:KIND", help="only this change; may be repeated")
    parser.add_argument("--tests", nargs="+", metavar="TEST", help="these tests in place of the rooms'")
    parser.add_argument("--bound", type=float, metavar="SECONDS", help="time limit of a run; by default measured by room")
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time (default: 2)")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="JSON lines: results are appended, and found again")
    parser.add_argument("--again", action="store_true", help="run again what was not noticed according to the journal")
    parser.add_argument("--list", action="store_true", help="list the changes without running anything")
    given = parser.parse_args(arguments)
    drawn, left_out = _drawn(given, root)
    if not drawn:
        parser.error("there is no such change")
    if given.list:
        for room, change in drawn:
            print(f"{room:24} {change.key} {change.function}: {change.what}")
        return 0
    # As an interruption, so that copies and processes are removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    results = Runner(given, Journal(given.journal, again=given.again), root).run(drawn)
    print(text(results, seed=given.seed, left_out=left_out))
    return int(any(result.outcome != "noticed" for result in results))


def _drawn(given: argparse.Namespace, root: Path) -> tuple[Drawn, int]:
    found = candidates(root)
    named = equivalents()
    if given.only:
        return [(room, change) for room, all_of in found.items() for change in all_of if change.key in given.only], 0
    wanted = {
        room: [change for change in all_of if not given.kind or change.kind in given.kind]
        for room, all_of in found.items()
        if not given.room or room in given.room
    }
    left = {room: without_named(all_of, named) for room, all_of in wanted.items()}
    left_out = sum(map(len, wanted.values())) - sum(map(len, left.values()))
    return draw(left, seed=given.seed, count=given.count, root=root), left_out


class Runner:
    """Runs changes in several copies of the tree."""

    def __init__(self, given: argparse.Namespace, journal: Journal, root: Path) -> None:
        self._given = given
        self._root = root
        self._journal = journal
        self._sources: dict[str, bytes] = {}
        self._bounds: dict[str, float] = {}
        self._traces: dict[str, Trace] = {}
        self._stopped = threading.Event()

    def run(self, drawn: Drawn) -> list[Result]:
        """Run what the journal does not have; return the results in the order of the changes."""
        self._sources = {change.file: (self._root / change.file).read_bytes() for _, change in drawn}
        results = {change.key: self._journal.find(change, self._sources[change.file]) for _, change in drawn}
        waiting = [(room, change) for room, change in drawn if results[change.key] is None]
        with contextlib.ExitStack() as stack:
            jobs = min(self._given.jobs, len(waiting))
            spaces = [stack.enter_context(workspace(self._root)) for _ in range(jobs)]
            progress = Progress(len(waiting))
            stack.callback(progress.stop)
            broken = self._measure(spaces, [room for room, _ in waiting], progress)
            todo: queue.SimpleQueue[tuple[str, Change]] = queue.SimpleQueue()
            for room, change in waiting:
                if room in broken:
                    results[change.key] = self._result(room, change, "broken")
                else:
                    todo.put((room, change))
            self._estimate(todo.qsize(), jobs)
            threads = [threading.Thread(target=self._work, args=(space, todo, results, progress)) for space in spaces]
            self._join(threads, spaces)
        return [result for result in results.values() if result is not None]

    def _join(self, threads: Sequence[threading.Thread], spaces: Sequence[Workspace]) -> None:
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except BaseException:
            self._stopped.set()
            for space in spaces:
                space.kill()
            for thread in threads:
                thread.join()
            raise

    def _measure(self, spaces: Sequence[Workspace], rooms: Sequence[str], progress: Progress) -> set[str]:
        """Run the tests of each room without a change, traced; return the rooms in which they fail."""
        broken: set[str] = set()
        if self._given.bound is not None:
            self._bounds = dict.fromkeys(rooms, self._given.bound)
            return broken

        def measure(space: Workspace, waiting: queue.SimpleQueue[str]) -> None:
            with contextlib.suppress(queue.Empty):
                while not self._stopped.is_set():
                    self._measure_room(space, waiting.get_nowait(), broken, progress)

        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for room in dict.fromkeys(rooms):
            waiting.put(room)
        self._join([threading.Thread(target=measure, args=(space, waiting)) for space in spaces], spaces)
        return broken

    def _measure_room(self, space: Workspace, room: str, broken: set[str], progress: Progress) -> None:
        tests = self._given.tests or room_tests(room, self._root)
        known = self._journal.room(room, " ".join(tests))
        if known is None:
            progress.show(f"{room}, unchanged")
            run = space.run(tests, bound=_LONGEST_ROOM_S, seed=self._given.seed, traced=True)
            if self._stopped.is_set():
                return
            if run.outcome != "passed":
                print(f"{room}: its tests fail without a change, so nothing there is run: {run.detail}", file=sys.stderr)
                broken.add(room)
                return
            known = run.seconds * _BOUND_FACTOR + _BOUND_EXTRA_S, run.trace
            self._journal.add_room(room, " ".join(tests), *known)
        self._bounds[room], self._traces[room] = known

    def _estimate(self, count: int, jobs: int) -> None:
        if count and self._given.bound is None:
            # Most changes are noticed by the tests that run them; the others take all tests of their room.
            whole = statistics.mean((bound - _BOUND_EXTRA_S) / _BOUND_FACTOR for bound in self._bounds.values())
            print(f"{count} changes, {jobs} at a time: about {count * whole / 6 / jobs / 60:.0f} minutes", file=sys.stderr)

    def _work(
        self,
        space: Workspace,
        todo: queue.SimpleQueue[tuple[str, Change]],
        results: dict[str, Result | None],
        progress: Progress,
    ) -> None:
        while not self._stopped.is_set():
            try:
                room, change = todo.get_nowait()
            except queue.Empty:
                return
            progress.show(change.key)
            result = self._one(space, room, change)
            if self._stopped.is_set():
                # The run was killed, so it has no result.
                return
            results[change.key] = result
            self._journal.add(result)
            progress.show(change.key, done=1)
            if result.outcome != "noticed":
                print(f"{result.outcome}: {change.key} {change.function}: {change.what}", file=sys.stderr)

    def _one(self, space: Workspace, room: str, change: Change) -> Result:
        space.write(change.file, change.applied(self._sources[change.file]))
        try:
            run = self._run_tests(space, room, change)
        finally:
            space.restore(change.file)
        outcome = {"passed": "survived", "failed": "noticed"}.get(run.outcome, run.outcome)
        return self._result(room, change, outcome, run.seconds, run.detail)

    def _run_tests(self, space: Workspace, room: str, change: Change) -> Run:
        """Run the tests that run the changed lines, and then all those of the room, until one fails."""
        bound, seed = self._bounds[room], self._given.seed
        tests = self._given.tests or selection(change.file, self._root)
        lines = self._sources[change.file][change.start : change.end].count(b"\n")
        reaching = self._traces.get(room, Trace.empty()).reaching(change.file, change.line, change.line + lines)
        first = space.run(reaching, bound=bound, seed=seed) if reaching else None
        # What runs in other processes is not traced, and lines of a module run at its import, before any test.
        if first is not None and first.outcome in {"failed", "hung"}:
            return first
        return space.run(tests, bound=bound, seed=seed)

    def _result(self, room: str, change: Change, outcome: str, seconds: float = 0.0, detail: str = "") -> Result:
        changed = digest(change.applied(self._sources[change.file]))
        return Result(
            change.key, room, change.kind, change.function, change.what, changed, outcome, round(seconds, 1), detail
        )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
