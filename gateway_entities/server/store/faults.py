"""What the database reports, as errors that a caller can act on. No message holds SQL or a stored value."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway_entities.errors import Code, GatewayError

_UNIQUE: Final = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
_UNIQUE_PREFIX: Final = "UNIQUE constraint failed: "

_BUSY: Final = (Code.UNAVAILABLE, "STORE_BUSY", "The store is busy; try again later")
# Keyed by SQLite's primary result code, https://sqlite.org/rescode.html.
_FAULTS: Final[Mapping[int, tuple[Code, str, str]]] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_FULL: (Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's disk is full"),
    sqlite3.SQLITE_IOERR: (Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's disk cannot be read or written"),
    sqlite3.SQLITE_CANTOPEN: (Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's file cannot be opened"),
    sqlite3.SQLITE_READONLY: (Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store cannot be written to"),
    sqlite3.SQLITE_CORRUPT: (Code.DATA_LOSS, "STORE_DAMAGED", "The store's file is damaged"),
    sqlite3.SQLITE_NOTADB: (Code.DATA_LOSS, "STORE_DAMAGED", "The store's file is not a SQLite database"),
}


def result_code(error: BaseException | None) -> int:
    """Return SQLite's extended result code of a database fault; 0 when there is none."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", 0)
    return code if isinstance(code, int) else 0


def violates(error: IntegrityError, constraint: UniqueConstraint | PrimaryKeyConstraint) -> bool:
    """Tell whether a write was refused because of this constraint."""
    # SQLite names the columns of a constraint, in its order, and not the constraint.
    columns = ", ".join(f"{column.table.name}.{column.name}" for column in constraint.columns)
    return result_code(error) in _UNIQUE and str(error.orig) == _UNIQUE_PREFIX + columns


def violates_reference(error: IntegrityError) -> bool:
    """Tell whether a write was refused because it would leave a reference to nothing."""
    return result_code(error) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY


def name_taken(noun: str, name: str) -> GatewayError:
    """Return the error of a second entry with one name, such as ``Secret with name 'k1' already exists``."""
    return GatewayError(Code.ALREADY_EXISTS, f"{noun} with name '{name}' already exists", reason="NAME_TAKEN")


def not_found(noun: str, **key: str) -> GatewayError:
    """Return the error of an entry that is not there, such as ``GatewaySecret not found (secret_id='s-1')``."""
    named = ", ".join(f"{field}='{value}'" for field, value in key.items())
    return GatewayError(Code.NOT_FOUND, f"{noun} not found ({named})", reason="NOT_FOUND")


def translate(error: Exception) -> GatewayError | None:
    """Return what a database fault means to a caller; None for a mistake in this package."""
    if isinstance(error, PoolTimeout):
        return _fault(_BUSY)
    code = result_code(error)
    if code in _UNIQUE:
        return GatewayError(Code.ALREADY_EXISTS, "An entry with this identity already exists", reason="ID_TAKEN")
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return GatewayError(Code.NOT_FOUND, "An entry that this one refers to does not exist", reason="NOT_FOUND")
    known = _FAULTS.get(code & 0xFF)
    return None if known is None else _fault(known)


@contextmanager
def translated() -> Generator[None]:
    """Raise the GatewayError in place of a database fault that has a meaning for callers.

    Raises:
        GatewayError: UNAVAILABLE (the store is locked for too long, or its disk fails), DATA_LOSS (its file is damaged),
            ALREADY_EXISTS (an id is in use) or NOT_FOUND (a referenced entry is missing).
    """
    try:
        yield
    except (DBAPIError, PoolTimeout, sqlite3.Error) as error:
        meaning = translate(error)
        if meaning is None:
            raise
        raise meaning from error


def _fault(row: tuple[Code, str, str]) -> GatewayError:
    code, reason, message = row
    return GatewayError(code, message, reason=reason)
