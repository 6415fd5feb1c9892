"""A field violation with the id of its rule."""

from __future__ import annotations

from typing import Final, Self

from gateway_entities.errors import FieldViolation

MAX_VIOLATIONS: Final = 100
"""Maximum violations that are reported for one request; the check of the request stops there."""


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


class TooManyViolations(Exception):  # noqa: N818 - it ends a check early and is no error of the program.
    """A request has more than MAX_VIOLATIONS violations."""


class Violations(list[FieldViolation]):
    """The violations that a check has found so far."""

    def append(self, violation: FieldViolation) -> None:
        """Add a violation.

        Raises:
            TooManyViolations: there are MAX_VIOLATIONS already.
        """
        if len(self) >= MAX_VIOLATIONS:
            raise TooManyViolations
        super().append(violation)
