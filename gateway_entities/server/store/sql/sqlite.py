"""SQLite: files, connections and errors.

A pool of connections reads, and a single one writes: threads of this process queue for it, instead of polling for
SQLite's lock. Other processes are waited for with the busy timeout.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection, Engine, PrimaryKeyConstraint, QueuePool, UniqueConstraint, create_engine, text
from sqlalchemy.exc import DBAPIError

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql.database import (
    BUSY,
    FOREIGN_KEY_VIOLATION,
    FULL,
    IO_ERROR,
    READ_ONLY,
    UNIQUE_VIOLATION,
    Database,
    DbError,
)

_FILE_MODE: Final = 0o600
_WRITER_PRAGMAS: Final = ("synchronous = FULL", "secure_delete = ON")
_MAGIC: Final = b"SQLite format 3\0"
_REVISION: Final = "SELECT last_revision FROM store_state"
_UNIQUE_PREFIX: Final = "UNIQUE constraint failed: "

# Keyed by SQLite's extended result code, https://sqlite.org/rescode.html.
_VIOLATIONS: Final[Mapping[int, DbError]] = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: UNIQUE_VIOLATION,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: UNIQUE_VIOLATION,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: FOREIGN_KEY_VIOLATION,
}
# Keyed by the primary result code.
_ERRORS: Final[Mapping[int, DbError]] = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: IO_ERROR,
    sqlite3.SQLITE_CANTOPEN: DbError(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's file cannot be opened"),
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DbError(Code.DATA_LOSS, "STORE_DAMAGED", "The store's file is damaged"),
    sqlite3.SQLITE_NOTADB: DbError(Code.DATA_LOSS, "STORE_DAMAGED", "The store's file is not a SQLite database"),
}
_OPEN_ERRORS: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_READONLY: "it, or its folder, cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened for reading and writing",
}


def classify(error: sqlite3.Error) -> DbError | None:
    """Return the class of a driver error; None for one that a bug in this package causes."""
    code = _result_code(error)
    return _VIOLATIONS.get(code) or _ERRORS.get(code & 0xFF)


def is_violation_of(error: BaseException | None, constraint: UniqueConstraint | PrimaryKeyConstraint) -> bool:
    """Return whether a driver error is a violation of this constraint."""
    # SQLite's message has the columns of the constraint, in its order, not its name.
    columns = ", ".join(f"{column.table.name}.{column.name}" for column in constraint.columns)
    return str(error) == _UNIQUE_PREFIX + columns


class SqliteDatabase(Database):
    """A SQLite file."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        """Create an unopened database.

        Args:
            path: the absolute path of its file.
            busy_timeout: the maximum wait for another writer, in seconds.
        """
        self.path = path
        self.location = str(path)
        self.key_file = path.with_name(path.name + ".key")
        self._busy_timeout = busy_timeout
        self._probe_lock = threading.Lock()
        self._probe: sqlite3.Connection | None = None
        self.reader = _engine(path, busy_timeout, pragmas=("query_only = ON",), pool_size=0)
        self.writer = _engine(path, busy_timeout, pragmas=_WRITER_PRAGMAS, pool_size=1)

    def prepare(self, *, create: bool) -> None:
        """Check that the file is accessible, and empty or a SQLite database; create it with mode 0600 if ``create``."""
        if not self.path.parent.is_dir():
            raise _unusable(f"the folder {self.path.parent} does not exist; create it first")
        if self.path.is_dir():
            raise _unusable("it is a folder")
        if not create:
            if not self.path.exists():
                raise _unusable("it does not exist")
            return self._check_file()
        try:
            # SQLite creates its -wal and -shm files with the same mode.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE))
        except FileExistsError:
            self._check_file()
        except OSError as error:
            raise _unusable(f"it cannot be created: {error.strerror}") from error

    def initialize(self) -> None:
        """Set write-ahead logging, so that readers and the writer do not block each other."""
        deadline = time.monotonic() + self._busy_timeout
        connection = self.writer.raw_connection()
        try:
            while not _set_wal(
                cast("sqlite3.Connection", connection.driver_connection), last_try=time.monotonic() > deadline
            ):
                time.sleep(0.01)
        finally:
            connection.close()

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Open a read-only transaction on one snapshot."""
        with _transaction(self.reader, "BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """Open a transaction that holds the write lock from its start."""
        with _transaction(self.writer, "BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def migrate(self) -> Generator[Connection]:
        """Open a write transaction that checks foreign keys at its end, so that it may rebuild tables."""
        # With foreign keys on, DROP TABLE deletes the referring rows. The pragma has no effect within a transaction, hence
        # the separate connection.
        engine = _engine(self.path, self._busy_timeout, pragmas=(*_WRITER_PRAGMAS, "foreign_keys = OFF"), pool_size=1)
        try:
            with _transaction(engine, "BEGIN IMMEDIATE") as connection:
                before = self.sequences(connection)
                yield connection
                _require_references(connection)
                for table, last in self.sequences(connection).items():
                    # A copied table only knows its greatest existing id, not that of deleted rows.
                    if last < before.get(table, 0):
                        self.set_sequence(connection, table, before[table])
        finally:
            engine.dispose()

    def revision(self) -> int | None:
        """Return the current revision, read over a separate connection without a busy timeout."""
        with self._probe_lock:
            try:
                if self._probe is None:
                    self._probe = _connect(self.path, 0, ("query_only = ON",))
                found: tuple[int] | None = self._probe.execute(_REVISION).fetchone()
            except sqlite3.Error:
                return None
            return None if found is None else found[0]

    def dispose(self) -> None:
        """Close all idle connections."""
        with self._probe_lock:
            if self._probe is not None:
                self._probe.close()
                self._probe = None
        self.reader.dispose()
        # Last, because the last connection checkpoints the write-ahead log into the file.
        self.writer.dispose()

    def explain_open_error(self, error: Exception) -> GatewayError | None:
        """Return the cause of an error while opening; None for an unrelated error."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        cause_text = _OPEN_ERRORS.get(_result_code(cause) & 0xFF)
        return None if cause_text is None else _unusable(cause_text)

    def sequences(self, connection: Connection) -> Mapping[str, int]:
        """Return the last generated id of each AUTOINCREMENT table."""
        if connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")).first() is None:
            return {}
        numbered = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")).scalars()
        last = {row.name: row.seq for row in connection.execute(text("SELECT name, seq FROM sqlite_sequence"))}
        return {table: last.get(table, 0) for table in numbered}

    def set_sequence(self, connection: Connection, table: str, last: int) -> None:
        """Set the last generated id of a table."""
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
        connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :seq)"), {"name": table, "seq": last})

    def integrity_errors(self, connection: Connection) -> Iterator[str]:
        """Yield the problems that ``PRAGMA integrity_check`` reports."""
        for found in connection.execute(text("PRAGMA integrity_check")).scalars():
            if found != "ok":
                yield str(found)

    def ensure_present(self) -> None:
        """Check that the file has not been moved or deleted: open connections would continue to work."""
        if not self.path.exists():
            raise GatewayError(Code.UNAVAILABLE, "The store's file is missing", reason="STORE_UNAVAILABLE")

    def _check_file(self) -> None:
        try:
            with self.path.open("rb") as file:
                start = file.read(len(_MAGIC))
        except OSError as error:
            raise _unusable(f"it cannot be read: {error.strerror}") from error
        # SQLite treats any short file as an empty database and overwrites it.
        if start not in {b"", _MAGIC}:
            raise _unusable("it is not a SQLite database")


