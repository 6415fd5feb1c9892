"""Field values that a column holds in another form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import IntEnum
from typing import Generic, TypeVar

Enum = TypeVar("Enum", bound=IntEnum)


class Numbers(Generic[Enum]):
    """The numbers of an enum's values, those included that this release does not know."""

    __slots__ = ("_known",)

    def __init__(self, kind: type[Enum]) -> None:
        # A look-up by calling the enum costs as much as the rest of reading a row.
        self._known = {member.value: member for member in kind}

    def read(self, number: int) -> Enum | int:
        """Return the value of a stored number; the number itself when it is not known."""
        return self._known.get(number, number)

    def read_optional(self, number: int | None) -> Enum | int | None:
        """Return the value of a stored number as read does; None for NULL."""
        return None if number is None else self._known.get(number, number)


def to_json(values: Mapping[str, str]) -> str:
    """Return a map as JSON, its order kept."""
    return json.dumps(dict(values), ensure_ascii=False)


def from_json(text: str) -> dict[str, str]:
    """Return the map of a stored JSON object."""
    values: dict[str, str] = json.loads(text)
    return values
