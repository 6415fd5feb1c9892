"""Conversion of column values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import IntEnum
from typing import Generic, TypeVar

Enum = TypeVar("Enum", bound=IntEnum)


class EnumReader(Generic[Enum]):
    """Converts stored numbers to members of an enum; unknown numbers stay integers."""

    __slots__ = ("_members",)

    def __init__(self, kind: type[Enum]) -> None:
        # Calling the enum class takes as long as reading the rest of the row.
        self._members = {member.value: member for member in kind}

    def read(self, number: int) -> Enum | int:
        """Return the member with this number, or the number if it is unknown."""
        return self._members.get(number, number)

    def read_optional(self, number: int | None) -> Enum | int | None:
        """Return None for NULL, otherwise as ``read``."""
        return None if number is None else self._members.get(number, number)


def to_json(values: Mapping[str, str]) -> str:
    """Return a map as a JSON object, in its order."""
    return json.dumps(dict(values), ensure_ascii=False)


def from_json(text: str) -> dict[str, str]:
    """Parse a stored JSON object."""
    values: dict[str, str] = json.loads(text)
    return values
