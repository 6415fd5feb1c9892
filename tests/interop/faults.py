"""What a run finds: the answers that are neither expected nor listed, cell by cell of the matrix."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """An answer that is neither expected nor listed.

    Attributes:
        language: the column.
        operation: the row.
        case: the name of the case; for a call, the step.
        message_type: the type of the message; for a call, the method's path.
        input: the message's bytes in hexadecimal, or its JSON.
        expected: what should have come.
        came: what came.
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
    """What one language did in one operation.

    Attributes:
        language: the column.
        operation: the row.
        count: how many inputs it was given.
        deviations: how many answers showed each listed deviation, by its name.
        faults: every answer that is neither expected nor listed.
    """

    language: str
    operation: str
    count: int = 0
    deviations: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
