"""Rows of the table: our figure with its peer and limit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.stage import Stage

Sample = Callable[[], float]
"""Measures one figure: seconds, MiB, KiB, a fraction, an amount or a count. Less is always better."""

UNITS = {"us": 1e6, "ms": 1e3, "s": 1.0, "MiB": 1.0, "KiB": 1.0, "queries": 1.0, "writes": 1.0, "USD": 1.0, "%": 100.0}
"""Display factors."""


class MissingError(Exception):
    """A requirement of a row is not installed. The text names it and how to install it."""


@dataclass
class Subjects:
    """The subjects that a row measures in turn.

    Attributes:
        ours: this project.
        peer: the same operation elsewhere, usually MLflow.
        limit: the lower bound of any program.
        notes: remarks on the figures, and missing requirements.
    """

    ours: Sample
    peer: Sample | None = None
    limit: Sample | None = None
    notes: list[str] = field(default_factory=list)

    def present(self) -> dict[str, Sample]:
        """Return the present subjects by name."""
        return {name: sample for name in SUBJECTS if (sample := getattr(self, name)) is not None}

    def try_peer(self, make: Callable[[], Sample]) -> None:
        """Set the peer if its requirements are installed."""
        try:
            self.peer = make()
        except MissingError as missing:
            self.notes.append(f"no peer: {missing}")


SUBJECTS = ("ours", "peer", "limit")


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        name: its name on the command line and in saved runs. Stable.
        what: human-readable title.
        unit: one of UNITS.
        prepare: builds the subjects and registers their clean-up on the stack. Raises MissingError if ours cannot run.
        peer: description of the peer.
        limit: description of the limit.
        quick: whether a quick run includes it by default.
        rounds: maximum rounds; a run may lower it.
        warm: whether the first sample of each subject is discarded.
    """

    name: str
    what: str
    unit: str
    prepare: Callable[[Stage, ExitStack], Subjects]
    peer: str = ""
    limit: str = ""
    quick: bool = True
    rounds: int = 1000
    warm: bool = True
