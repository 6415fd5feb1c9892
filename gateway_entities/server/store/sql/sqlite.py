"""SQLite: files, connections and errors.

A pool of connections reads, and a single one writes: threads of this process queue for it, instead of polling for
SQLite's lock. Other processes are waited for with the busy timeout.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection, Engine, PrimaryKeyConstraint, QueuePool, UniqueConstraint, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql.clock import MachineClock
from gateway_entities.server.store.sql.database import (
    BUSY,
    FOREIGN_KEY_VIOLATION,
    FULL,
    IO_ERROR,
    READ_ONLY,
    UNIQUE_VIOLATION,
    Database,
    DbError,
    StoreSize,
)
from gateway_entities.server.store.sql.sqlite_file import SqliteFile, unusable

# auto_vacuum has an effect on a new file, or at the next VACUUM. The log's own file is cut to its limit after a peak.
_WRITER_PRAGMAS: Final = (
    "auto_vacuum = INCREMENTAL",
    "journal_size_limit = 16777216",
    "synchronous = FULL",
    "secure_delete = ON",
)
_PROBE_TIMEOUT_S: Final = 0.2
_PROBE_BYTES: Final = 64 * 1024
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
        self.location = str(path)
        self._file = SqliteFile(path)
        self.key_file = self._file.key_file
        self.clock = MachineClock()
        self._busy_timeout = busy_timeout
        self._probe_lock = threading.Lock()
        self._probe: sqlite3.Connection | None = None
        # Whether the write-ahead log has been emptied since the file was moved, deleted or replaced.
        self._detached = False
        # Pages and their size at the last write.
        self._last_size = (0, 0)
        self.reader = _engine(self._file, busy_timeout, pragmas=("query_only = ON",), pool_size=0)
        self.writer = _engine(self._file, busy_timeout, pragmas=_WRITER_PRAGMAS, pool_size=1)

    def prepare(self, *, create: bool, new: bool = False) -> None:
        """Check that the file is accessible, and empty or a SQLite database; create it with mode 0600 if ``create``.

        Without ``create``, a file on read-only media is opened for reading.
        """
        self._file.prepare(create=create, new=new)

    def initialize(self) -> None:
        """Set write-ahead logging, so that readers and the writer do not block each other. Not on read-only media."""
        if self._file.is_read_only:
            return
        deadline = time.monotonic() + self._busy_timeout
        with self._writer_connection() as connection:
            while not _set_wal(connection, last_try=time.monotonic() > deadline):
                time.sleep(0.01)

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Open a read-only transaction on one snapshot."""
        try:
            with _transaction(self.reader, "BEGIN") as connection:
                yield connection
        finally:
            # Before any error of SQLite's own, which may be a consequence.
            self._file.require_unchanged()

    @contextmanager
    def write(self) -> Generator[Connection]:
        """Open a transaction that holds the write lock from its start."""
        with self._write_transaction(self.writer) as connection:
            yield connection

    @contextmanager
    def migrate(self) -> Generator[Connection]:
        """Open a write transaction that checks foreign keys at its end, so that it may rebuild tables."""
        # With foreign keys on, DROP TABLE deletes the referring rows. The pragma has no effect within a transaction, hence
        # the separate connection.
        engine = _engine(self._file, self._busy_timeout, pragmas=(*_WRITER_PRAGMAS, "foreign_keys = OFF"), pool_size=1)
        try:
            with self._write_transaction(engine) as connection:
                before = self.sequences(connection)
                yield connection
                _require_references(connection)
                for table, last in self.sequences(connection).items():
                    # A copied table only knows its greatest existing id, not that of deleted rows.
                    if last < before.get(table, 0):
                        self.set_sequence(connection, table, before[table])
        finally:
            engine.dispose()

    def probe_write(self, version_table: str) -> None:
        """Commit a write that needs pages and space in the write-ahead log, and changes nothing."""
        engine = _engine(self._file, _PROBE_TIMEOUT_S, pragmas=_WRITER_PRAGMAS, pool_size=1)
        try:
            with _transaction(engine, "BEGIN IMMEDIATE") as connection:
                for value in ("version_num || :filler", "substr(version_num, 1, length(version_num) - :size)"):
                    connection.execute(
                        text(f"UPDATE {version_table} SET version_num = {value}"),  # noqa: S608 - constants.
                        {"filler": " " * _PROBE_BYTES, "size": _PROBE_BYTES},
                    )
        finally:
            engine.dispose()

    def revision(self) -> int | None:
        """Return the current revision, read over a separate connection without a busy timeout."""
        with self._probe_lock:
            try:
                if self._probe is None:
                    self._probe = _connect(self._file, 0, ("query_only = ON",))
                found: tuple[int] | None = self._probe.execute(_REVISION).fetchone()
            except (sqlite3.Error, GatewayError):
                return None
            return None if found is None else found[0]

    def dispose(self) -> None:
        """Close all idle connections."""
        with self._probe_lock:
            if self._probe is not None:
                self._probe.close()
                self._probe = None
        self.reader.dispose()
        with contextlib.suppress(GatewayError, SQLAlchemyError):
            self.ensure_present()
        # Last, because the last connection checkpoints the write-ahead log into the file.
        self.writer.dispose()

    def explain_open_error(self, error: Exception) -> GatewayError | None:
        """Return the cause of an error while opening; None for an unrelated error."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        cause_text = _OPEN_ERRORS.get(_result_code(cause) & 0xFF)
        return None if cause_text is None else unusable(cause_text)

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

    def size(self, connection: Connection) -> StoreSize:
        """Return the size of the pages in use, and that of the free ones. The write-ahead log is not in it."""
        driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        pages, free, page_bytes = (_pragma(driver, name) for name in ("page_count", "freelist_count", "page_size"))
        return StoreSize((pages - free) * page_bytes, free * page_bytes)

    def release(self, max_bytes: int) -> int:
        """Do as the base; a file that was created by an older release releases nothing before its first ``vacuum``."""
        with self._writer_connection() as connection:
            page_bytes, before = _pragma(connection, "page_size"), _pragma(connection, "freelist_count")
            # Not by a cursor, which stops after the first page.
            connection.executescript(f"PRAGMA incremental_vacuum({max_bytes // page_bytes})")
            return max(0, before - _pragma(connection, "freelist_count")) * page_bytes

    def vacuum(self) -> None:
        """Rewrite the file."""
        with self._writer_connection() as connection:
            connection.executescript("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _writer_connection(self) -> Generator[sqlite3.Connection]:
        """Check out the writer without a transaction."""
        connection = self.writer.raw_connection()
        try:
            yield cast("sqlite3.Connection", connection.driver_connection)
        finally:
            connection.close()

    def integrity_errors(self, connection: Connection) -> Iterator[str]:
        """Yield the problems that ``PRAGMA integrity_check`` reports."""
        for found in connection.execute(text("PRAGMA integrity_check")).scalars():
            if found != "ok":
                yield str(found)

    def ensure_present(self) -> None:
        """Check that the file has not been moved, deleted, replaced or truncated: open connections would still work."""
        try:
            self._file.require_same()
        except GatewayError:
            self._detach()
            raise
        self._detached = False
        try:
            self._file.require_size(*self._last_size)
        except GatewayError:
            # Another process may have made it smaller, as compaction does. Only the writer knows: a reader takes the number
            # of pages from the file.
            with self._write_transaction(self.writer):
                pass

    def _require_size(self, connection: Connection) -> None:
        driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        self._last_size = _pragma(driver, "page_count"), _pragma(driver, "page_size")
        self._file.require_size(*self._last_size)

    def require_unused(self) -> None:
        """Check that no write-ahead log was left without the file, as by a server that still uses the deleted one."""
        self._file.require_no_leftover()

    def _detach(self) -> None:
        """Move the write-ahead log's content to the file that it belongs to.

        Its path is still that of the log of a file that takes this one's place, which would be damaged by it when opened.
        """
        if self._detached:
            return
        # The next check tries again.
        with contextlib.suppress(GatewayError, SQLAlchemyError, sqlite3.Error):
            connection = self.writer.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                row = cursor.fetchone()
                self._detached = row is not None and row[0] == 0
                cursor.close()
            finally:
                connection.close()

    @contextmanager
    def _write_transaction(self, engine: Engine) -> Generator[Connection]:
        with _transaction(engine, "BEGIN IMMEDIATE") as connection:
            self._file.require_same()
            self._require_size(connection)
            yield connection
            # A commit to a file without a name would be acknowledged and lost.
            self._file.require_same()


def _require_references(connection: Connection) -> None:
    dangling = Counter((row[0], row[2]) for row in connection.execute(text("PRAGMA foreign_key_check")))
    if dangling:
        wrong = ", ".join(f"{rows} of {table} to {parent}" for (table, parent), rows in sorted(dangling.items()))
        raise GatewayError(Code.DATA_LOSS, f"rows refer to rows that do not exist: {wrong}", reason="STORE_DAMAGED")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


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
        raise unusable("its file system cannot hold a write-ahead log; use a local one")
    return True


@contextmanager
def _transaction(engine: Engine, begin: str) -> Generator[Connection]:
    with engine.begin() as connection:
        # The driver does not begin transactions in this mode, but it ends them.
        cursor = connection.connection.cursor()
        cursor.execute(begin)
        cursor.close()
        yield connection


def _connect(file: SqliteFile, busy_timeout: float, pragmas: tuple[str, ...]) -> sqlite3.Connection:
    # Without a mode, SQLite would create the file with a wider one. Isolation level None leaves BEGIN to this module on
    # all versions of Python.
    try:
        connection = sqlite3.connect(
            f"{file.path.as_uri()}?{file.access}",
            uri=True,
            timeout=busy_timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
    except sqlite3.OperationalError:
        file.require_same()
        raise
    try:
        # Afterwards, so that no connection of the pool reads another file.
        file.require_same()
        for pragma in ("foreign_keys = ON", *pragmas):
            connection.execute(f"PRAGMA {pragma}").close()
    except BaseException:
        connection.close()
        raise
    return connection


def _engine(file: SqliteFile, busy_timeout: float, *, pragmas: tuple[str, ...], pool_size: int) -> Engine:
    return create_engine(
        "sqlite+pysqlite://",
        creator=lambda: _connect(file, busy_timeout, pragmas),
        # Named parameters, as with psycopg.
        paramstyle="named",
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=busy_timeout,
        pool_use_lifo=True,
        hide_parameters=True,
    )
