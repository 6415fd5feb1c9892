"""One column of the matrix: a language is looked for, built, and asked for everything it serves."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway_entities.testing import Gateway, gateway
from tests.interop.faults import Cell
from tests.interop.language import BuildError, Language
from tests.interop.lifecycle import live
from tests.interop.matrix import MESSAGE_OPERATIONS, Cases, Report, check
from tests.interop.testee import Testee, TesteeError


@dataclass
class Column:
    """What became of one language.

    Attributes:
        language: its name.
        missing: what this machine lacks for it, each with how to install it.
        problem: why it could not be asked everything: what its build printed, or how its testee broke the protocol.
        build_s: seconds its build took.
        seconds: seconds its operations took, all together.
        cells: what it did in each operation.
    """

    language: str
    missing: list[str] = field(default_factory=list)
    problem: str | None = None
    build_s: float = 0.0
    seconds: float = 0.0
    cells: list[Cell] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether it was asked everything, and nothing came that is neither expected nor listed."""
        return not self.missing and self.problem is None and not any(cell.faults for cell in self.cells)


def rows(language: Language) -> list[str]:
    """Return the operations of a language: those on messages, and a call for each kind of target."""
    served = [operation for operation in MESSAGE_OPERATIONS if operation in language.operations]
    return served + [f"call {scheme}" for scheme in language.targets if "call" in language.operations]


def column(language: Language, cases: Cases, running: Gateway, report: Report = lambda what, done, of: None) -> Column:
    """Run every operation that a language serves."""
    made = Column(language.name, language.missing())
    if made.missing:
        return made
    report("building", 0, 0)
    begun = time.monotonic()
    try:
        command = language.command()
    except BuildError as error:
        made.problem = f"the build failed: {error}"
        return made
    made.build_s = time.monotonic() - begun
    begun = time.monotonic()
    testee = Testee(language.name, command, language.environment)
    try:
        for row in rows(language):
            if not testee.running:
                # It broke the protocol, which is a fault of the row before this one.
                testee = Testee(language.name, command, language.environment)
            made.cells.append(cell(testee, row, cases, running, report))
        if testee.running:
            testee.close()
    except TesteeError as error:
        made.problem = str(error)
    finally:
        testee.kill()
    made.seconds = time.monotonic() - begun
    return made


def cell(testee: Testee, row: str, cases: Cases, running: Gateway, report: Report = lambda what, done, of: None) -> Cell:
    """Run one operation of a testee."""
    operation, _, scheme = row.partition(" ")
    if operation != "call":
        return check(testee, operation, cases, report)
    report(row, 0, 0)
    return live(testee, running, scheme)


@contextlib.contextmanager
def server(languages: Iterable[Language]) -> Iterator[Gateway]:
    """Run a gateway that lets in the pages of every browser among the languages."""
    with gateway(cors_origins=[origin for language in languages for origin in language.origins]) as running:
        yield running
