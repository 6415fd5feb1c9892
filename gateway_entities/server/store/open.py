"""Opening of a store: its database, its tables and its keys."""

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
from gateway_entities.server.store.repositories.state import StoreState
from gateway_entities.server.store.repositories.wrapped_key import open_cipher
from gateway_entities.server.store.sql import errors, migrations, schema
from gateway_entities.server.store.sql.clock import Clock
from gateway_entities.server.store.sql.database import Database, StatementTimeouts
from gateway_entities.server.store.sql.postgresql import PostgresqlDatabase
from gateway_entities.server.store.sql.sqlite import SqliteDatabase
from gateway_entities.server.store.store import Store


def open_store(
    url: str,
    *,
    keys: Sequence[KeySource] = (),
    busy_timeout: float = 10.0,
    timeouts: StatementTimeouts | None = None,
    write_stall: float = 10.0,
    max_bytes: int | None = None,
    new_store: bool = False,
    clock: Clock | None = None,
) -> Store:
    """Open a store; create its tables, SQLite file and key file if they do not exist.

    New files have mode 0600. Several processes may open a new store concurrently.

    Args:
        url: the store's URL, as for find_database.
        keys: the sources of the key-encryption keys: the first key encrypts, all decrypt. The default for SQLite is the
            database's path with ``.key`` appended, which is created if it does not exist. PostgreSQL has no default.
        busy_timeout: the maximum wait for another writer, in seconds.
        timeouts: the limits of statements on PostgreSQL; None for those of the database.
        write_stall: seconds without a successful write after which ``Store.check_writes`` reports waiting ones.
        max_bytes: the size from which writes are refused; None for no limit.
        new_store: create a missing SQLite file even beside the key file or the write-ahead log of an earlier store.
        clock: the store's clock. The default is the machine's for SQLite, and the database's for PostgreSQL.

    Returns:
        The store, with its tables at the latest revision.

    Raises:
        GatewayError: INVALID_ARGUMENT (a malformed URL), FAILED_PRECONDITION (the database, the tables or the key cannot be
            used; the message has the cause and the remedy) or UNAVAILABLE (the database is unreachable or locked).
    """
    database = find_database(url, busy_timeout, timeouts)
    if clock is not None:
        database.clock = clock
    ring = read_keys(keys)
    if ring is None and database.key_file is None:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"The store {database.location} needs a key to encrypt secrets, and none is configured; there is no default on "
            "PostgreSQL, because all servers of a database must have the same key",
            reason="KEY_FILE",
        )
    try:
        with _upgrading(database, new_store) as (connection, _):
            # Under the write lock, so that only one process creates the key.
            ring, new_key_file = (ring, None) if ring else _default_key(connection, database)
            cipher = open_cipher(connection, ring)
            database.clock.record(connection)
            # Fails here instead of in a request.
            StoreState(connection).get()
        return Store(database, cipher, write_stall, max_bytes, new_key_file)
    except BaseException:
        database.dispose()
        raise


def find_database(url: str, busy_timeout: float = 10.0, timeouts: StatementTimeouts | None = None) -> Database:
    """Return the database of a store's URL, without connecting to it.

    Args:
        url: ``sqlite:///gateway.sqlite`` (relative) or ``sqlite:////var/lib/gateway.sqlite``: a file in an
            existing folder; the path has no escapes. Or ``postgresql://user:password@host:port/database?option=value``,
            a libpq URI; libpq's environment variables (such as PGPASSWORD), ``.pgpass`` and service files apply.
        busy_timeout: the maximum wait for another writer, in seconds.
        timeouts: the limits of statements on PostgreSQL; None for those of the database.

    Raises:
        GatewayError: INVALID_ARGUMENT (a malformed URL) or FAILED_PRECONDITION (its driver is not installed).
    """
    kind, _, _ = url.partition("://")
    if kind in {"postgresql", "postgres"}:
        return PostgresqlDatabase(url, busy_timeout, timeouts)
    return SqliteDatabase(_file_path(url), busy_timeout)


def available_keys(database: Database, sources: Sequence[KeySource]) -> KeyRing | None:
    """Return the configured keys of a database, with the default of ``open_store`` if its file exists; None without any.

    Raises:
        GatewayError: FAILED_PRECONDITION; a source cannot be read.
    """
    if not sources and database.key_file is not None and os.path.lexists(database.key_file):
        sources = [KeyFile(database.key_file)]
    return read_keys(sources)


