"""A field violation with the id of its rule."""

from __future__ import annotations

from typing import Self

from gateway_entities.errors import FieldViolation


class Violation(FieldViolation):
    """A field violation with the id of the rule. It equals the FieldViolation of the same texts.

    Attributes:
        rule: the rule's id, such as ``rules/length``. Ids never change: programs filter by them.
    """

    rule: str

    def __new__(cls, rule: str, field: str, description: str) -> Self:
        """Create the violation of a rule by a field."""
        violation = super().__new__(cls, field, description)
        violation.rule = rule
        return violation

    def __reduce__(self) -> tuple[object, ...]:
        return (Violation, (self.rule, self.field, self.description))

    def below(self, prefix: str) -> Violation:
        """Return the same violation with a longer path."""
        return Violation(self.rule, prefix + self.field, self.description)
