"""A store in a SQLite file: its file, its two ways in, and what its reports mean.

A pool of connections only reads, and one connection writes: it makes the threads of this process wait in a queue, instead of
polling for SQLite's lock. Other processes are waited for by SQLite's busy timeout.
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
    Fault,
)

_FILE_MODE: Final = 0o600
_WRITER_PRAGMAS: Final = ("synchronous = FULL", "secure_delete = ON")
_MAGIC: Final = b"SQLite format 3\0"
_REVISION: Final = "SELECT max(revision) FROM changes"
_TAKEN_PREFIX: Final = "UNIQUE constraint failed: "

# Keyed by SQLite's extended result code, https://sqlite.org/rescode.html.
_VIOLATIONS: Final[Mapping[int, Fault]] = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: UNIQUE_VIOLATION,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: UNIQUE_VIOLATION,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: FOREIGN_KEY_VIOLATION,
}
# Keyed by the primary result code.
_FAULTS: Final[Mapping[int, Fault]] = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: IO_ERROR,
    sqlite3.SQLITE_CANTOPEN: Fault(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's file cannot be opened"),
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: Fault(Code.DATA_LOSS, "STORE_DAMAGED", "The store's file is damaged"),
    sqlite3.SQLITE_NOTADB: Fault(Code.DATA_LOSS, "STORE_DAMAGED", "The store's file is not a SQLite database"),
}
_WHY_NOT_OPEN: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_READONLY: "it, or its folder, cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened for reading and writing",
}


def fault(error: sqlite3.Error) -> Fault | None:
    """Return what an error of the driver means to a caller; None for a mistake in this package."""
    code = _result_code(error)
    return _VIOLATIONS.get(code) or _FAULTS.get(code & 0xFF)


def names(error: sqlite3.Error, constraint: UniqueConstraint | PrimaryKeyConstraint) -> bool:
    """Tell whether an error of the driver is about this constraint."""
    # SQLite names the columns of a constraint, in its order, and not the constraint.
    columns = ", ".join(f"{column.table.name}.{column.name}" for column in constraint.columns)
    return str(error) == _TAKEN_PREFIX + columns


class SqliteDatabase(Database):
    """A SQLite file."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        """Say which file; nothing is opened yet.

        Args:
            path: the file, absolute.
            busy_timeout: the longest wait for another writer, in seconds.
        """
        self.path = path
        self.place = str(path)
        self.key_file = path.with_name(path.name + ".key")
        self._busy_timeout = busy_timeout
        self._asking = threading.Lock()
        self._asked: sqlite3.Connection | None = None
        self.reader = _engine(path, busy_timeout, pragmas=("query_only = ON",), pool_size=0)
        self.writer = _engine(path, busy_timeout, pragmas=_WRITER_PRAGMAS, pool_size=1)

    def prepare(self, *, create: bool) -> None:
        """Check that the file can be one of a store; make it, for its owner only, where it does not exist."""
        if not self.path.parent.is_dir():
            raise _unusable(f"the folder {self.path.parent} does not exist; make it first")
        if self.path.is_dir():
            raise _unusable("it is a folder")
        if not create:
            if not self.path.exists():
                raise _unusable("it does not exist")
            return self._check_file()
        try:
            # SQLite gives the files it makes beside this one the same mode.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE))
        except FileExistsError:
            self._check_file()
        except OSError as error:
            raise _unusable(f"it cannot be made: {error.strerror}") from error

    def settle(self) -> None:
        """Switch the file to write-ahead logging, so that readers and the writer do not block each other."""
        deadline = time.monotonic() + self._busy_timeout
        connection = self.writer.raw_connection()
        try:
            while not _switch(
                cast("sqlite3.Connection", connection.driver_connection), last_try=time.monotonic() > deadline
            ):
                time.sleep(0.01)
        finally:
            connection.close()

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Open a transaction that sees one state of the file."""
        with _transaction(self.reader, "BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """Open the transaction that has the file's write lock from its start."""
        with _transaction(self.writer, "BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def migrate(self) -> Generator[Connection]:
        """Open a write transaction that enforces foreign keys at its end only, so that tables can be rebuilt in it."""
        # With foreign keys on, DROP TABLE deletes the rows that refer to the table, and the pragma has no effect within a
        # transaction; hence a connection of its own.
        engine = _engine(self.path, self._busy_timeout, pragmas=(*_WRITER_PRAGMAS, "foreign_keys = OFF"), pool_size=1)
        try:
            with _transaction(engine, "BEGIN IMMEDIATE") as connection:
                numbered = self.sequences(connection)
                yield connection
                _require_references(connection)
                for table, last in self.sequences(connection).items():
                    # A copy knows the greatest number among its rows only, not that of a row that was deleted.
                    if last < numbered.get(table, 0):
                        self.set_sequence(connection, table, numbered[table])
        finally:
            engine.dispose()

    def revision(self) -> int | None:
        """Return the revision of the last change, on a connection of its own that waits for nobody."""
        with self._asking:
            try:
                if self._asked is None:
                    self._asked = _connect(self.path, 0, ("query_only = ON",))
                found: int | None = self._asked.execute(_REVISION).fetchone()[0]
            except sqlite3.Error:
                return None
            return found or 0

    def dispose(self) -> None:
        """Close every connection that is not in use."""
        with self._asking:
            if self._asked is not None:
                self._asked.close()
                self._asked = None
        self.reader.dispose()
        # Last, so that it finds itself alone and folds the write-ahead log into the file.
        self.writer.dispose()

    def explain(self, error: Exception) -> GatewayError | None:
        """Return what is wrong with the file, if that is what it is."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        wrong = _WHY_NOT_OPEN.get(_result_code(cause) & 0xFF)
        return None if wrong is None else _unusable(wrong)

    def sequences(self, connection: Connection) -> Mapping[str, int]:
        """Return the last number of each table that SQLite numbers the rows of."""
        if connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")).first() is None:
            return {}
        numbered = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")).scalars()
        last = {row.name: row.seq for row in connection.execute(text("SELECT name, seq FROM sqlite_sequence"))}
        return {table: last.get(table, 0) for table in numbered}

    def set_sequence(self, connection: Connection, table: str, last: int) -> None:
        """Let the next row of a table get a number above this one."""
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
        connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :seq)"), {"name": table, "seq": last})

    def damages(self, connection: Connection) -> Iterator[str]:
        """Yield what SQLite's own check of the file finds."""
        for found in connection.execute(text("PRAGMA integrity_check")).scalars():
            if found != "ok":
                yield str(found)

    def ensure_present(self) -> None:
        """Check that the file has not been moved away or removed: its connections would go on without it."""
        if not self.path.exists():
            raise GatewayError(Code.UNAVAILABLE, "The store's file is gone", reason="STORE_UNAVAILABLE")

    def _check_file(self) -> None:
        try:
            with self.path.open("rb") as file:
                start = file.read(len(_MAGIC))
        except OSError as error:
            raise _unusable(f"it cannot be read: {error.strerror}") from error
        # SQLite itself would take a short file of any content for an empty database, and overwrite it.
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


def _switch(connection: sqlite3.Connection, *, last_try: bool) -> bool:
    """Try to switch to write-ahead logging; return whether it is done. A lock that others hold is an error at last."""
    try:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError as error:
        # SQLite does not wait for its lock here when another process makes the same switch.
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or last_try:
            raise
        return False
    if mode != ("wal",):
        raise _unusable("its file system cannot hold a write-ahead log; use a local one")
    return True


@contextmanager
def _transaction(engine: Engine, begin: str) -> Generator[Connection]:
    with engine.begin() as connection:
        # The driver itself begins nothing, and ends what was begun.
        cursor = connection.connection.cursor()
        cursor.execute(begin)
        cursor.close()
        yield connection


def _connect(path: Path, busy_timeout: float, pragmas: tuple[str, ...]) -> sqlite3.Connection:
    # Mode rw: SQLite must never make the file itself, because it would do so with wider rights. Isolation level None leaves
    # BEGIN to this module, on every version of Python.
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
        # As PostgreSQL's driver has them: parameters go to the driver by their names.
        paramstyle="named",
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=busy_timeout,
        pool_use_lifo=True,
        hide_parameters=True,
    )


def _unusable(wrong: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, wrong, reason="STORE_FILE")
