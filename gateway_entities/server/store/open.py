"""Opening a store: its database, its tables and its key, each refused with a reason when it cannot be used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.key_sources import KeyFile, KeySource, read_keys
from gateway_entities.server.store.crypto.keyring import KeyRing
from gateway_entities.server.store.crypto.wrapped_keys import unlock
from gateway_entities.server.store.sql import errors, migrations, schema
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.postgresql import PostgresqlDatabase
from gateway_entities.server.store.sql.sqlite import SqliteDatabase
from gateway_entities.server.store.store import Store


def open_store(url: str, *, keys: Sequence[KeySource] = (), busy_timeout: float = 10.0) -> Store:
    """Open a store, making what does not exist yet: the SQLite file and its key, and on either database the tables.

    New files have mode 0600. Several processes may open one new store at the same time.

    Args:
        url: where the store is, as find_database takes it.
        keys: where the keys are that secrets are encrypted with; the first of them encrypts, each decrypts. Without any it
            is the file beside the SQLite database that is called as it is, with ``.key`` added; only that one is made when
            it does not exist. PostgreSQL needs a key named.
        busy_timeout: the longest wait for another writer, in seconds.

    Returns:
        The store, its tables at the newest revision.

    Raises:
        GatewayError: INVALID_ARGUMENT (a URL of another form), FAILED_PRECONDITION (the database, the tables or the key
            cannot be used; the message says why and what to do) or UNAVAILABLE (the database cannot be reached, or another
            process holds its lock).
    """
    database = find_database(url, busy_timeout)
    ring = read_keys(keys)
    if ring is None and database.key_file is None:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"The store {database.place} needs a key to encrypt secrets with, and none is named; on PostgreSQL none is made "
            "by itself, because every server of the database must have the same",
            reason="KEY_FILE",
        )
    try:
        with _upgrading(database) as (connection, _):
            # Within the write lock, so that of several processes only one makes the key.
            cipher = unlock(connection, ring or _default_key(connection, database))
        return Store(database, cipher)
    except BaseException:
        database.dispose()
        raise


def find_database(url: str, busy_timeout: float = 10.0) -> Database:
    """Return the database of a store's URL. Nothing is opened yet.

    Args:
        url: ``sqlite:///gateway.sqlite`` (relative) or ``sqlite:////var/lib/gateway.sqlite``: a file in a folder that
            exists; the path is taken as it is, without escapes. Or ``postgresql://user:password@host:port/database?option=value``,
            as libpq takes it, with its environment variables (PGPASSWORD and the like), ``.pgpass`` and service files.
        busy_timeout: the longest wait for another writer, in seconds.

    Raises:
        GatewayError: INVALID_ARGUMENT (a URL of another form) or FAILED_PRECONDITION (its driver is not installed).
    """
    kind, _, _ = url.partition("://")
    if kind in {"postgresql", "postgres"}:
        return PostgresqlDatabase(url, busy_timeout)
    return SqliteDatabase(_file_path(url), busy_timeout)


def open_database(database: Database, *, create: bool) -> str | None:
    """Check that a database can be used and holds a store, or nothing; its tables stay at the revision they are at.

    Args:
        database: the database; it stays open after an error.
        create: make a SQLite file that does not exist.

    Returns:
        The revision of its tables; None when there are none.

    Raises:
        GatewayError: as open_store.
    """
    with naming(database):
        database.prepare(create=create)
        # A database of another program is told apart before anything is written to it.
        with database.read() as connection:
            found = migrations.revision(connection)
        database.settle()
    return found


def upgrade_database(database: Database) -> tuple[str | None, str]:
    """Bring the tables of a database to the newest revision, making a SQLite file that does not exist. No key is needed.

    Returns:
        The revision that they were at, None for no tables, and the one that they are at now.

    Raises:
        GatewayError: as open_store.
    """
    with _upgrading(database) as (_, before):
        return before, migrations.HEAD


@contextmanager
def _upgrading(database: Database) -> Generator[tuple[Connection, str | None]]:
    """Open a write transaction on tables of the newest revision; give the revision that they were at, too."""
    found = open_database(database, create=True)
    # Checking every reference after a migration takes a while on a large store, so only a migration does it.
    opening = database.write() if found == migrations.HEAD else database.migrate()
    with naming(database), opening as connection:
        before = migrations.revision(connection)
        migrations.upgrade(connection)
        yield connection, before


def _file_path(url: str) -> Path:
    kind, separator, place = url.partition(":///")
    # Nothing of the URL is repeated in the message: one of another kind may hold a password.
    if kind != "sqlite" or not separator:
        raise _wrong_url("The store's URL is neither that of a SQLite file nor of a PostgreSQL database")
    if place in {"", ":memory:"} or "?" in place:
        raise _wrong_url("The store's URL needs a file, and no parameters")
    # Absolute, so that a later change of the working folder changes nothing.
    return Path(place).absolute()


def _default_key(connection: Connection, database: Database) -> KeyRing:
    key_file = database.key_file
    assert key_file is not None  # noqa: S101 - open_store has seen to it.
    if os.path.lexists(key_file):
        return KeyRing(KeyFile(key_file).read())
    if (key_id := connection.execute(select(schema.secrets.c.key_id).limit(1)).scalar()) is not None:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"its secrets are encrypted with key {key_id}, and the key file {key_file} does not exist; restore it, or name "
            "the file that holds this key",
            reason="KEY_FILE",
        )
    return KeyRing([KeyFile(key_file).create()])


@contextmanager
def naming(database: Database) -> Generator[None]:
    """Name the store in every error."""
    try:
        yield
    except GatewayError as error:
        raise _unusable(database, error) from error
    except (DBAPIError, sqlite3.Error) as error:
        wrong = database.explain(error)
        if wrong is not None:
            raise _unusable(database, wrong) from error
        meaning = errors.translate(error)
        if meaning is None:
            raise
        raise GatewayError(meaning.code, f"{meaning.message} ({database.place})", reason=meaning.reason) from error


def _unusable(database: Database, error: GatewayError) -> GatewayError:
    message = f"The store {database.place} cannot be used: {error.message}"
    return GatewayError(error.code, message, reason=error.reason)


def _wrong_url(wrong: str) -> GatewayError:
    return GatewayError(
        Code.INVALID_ARGUMENT,
        f"{wrong}; it is sqlite:/// and a path, such as sqlite:///gateway.sqlite, or postgresql://USER@HOST/DATABASE",
        reason="STORE_URL",
    )
