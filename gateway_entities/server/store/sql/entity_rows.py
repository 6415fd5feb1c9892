"""Conversion between the rows of a table and entities.

A field is stored in the column of its name, as it is. A conversion says how another one is stored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from enum import IntEnum
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Column, Table

T = TypeVar("T")


class Conversion(NamedTuple):
    """How a field is stored, if not as it is.

    Attributes:
        columns: the names of its columns.
        read: returns the value of the field for values of the columns.
        write: returns the values of the columns for a value of the field.
    """

    columns: tuple[str, ...]
    read: Callable[..., Any]
    write: Callable[[Any], tuple[Any, ...]]


def enum_column(column: str, kind: type[IntEnum]) -> Conversion:
    """Return the conversion of a field with an enum's member, a number that the enum does not know, or None."""
    # Calling the enum class takes as long as reading the rest of the row.
    members = {member.value: member for member in kind}

    def read(number: int | None) -> int | None:
        return None if number is None else members.get(number, number)

    def write(member: int | None) -> tuple[int | None]:
        # Drivers may not take the member itself.
        return (None if member is None else int(member),)

    return Conversion((column,), read, write)


def boolean_column(column: str) -> Conversion:
    """Return the conversion of a field with a boolean or None, which SQLite returns as 0 or 1."""

    def read(stored: bool | None) -> bool | None:
        return None if stored is None else bool(stored)

    def write(value: bool | None) -> tuple[bool | None]:
        return (value,)

    return Conversion((column,), read, write)


def json_column(column: str) -> Conversion:
    """Return the conversion of a field with a map of strings, stored as a JSON object in the map's order."""

    def write(values: Mapping[str, str]) -> tuple[str]:
        return (json.dumps(dict(values), ensure_ascii=False),)

    return Conversion((column,), json.loads, write)


class EntityRows(Generic[T]):
    """The rows of a table as entities.

    Attributes:
        columns: the columns to select for ``read``, in its order: that of the fields.
    """

    def __init__(
        self,
        kind: type[T],
        table: Table,
        conversions: Mapping[str, Conversion] | None = None,
        *,
        fixed: Collection[str] = (),
        joined: Mapping[str, Column[Any]] | None = None,
        filled_later: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        """Prepare the conversion.

        Args:
            kind: the class of the entities.
            table: the table.
            conversions: for the fields that are not stored as they are.
            fixed: the columns that an update leaves as they are.
            joined: for fields that are read from a column of another table.
            filled_later: initial values for the fields that other tables hold.

        Raises:
            KeyError: a field has no column.
        """
        conversions, joined, filled_later = conversions or {}, joined or {}, filled_later or {}
        self._kind = kind
        self._reads: list[tuple[int, int, Callable[..., Any]]] = []
        self._plain: list[str] = []
        self._writes = [(name, each.columns, each.write) for name, each in conversions.items()]
        self._fixed = frozenset(fixed)
        columns: list[Column[Any]] = []
        for field in fields(kind):  # type: ignore[arg-type]  # entities are dataclasses
            name = field.name
            if name in filled_later:
                self._reads.append((len(columns), len(columns), filled_later[name]))
            elif name in conversions:
                own = [table.c[column] for column in conversions[name].columns]
                self._reads.append((len(columns), len(columns) + len(own), conversions[name].read))
                columns += own
            elif name in joined:
                columns.append(joined[name])
            else:
                columns.append(table.c[name])
                self._plain.append(name)
        self._positional = sum(not field.kw_only for field in fields(kind))  # type: ignore[arg-type]
        self._keywords = [field.name for field in fields(kind) if field.kw_only]  # type: ignore[arg-type]
        # From the last to the first, because a field of none or several columns shifts what follows it.
        self._reads.reverse()
        self.columns = tuple(columns)

    def read(self, row: Sequence[Any]) -> T:
        """Return the entity of a row of ``columns``."""
        if self._reads:
            row = list(row)
            for start, end, read in self._reads:
                row[start:end] = (read(*row[start:end]),)
        if not self._keywords:
            return self._kind(*row)
        return self._kind(*row[: self._positional], **dict(zip(self._keywords, row[self._positional :], strict=True)))

    def write(self, entity: T) -> dict[str, Any]:
        """Return the values of the table's columns for an entity."""
        row = {name: getattr(entity, name) for name in self._plain}
        for name, columns, write in self._writes:
            row.update(zip(columns, write(getattr(entity, name)), strict=True))
        return row

    def changes(self, entity: T) -> dict[str, Any]:
        """Do as ``write``, without the fixed columns."""
        return {name: value for name, value in self.write(entity).items() if name not in self._fixed}
