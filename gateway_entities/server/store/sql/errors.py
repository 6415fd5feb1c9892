"""What the database reports, as errors that a caller can act on. No message holds SQL or a stored value."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql import postgresql, sqlite
from gateway_entities.server.store.sql.database import BUSY, FOREIGN_KEY_VIOLATION, UNIQUE_VIOLATION, Fault


def violates(error: IntegrityError, constraint: UniqueConstraint | PrimaryKeyConstraint) -> bool:
    """Tell whether a write was refused because of this constraint."""
    if _fault(error) is not UNIQUE_VIOLATION:
        return False
    cause = error.orig
    return sqlite.names(cause, constraint) if isinstance(cause, sqlite3.Error) else postgresql.names(cause, constraint)


def violates_reference(error: IntegrityError) -> bool:
    """Tell whether a write was refused because it would leave a reference to nothing."""
    return _fault(error) is FOREIGN_KEY_VIOLATION


def name_taken(noun: str, name: str) -> GatewayError:
    """Return the error of a second entry with one name, such as ``Secret with name 'k1' already exists``."""
    return GatewayError(Code.ALREADY_EXISTS, f"{noun} with name '{name}' already exists", reason="NAME_TAKEN")


def not_found(noun: str, **key: str) -> GatewayError:
    """Return the error of an entry that is not there, such as ``GatewaySecret not found (secret_id='s-1')``."""
    named = ", ".join(f"{field}='{value}'" for field, value in key.items())
    return GatewayError(Code.NOT_FOUND, f"{noun} not found ({named})", reason="NOT_FOUND")


def translate(error: Exception) -> GatewayError | None:
    """Return what a database fault means to a caller; None for a mistake in this package."""
    found = _fault(error)
    return None if found is None else found.error()


@contextmanager
def map_db_errors() -> Generator[None]:
    """Raise the GatewayError in place of a database fault that has a meaning for callers.

    Raises:
        GatewayError: UNAVAILABLE (the store is locked for too long, cannot be reached, or its disk fails), DATA_LOSS (it is
            damaged), ALREADY_EXISTS (an id is in use) or NOT_FOUND (a referenced entry is missing).
    """
    try:
        yield
    except (DBAPIError, PoolTimeout, sqlite3.Error) as error:
        meaning = translate(error)
        if meaning is None:
            raise
        raise meaning from error


def _fault(error: Exception) -> Fault | None:
    if isinstance(error, PoolTimeout):
        return BUSY
    cause = error.orig if isinstance(error, DBAPIError) else error
    return sqlite.fault(cause) if isinstance(cause, sqlite3.Error) else postgresql.fault(cause)
