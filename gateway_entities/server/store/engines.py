"""The two ways into one SQLite file: a pool of connections that only read, and the one connection that writes.

A single writing connection makes the threads of this process wait in a queue, instead of polling for SQLite's lock; other
processes are waited for by SQLite's busy timeout.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, QueuePool, create_engine


class Engines(NamedTuple):
    """The pools of one SQLite file.

    Attributes:
        reader: its transactions see one state of the store and cannot change it.
        writer: its transactions hold the write lock from their start; there is one at a time.
    """

    reader: Engine
    writer: Engine

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Open a transaction that sees one state of the store."""
        with _transaction(self.reader, "BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """Open the transaction that has the write lock; it is kept when the block ends, and undone by an exception."""
        with _transaction(self.writer, "BEGIN IMMEDIATE") as connection:
            yield connection

    def dispose(self) -> None:
        """Close every connection that is not in use."""
        self.reader.dispose()
        # Last, so that it finds itself alone and folds the write-ahead log into the file.
        self.writer.dispose()


def open_engines(path: Path, busy_timeout: float) -> Engines:
    """Return the pools of a SQLite file that exists. Nothing is opened yet.

    Args:
        path: the file, absolute.
        busy_timeout: the longest wait for another writer, in seconds.
    """
    reader = _engine(path, busy_timeout, pragmas=("query_only = ON",), pool_size=0)
    writer = _engine(path, busy_timeout, pragmas=("synchronous = FULL", "secure_delete = ON"), pool_size=1)
    return Engines(reader, writer)


def use_write_ahead_log(writer: Engine, busy_timeout: float) -> bool:
    """Switch the file to write-ahead logging, so that readers and the writer do not block each other.

    Returns:
        Whether the file uses it now; some file systems cannot.
    """
    deadline = time.monotonic() + busy_timeout
    connection = writer.raw_connection()
    try:
        while True:
            try:
                cursor = connection.cursor()
                cursor.execute("PRAGMA journal_mode = WAL")
                return cursor.fetchone() == ("wal",)
            except sqlite3.OperationalError as error:
                # SQLite does not wait for its lock here when another process makes the same switch.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
    finally:
        connection.close()


@contextmanager
def _transaction(engine: Engine, begin: str) -> Generator[Connection]:
    with engine.begin() as connection:
        # The driver itself begins nothing, and ends what was begun.
        cursor = connection.connection.cursor()
        cursor.execute(begin)
        cursor.close()
        yield connection


def _engine(path: Path, busy_timeout: float, *, pragmas: tuple[str, ...], pool_size: int) -> Engine:
    # Mode rw: SQLite must never make the file itself, because it would do so with wider rights.
    address = f"{path.as_uri()}?mode=rw"

    def connect() -> sqlite3.Connection:
        # Isolation level None leaves BEGIN to this module, on every version of Python.
        connection = sqlite3.connect(
            address, uri=True, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            for pragma in ("foreign_keys = ON", *pragmas):
                connection.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            connection.close()
            raise
        return connection

    return create_engine(
        "sqlite+pysqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=busy_timeout,
        pool_use_lifo=True,
        hide_parameters=True,
    )
