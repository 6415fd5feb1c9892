"""Which tests of a room run a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Self

_MOST: Final = 200
"""Tests that run for a line, at most. A line that more tests run is noticed by one of the first."""


class Trace(NamedTuple):
    """The lines that each test runs, as ``tracer`` writes them.

    Attributes:
        tests: the names of the tests, the quickest first.
        lines: their positions by file and line.
    """

    tests: Sequence[str]
    lines: Mapping[str, Mapping[str, Sequence[int]]]

    @classmethod
    def empty(cls) -> Self:
        """Return a trace of no tests."""
        return cls((), {})

    def reaching(self, file: str, first: int, last: int) -> list[str]:
        """Return the tests that run one of these lines, the quickest first."""
        of_file = self.lines.get(file, {})
        found = {position for line in range(first, last + 1) for position in of_file.get(str(line), ())}
        return [self.tests[position] for position in sorted(found)[:_MOST]]
