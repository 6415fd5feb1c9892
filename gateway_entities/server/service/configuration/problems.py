"""What is wrong with a plan, reported together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway_entities.errors import Code, FieldViolation, GatewayError

_MAX_NAMED: Final = 100


@dataclass(slots=True)
class Problems:
    """What is wrong with a plan.

    Attributes:
        invalid: values that are not valid together with what is stored.
        missing: names that are referred to, but are nowhere.
        owned: resources of other owners.
        used: resources that cannot be deleted.
    """

    invalid: list[FieldViolation] = field(default_factory=list[FieldViolation])
    missing: list[FieldViolation] = field(default_factory=list[FieldViolation])
    owned: list[FieldViolation] = field(default_factory=list[FieldViolation])
    used: list[FieldViolation] = field(default_factory=list[FieldViolation])

    def refuse(self) -> None:
        """Raise for the first kind of problem that there is.

        Raises:
            GatewayError: INVALID_ARGUMENT, NOT_FOUND or FAILED_PRECONDITION.
        """
        if self.invalid:
            raise GatewayError.invalid(self.invalid[:_MAX_NAMED], more=len(self.invalid) > _MAX_NAMED)
        for code, reason, found in (
            (Code.NOT_FOUND, "NOT_FOUND", self.missing),
            (Code.FAILED_PRECONDITION, "OWNED_BY_ANOTHER", self.owned),
            (Code.FAILED_PRECONDITION, "USED_BY_ANOTHER", self.used),
        ):
            if found:
                named = found[:_MAX_NAMED]
                message = "; ".join(f"{each.field} {each.description}" for each in named)
                more = f"; and {len(found) - len(named)} more" if len(found) > len(named) else ""
                raise GatewayError(code, message + more, reason=reason, field_violations=named)


def used(noun: str, name: str, user: str, owner: str | None) -> FieldViolation:
    """Return the problem of a resource that is to be deleted, but is used."""
    of = f" of the configuration '{owner}'" if owner is not None else ""
    return FieldViolation(f"{noun} {name}", f"cannot be deleted: {user}{of} uses it")
