"""Measurement of a row in rounds that alternate its subjects, so that load on the machine affects all of them equally."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.row import Row, Sample

if TYPE_CHECKING:
    from tests.benchmarks.stage import Stage


@dataclass(frozen=True)
class Effort:
    """Time limits of a run.

    Attributes:
        least: minimum rounds of a row.
        most: maximum rounds of a row.
        row_seconds: seconds after which a row ends, once it has the minimum of rounds.
        sample_seconds: approximate duration of one sample.
    """

    least: int
    most: int
    row_seconds: float
    sample_seconds: float


FULL = Effort(least=5, most=41, row_seconds=3.0, sample_seconds=0.1)
QUICK = Effort(least=3, most=9, row_seconds=1.0, sample_seconds=0.03)


@dataclass(frozen=True)
class Figure:
    """A median and its quartiles.

    Attributes:
        median: the median of all rounds.
        low: the first quartile.
        high: the third quartile.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Return the figure of some rounds, at least one."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(statistics.median(values), low, high)


@dataclass(frozen=True)
class Result:
    """The result of a row.

    Attributes:
        row: the row's name.
        unit: the unit of ``figures``.
        figures: by subject, in seconds, MiB or as a count.
        to_peer: ratio of the peer to ours; more is better. None without a peer.
        to_limit: ratio of ours to the limit; less is better. None without a limit.
        rounds: number of rounds; 0 if the row was not measured.
        seconds: duration of the row, with its set-up.
        notes: remarks, such as why it was not measured.
    """

    row: str
    unit: str
    figures: dict[str, Figure]
    to_peer: Figure | None
    to_limit: Figure | None
    rounds: int
    seconds: float
    notes: tuple[str, ...]


def unmeasured(row: Row, reason: str) -> Result:
    """Return the result of a row that was not measured."""
    return Result(row.name, row.unit, {}, None, None, 0, 0.0, (reason,))


def measure(row: Row, stage: Stage, effort: Effort) -> Result:
    """Measure a row."""
    start = time.perf_counter()
    with ExitStack() as stack:
        subjects = row.prepare(stage, stack)
        stack.enter_context(_frozen())
        rounds = _rounds(row, list(subjects.present().items()), effort)
    columns = {name: [taken[name] for taken in rounds] for name in rounds[0]}
    return Result(
        row.name,
        row.unit,
        {name: Figure.of(values) for name, values in columns.items()},
        _ratio(columns, "peer", "ours"),
        _ratio(columns, "ours", "limit"),
        len(rounds),
        round(time.perf_counter() - start, 3),
        tuple(subjects.notes),
    )


def _rounds(row: Row, subjects: list[tuple[str, Sample]], effort: Effort) -> list[dict[str, float]]:
    if row.warm:
        for _, sample in subjects:
            sample()
    rounds: list[dict[str, float]] = []
    end = time.perf_counter() + effort.row_seconds
    most = min(row.rounds, effort.most)
    while len(rounds) < min(effort.least, most) or (len(rounds) < most and time.perf_counter() < end):
        # Rotate the order: the effects of the previous subject (caches, a busy disk) are spread over all.
        first = len(rounds) % len(subjects)
        rounds.append({name: _clean(sample) for name, sample in subjects[first:] + subjects[:first]})
    return rounds


def _clean(sample: Sample) -> float:
    gc.collect()
    return sample()


@contextmanager
def _frozen() -> Generator[None]:
    """Keep the garbage collector on, but exclude the objects that existed before."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _ratio(columns: dict[str, list[float]], above: str, below: str) -> Figure | None:
    if above not in columns or below not in columns:
        return None
    # A difference of two figures can be 0 on a busy machine; such a round is skipped.
    rounds = zip(columns[above], columns[below], strict=True)
    ratios = [1.0 if one == other else one / other for one, other in rounds if one == other or other > 0]
    return Figure.of(ratios) if ratios else None
