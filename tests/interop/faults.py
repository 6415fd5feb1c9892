"""Faults of a run: results that are neither expected nor listed, for each cell of the matrix."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """A result that is neither expected nor listed.

    Attributes:
        language: the column.
        operation: the row.
        case: the name of the case; for a call, the step.
        message_type: the type of the message; for a call, the method's path.
        input: the message's bytes in hexadecimal, or its JSON.
        expected: the expected result.
        came: the actual result.
    """

    language: str
    operation: str
    case: str
    message_type: str
    input: str
    expected: str
    came: str

    def __str__(self) -> str:
        rows = ("case", "message_type", "input", "expected", "came")
        lines = [f"{self.language} {self.operation}:", *(f"  {row:13} {getattr(self, row)}" for row in rows)]
        return "\n".join(lines)


@dataclass
class Cell:
    """The result of one operation of a language.

    Attributes:
        language: the column.
        operation: the row.
        count: number of inputs.
        deviations: number of results with each listed deviation, by its name.
        faults: every result that is neither expected nor listed.
    """

    language: str
    operation: str
    count: int = 0
    deviations: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
