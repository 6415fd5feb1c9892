"""What a row of the table is: a figure of ours, and what it is held against."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.stage import Stage

Sample = Callable[[], float]
"""Takes one figure: seconds, MiB or a count. Less is better, always."""

UNITS = {"us": 1e6, "ms": 1e3, "s": 1.0, "MiB": 1.0, "queries": 1.0}
"""By what a figure is multiplied to be shown."""


class MissingError(Exception):
    """Something that a row needs is not on this machine. The text says what, and how to install it."""


@dataclass
class Subjects:
    """What a row measures in turn.

    Attributes:
        ours: this project.
        peer: what does the same elsewhere, nearly always MLflow.
        limit: the least that any program could take.
        notes: what a reader of the figures has to know, and what was missing.
    """

    ours: Sample
    peer: Sample | None = None
    limit: Sample | None = None
    notes: list[str] = field(default_factory=list)

    def named(self) -> dict[str, Sample]:
        """Return those that are there."""
        return {name: sample for name in SUBJECTS if (sample := getattr(self, name)) is not None}

    def try_peer(self, make: Callable[[], Sample]) -> None:
        """Take the peer, if this machine has what it needs."""
        try:
            self.peer = make()
        except MissingError as missing:
            self.notes.append(f"no peer: {missing}")


SUBJECTS = ("ours", "peer", "limit")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: how it is called, on the command line and in saved runs. It never changes.
        what: what is measured, for people.
        unit: one of UNITS.
        prepare: builds the subjects; what has to be closed goes to the stack. Raises MissingError when there is nothing to
            measure.
        peer: what the peer is, in words.
        limit: what the limit is, in words.
        quick: whether a quick run has it, unless it is named.
        rounds: the most rounds; a run may set it lower.
        warm: whether the first figure of each subject is thrown away.
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