def open_database(database: Database, *, create: bool, new_store: bool = False) -> str | None:
    """Check that a database is accessible and holds a store or is empty. Does not upgrade its tables.

    Args:
        database: the database; it stays open after an error.
        create: create a missing SQLite file. Without it, a file on read-only media is opened for reading.
        new_store: as for open_store.

    Returns:
        The revision of its tables; None without tables.

    Raises:
        GatewayError: as open_store.
    """
    with error_context(database):
        database.prepare(create=create, new=new_store)
        # Before initialize writes: the database may belong to another program.
        with database.read() as connection:
            found = migrations.revision(connection)
        database.initialize()
    return found


def open_current_database(database: Database) -> None:
    """Open a database whose tables are at the latest revision.

    Raises:
        GatewayError: as open_store, and FAILED_PRECONDITION (no store, or its tables need an upgrade).
    """
    found = open_database(database, create=False)
    if found != migrations.HEAD:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"The tables of the store {database.location} are at revision {found}, and this release works with "
            f"{migrations.HEAD}; run: gateway-entities db upgrade",
            reason="STORE_SCHEMA",
        )


def upgrade_database(database: Database, *, new_store: bool = False) -> tuple[str | None, str]:
    """Upgrade the tables of a database to the latest revision; create a missing SQLite file. Needs no key.

    Args:
        database: the unopened database.
        new_store: as for open_store.

    Returns:
        The previous revision, None without tables, and the current one.

    Raises:
        GatewayError: as open_store.
    """
    with _upgrading(database, new_store) as (_, before):
        return before, migrations.HEAD


@contextmanager
def _upgrading(database: Database, new_store: bool) -> Generator[tuple[Connection, str | None]]:
    """Open a write transaction and upgrade the tables in it; yield the connection and the previous revision."""
    found = open_database(database, create=True, new_store=new_store)
    # migrate() checks all foreign keys at its end, which is slow on a large store.
    transaction = database.write() if found == migrations.HEAD else database.migrate()
    with error_context(database), transaction as connection:
        before = migrations.revision(connection)
        migrations.upgrade(connection)
        yield connection, before


def _file_path(url: str) -> Path:
    kind, separator, path = url.partition(":///")
    # The message never contains the URL, which may hold a password.
    if kind != "sqlite" or not separator:
        raise _wrong_url("The store's URL is neither that of a SQLite file nor of a PostgreSQL database")
    if path in {"", ":memory:"} or "?" in path:
        raise _wrong_url("The store's URL needs a file, and no parameters")
    try:
        # Absolute, so that a later chdir has no effect.
        return Path(path).absolute()
    except FileNotFoundError:
        raise _wrong_url("The store's path is relative, and the current folder does not exist any more") from None


def _default_key(connection: Connection, database: Database) -> tuple[KeyRing, Path | None]:
    """Return the key of the default key file, and the file if it was created."""
    key_file = database.key_file
    assert key_file is not None  # noqa: S101 - open_store checks it.
    if os.path.lexists(key_file):
        return KeyRing(KeyFile(key_file).read()), None
    if (key_id := connection.execute(select(schema.secrets.c.key_id).limit(1)).scalar()) is not None:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"its secrets are encrypted with key {key_id}, and the key file {key_file} does not exist; restore it, or "
            "configure the file that holds this key",
            reason="KEY_FILE",
        )
    return KeyRing([KeyFile(key_file).create()]), key_file


@contextmanager
def error_context(database: Database) -> Generator[None]:
    """Add the store's location to all errors, and explain those of opening a database."""
    try:
        yield
    except GatewayError as error:
        raise _unusable(database, error) from error
    except (DBAPIError, sqlite3.Error) as error:
        explained = database.explain_open_error(error)
        if explained is not None:
            raise _unusable(database, explained) from error
        mapped = errors.to_gateway_error(error)
        if mapped is None:
            raise
        raise GatewayError(mapped.code, f"{mapped.message} ({database.location})", reason=mapped.reason) from error


def _unusable(database: Database, error: GatewayError) -> GatewayError:
    message = f"The store {database.location} cannot be used: {error.message}"
    return GatewayError(error.code, message, reason=error.reason)


def _wrong_url(problem: str) -> GatewayError:
    return GatewayError(
        Code.INVALID_ARGUMENT,
        f"{problem}; it is sqlite:/// and a path, such as sqlite:///gateway.sqlite, or postgresql://USER@HOST/DATABASE",
        reason="STORE_URL",
    )