def _require_references(connection: Connection) -> None:
    dangling = Counter((row[0], row[2]) for row in connection.execute(text("PRAGMA foreign_key_check")))
    if dangling:
        wrong = ", ".join(f"{rows} of {table} to {parent}" for (table, parent), rows in sorted(dangling.items()))
        raise GatewayError(Code.DATA_LOSS, f"rows refer to rows that do not exist: {wrong}", reason="STORE_DAMAGED")


def _result_code(error: BaseException | None) -> int:
    code = getattr(error, "sqlite_errorcode", 0)
    return code if isinstance(code, int) else 0


def _set_wal(connection: sqlite3.Connection, *, last_try: bool) -> bool:
    """Set write-ahead logging; return whether it succeeded. A lock held by others raises on the last try only."""
    try:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError as error:
        # The busy timeout does not apply while another process sets the same mode.
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or last_try:
            raise
        return False
    if mode != ("wal",):
        raise _unusable("its file system cannot hold a write-ahead log; use a local one")
    return True


@contextmanager
def _transaction(engine: Engine, begin: str) -> Generator[Connection]:
    with engine.begin() as connection:
        # The driver does not begin transactions in this mode, but it ends them.
        cursor = connection.connection.cursor()
        cursor.execute(begin)
        cursor.close()
        yield connection


def _connect(path: Path, busy_timeout: float, pragmas: tuple[str, ...]) -> sqlite3.Connection:
    # Mode rw, because SQLite would create the file with a wider mode. Isolation level None leaves BEGIN to this module on
    # all versions of Python.
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        for pragma in ("foreign_keys = ON", *pragmas):
            connection.execute(f"PRAGMA {pragma}").close()
    except BaseException:
        connection.close()
        raise
    return connection


def _engine(path: Path, busy_timeout: float, *, pragmas: tuple[str, ...], pool_size: int) -> Engine:
    return create_engine(
        "sqlite+pysqlite://",
        creator=lambda: _connect(path, busy_timeout, pragmas),
        # Named parameters, as with psycopg.
        paramstyle="named",
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=busy_timeout,
        pool_use_lifo=True,
        hide_parameters=True,
    )


def _unusable(cause: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, cause, reason="STORE_FILE")
