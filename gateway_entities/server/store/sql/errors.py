"""Mapping of database errors to GatewayErrors. Messages contain no SQL and no stored values."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql import postgresql, sqlite
from gateway_entities.server.store.sql.database import BUSY, FOREIGN_KEY_VIOLATION, UNIQUE_VIOLATION, DbError


def violates(error: IntegrityError, constraint: UniqueConstraint | PrimaryKeyConstraint) -> bool:
    """Return whether a write violated this constraint."""
    if _classify(error) is not UNIQUE_VIOLATION:
        return False
    cause = error.orig
    is_violation_of = sqlite.is_violation_of if isinstance(cause, sqlite3.Error) else postgresql.is_violation_of
    return is_violation_of(cause, constraint)


def violates_reference(error: IntegrityError) -> bool:
    """Return whether a write violated a foreign key."""
    return _classify(error) is FOREIGN_KEY_VIOLATION


def name_taken(noun: str, name: str) -> GatewayError:
    """Return ALREADY_EXISTS for a name, such as ``Secret with name 'k1' already exists``."""
    return GatewayError(Code.ALREADY_EXISTS, f"{noun} with name '{name}' already exists", reason="NAME_TAKEN")


def not_found(noun: str, **key: str) -> GatewayError:
    """Return NOT_FOUND for a key, such as ``GatewaySecret not found (secret_id='s-1')``."""
    shown = ", ".join(f"{field}='{value}'" for field, value in key.items())
    return GatewayError(Code.NOT_FOUND, f"{noun} not found ({shown})", reason="NOT_FOUND")


def to_gateway_error(error: Exception) -> GatewayError | None:
    """Return the GatewayError of a database error; None for one that a bug in this package causes."""
    found = _classify(error)
    return None if found is None else found.error()


@contextmanager
def map_db_errors() -> Generator[None]:
    """Convert database errors to GatewayErrors; others pass unchanged.

    Raises:
        GatewayError: UNAVAILABLE (locked, unreachable, or a disk failure), DATA_LOSS (damaged), ALREADY_EXISTS (an id is in
            use) or NOT_FOUND (a referenced row is missing).
    """
    try:
        yield
    except (DBAPIError, PoolTimeout, sqlite3.Error) as error:
        mapped = to_gateway_error(error)
        if mapped is None:
            raise
        raise mapped from error


def _classify(error: Exception) -> DbError | None:
    if isinstance(error, PoolTimeout):
        return BUSY
    cause = error.orig if isinstance(error, DBAPIError) else error
    return sqlite.classify(cause) if isinstance(cause, sqlite3.Error) else postgresql.classify(cause)
