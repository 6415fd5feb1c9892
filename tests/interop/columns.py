"""One column of the matrix: find a language's tools, build its testee, and check all that it serves."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway_entities.testing import Gateway, gateway
from tests.interop.faults import Cell
from tests.interop.following import followed
from tests.interop.language import BuildError, Language
from tests.interop.lifecycle import live
from tests.interop.matrix import MESSAGE_OPERATIONS, Cases, Report, check
from tests.interop.testee import Testee, TesteeError

LIVE = ("call", "stream")
"""The operations on a running gateway, each over every scheme of a language."""


class Gateways(NamedTuple):
    """The running gateways.

    Attributes:
        open: one without tokens.
        with_tokens: one whose callers need a token.
    """

    open: Gateway
    with_tokens: Gateway


@dataclass
class Column:
    """The result of one language.

    Attributes:
        language: its name.
        missing: its missing programs, each with its installation.
        problem: why it was not checked completely: its build's output, or its testee's protocol error.
        build_s: seconds of its build.
        seconds: seconds of all its operations.
        cells: the results of its operations.
    """

    language: str
    missing: list[str] = field(default_factory=list)
    problem: str | None = None
    build_s: float = 0.0
    seconds: float = 0.0
    cells: list[Cell] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether it was checked completely, with expected or listed results only."""
        return not self.missing and self.problem is None and not any(cell.faults for cell in self.cells)


def rows(language: Language) -> list[str]:
    """Return the operations of a language: those on messages, and calls and streams for each kind of target."""
    served = [operation for operation in MESSAGE_OPERATIONS if operation in language.operations]
    live = [operation for operation in LIVE if operation in language.operations]
    return served + [f"{operation} {scheme}" for operation in live for scheme in language.targets]


def column(language: Language, cases: Cases, running: Gateways, report: Report = lambda what, done, of: None) -> Column:
    """Check all that a language serves."""
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
                # It broke the protocol, which is a fault of the previous row.
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


def cell(testee: Testee, row: str, cases: Cases, running: Gateways, report: Report = lambda what, done, of: None) -> Cell:
    """Check one operation of a testee."""
    operation, _, scheme = row.partition(" ")
    if operation not in LIVE:
        return check(testee, operation, cases, report)
    report(row, 0, 0)
    if operation == "stream":
        return followed(testee, running.with_tokens, scheme)
    return live(testee, running.open, scheme)


@contextlib.contextmanager
def server(languages: Iterable[Language]) -> Iterator[Gateways]:
    """Run gateways that allow the origins of all browsers among the languages."""
    origins = [origin for language in languages for origin in language.origins]
    with gateway(cors_origins=origins) as without, gateway(cors_origins=origins) as with_tokens:
        yield Gateways(without, with_tokens)
