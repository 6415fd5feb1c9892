"""From the lines of a table in a backup to rows that a database accepts."""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any, Final, cast

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, Table

_BASE64: Final = "base64"


class RowReader:
    """Converts the JSON arrays of one table to rows, and checks each value against its column."""

    def __init__(self, into: Table, columns: list[str], dialect: str) -> None:
        """Create a reader.

        Args:
            into: the table.
            columns: the names of the columns of the arrays, each a column of the table.
            dialect: the name of the database's dialect.
        """
        self._columns = [into.c[name] for name in columns]
        self._is_postgresql = dialect == "postgresql"

    def row(self, values: list[object]) -> dict[str, object]:
        """Return the row of an array.

        Raises:
            ValueError: a value does not fit its column. The message has the column and no value.
        """
        if len(values) != len(self._columns):
            raise ValueError(f"it has {len(values)} values in place of {len(self._columns)}")
        return {column.name: self._value(column, value) for column, value in zip(self._columns, values, strict=True)}

    def _value(self, column: Column[Any], value: object) -> object:
        if value is None:
            if not column.nullable:
                raise ValueError(f"{column.name} is missing")
            return None
        if isinstance(column.type, Boolean):
            fits = isinstance(value, bool)
        elif isinstance(column.type, LargeBinary):
            value = _bytes(value)
            fits = value is not None
        elif isinstance(column.type, Integer):
            fits = isinstance(value, int) and not isinstance(value, bool) and self._is_in_range(column, value)
        elif isinstance(column.type, Float):
            fits = isinstance(value, int | float) and not isinstance(value, bool) and _is_number(value)
        else:
            fits = isinstance(value, str) and self._is_storable(value)
        if not fits:
            raise ValueError(f"{column.name} has a value that its column cannot hold")
        return value

    def _is_in_range(self, column: Column[Any], value: int) -> bool:
        # All integers of SQLite have 64 bits.
        end = 2**31 if self._is_postgresql and not isinstance(column.type, BigInteger) else 2**63
        return -end <= value < end

    def _is_storable(self, value: str) -> bool:
        if self._is_postgresql and "\0" in value:
            return False
        try:
            # Fails for half of a surrogate pair.
            return value.isascii() or bool(value.encode())
        except UnicodeEncodeError:
            return False


def _bytes(value: object) -> bytes | None:
    """Return the bytes of a JSON object; None if it is malformed."""
    content = cast("dict[str, object]", value).get(_BASE64) if isinstance(value, dict) else None
    if not isinstance(content, str):
        return None
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_number(value: float) -> bool:
    try:
        return not math.isnan(value)
    except OverflowError:
        return False
