"""Which changes a run makes. One seed draws the same ones, as long as their code stays."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mutants.change import Change, Source
from tests.mutants.kinds import changes
from tests.mutants.rooms import ROOT, source_files

NAMED = Path(__file__).with_name("equivalent.toml")


class Equivalent(NamedTuple):
    """A change that makes no difference to a caller.

    Attributes:
        file: the file.
        function: the function around it.
        what: the change.
        reason: why it makes none.
    """

    file: str
    function: str
    what: str
    reason: str


def equivalents(path: Path = NAMED) -> list[Equivalent]:
    """Return the changes that are named as making no difference."""
    return [Equivalent(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("change", [])]


def candidates(root: Path = ROOT) -> dict[str, list[Change]]:
    """Return every possible change by room."""
    found: dict[str, list[Change]] = defaultdict(list)
    for room, file in source_files(root):
        found[room] += changes(Source(file, (root / file).read_bytes()))
    return dict(found)


def without_named(found: Iterable[Change], named: Iterable[Equivalent]) -> list[Change]:
    """Return the changes without those that are named as making no difference."""
    places = {one[:3] for one in named}
    return [change for change in found if (change.file, change.function, change.what) not in places]


def draw(by_room: dict[str, list[Change]], *, seed: int, count: int, root: Path = ROOT) -> list[tuple[str, Change]]:
    """Draw changes: the rooms in turn, and in each room the kinds in turn.

    Args:
        by_room: what to draw from.
        seed: the seed.
        count: how many; fewer if there are no more.
        root: where the files are, to leave out what does not compile.
    """
    queues = {room: _by_turns(found, seed, first) for first, (room, found) in enumerate(by_room.items())}
    drawn: list[tuple[str, Change]] = []
    while len(drawn) < count and any(queues.values()):
        for room, queue in queues.items():
            while queue and len(drawn) < count:
                change = queue.pop(0)
                if _compiles(change.applied((root / change.file).read_bytes())):
                    drawn.append((room, change))
                    break
    return drawn


def _by_turns(found: Sequence[Change], seed: int, first: int) -> list[Change]:
    """Order changes so that the kinds alternate; within a kind, those of a line that was drawn already come last."""
    kinds: dict[str, list[Change]] = defaultdict(list)
    for change in sorted(found, key=lambda change: change.rank(seed)):
        kinds[change.kind].append(change)
    for queue in kinds.values():
        seen: defaultdict[tuple[str, int], int] = defaultdict(int)
        turns: dict[str, int] = {}
        for change in queue:
            turns[change.key] = seen[change.file, change.line]
            seen[change.file, change.line] += 1
        queue.sort(key=lambda change: turns[change.key])
    ordered: list[Change] = []
    # Rooms begin with different kinds, so that a small sample has all of them.
    queues = [kinds[kind] for kind in sorted(kinds)]
    queues = [*queues[first % len(queues) :], *queues[: first % len(queues)]] if queues else []
    for turn in range(max(map(len, queues), default=0)):
        ordered += [queue[turn] for queue in queues if turn < len(queue)]
    return ordered


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "change", "exec")
    except (SyntaxError, ValueError):
        return False
    return True
