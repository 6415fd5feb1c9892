"""Enums of the contract, which take the names of their members, and the values of enum fields."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, IntEnum
from functools import cache
from operator import index
from typing import Any, Final, Self, TypeVar

from gateway_entities.errors import WireError

E = TypeVar("E", bound=IntEnum)

number: Final[Callable[[int], Any]] = index
"""Return the number of an enum field. Protobuf also accepts names, and its type stubs have no open enums."""


class NamedEnum(IntEnum):
    """An enum that is called with the number or the name of a member: ``BudgetTargetScope("ENDPOINT")``."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        if isinstance(value, str) and value in cls.__members__:
            return cls.__members__[value]
        raise ValueError(f"{value!r} is not a {cls.__name__}; it is one of {names(cls)}")


def names(kind: type[Enum]) -> str:
    """Return the names of an enum for messages, without the unspecified value."""
    return ", ".join(name for name, member in kind.__members__.items() if member.value)


@cache
def members(kind: type[E]) -> dict[int | None, E]:
    """Return the members of an enum by number. ``get(number, number)`` is then a member, an unknown number, or None."""
    return {member.value: member for member in kind}


def _described(value: object) -> str:
    return "another text" if isinstance(value, str) else f"a {type(value).__name__}"


def enum_value(kind: type[IntEnum], value: Any, entity: object, name: str) -> Any:
    """Return the value of an enum field for what a constructor was given.

    Args:
        kind: the enum.
        value: a member, its name or its number, another number, or None.
        entity: the entity, for errors.
        name: the name of its field.

    Returns:
        The member; an int for a number that the enum does not know; None for None.

    Raises:
        WireError: it is neither a name nor a 32-bit integer, or a member of another enum.
    """
    if value is None or type(value) is kind:
        return value
    if isinstance(value, str):
        if value in kind.__members__:
            return kind.__members__[value]
    elif not isinstance(value, (bool, Enum)) and hasattr(value, "__index__"):
        given = index(value)
        if -(1 << 31) <= given < 1 << 31:
            return members(kind).get(given, given)
    # Never the value: it may be a misplaced secret.
    raise WireError(
        f"{type(entity).__name__}.{name}",
        f"must be one of {names(kind)}, or a 32-bit integer; it is {_described(value)}",
    )
