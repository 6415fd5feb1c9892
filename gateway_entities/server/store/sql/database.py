"""Interface of the databases, implemented by the modules sqlite and postgresql."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Connection

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql.clock import Clock

if TYPE_CHECKING:
    from gateway_entities.server.store.sql.revision_listener import RevisionListener
    from gateway_entities.server.store.sql.revision_probe import RevisionProbe


class DbError(NamedTuple):
    """A class of database errors, independent of the database.

    Attributes:
        code: the status.
        reason: the error's reason.
        message: the error's message, without SQL and stored values.
    """

    code: Code
    reason: str
    message: str

    def error(self) -> GatewayError:
        """Return it as a GatewayError."""
        return GatewayError(self.code, self.message, reason=self.reason)


UNIQUE_VIOLATION: Final = DbError(Code.ALREADY_EXISTS, "ID_TAKEN", "An entry with this identity already exists")
FOREIGN_KEY_VIOLATION: Final = DbError(Code.NOT_FOUND, "NOT_FOUND", "An entry that this one refers to does not exist")
BUSY: Final = DbError(Code.UNAVAILABLE, "STORE_BUSY", "The store is busy; try again later")
FULL: Final = DbError(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's disk is full")
IO_ERROR: Final = DbError(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's disk cannot be read or written")
READ_ONLY: Final = DbError(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store cannot be written to")
UNREACHABLE: Final = DbError(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's database cannot be reached")


class StatementTimeouts(NamedTuple):
    """Limits of the statements of a server, for databases that other programs can lock.

    Attributes:
        lock: maximum wait of a statement for a lock on rows or tables, in seconds.
        statement: maximum time of a statement, in seconds.
    """

    lock: float
    statement: float


class StoreSize(NamedTuple):
    """The size of a database.

    Attributes:
        used_bytes: of the rows and indexes; on PostgreSQL also of rows that were deleted and not vacuumed yet.
        free_bytes: inside the database's file, for later rows; 0 on PostgreSQL, where they are part of the used ones.
    """

    used_bytes: int
    free_bytes: int


class Database(ABC):
    """A database and its connections. Thread-safe.

    Attributes:
        location: its path or URL for messages, without a password.
        key_file: the default key file; None without a default.
        clock: the clock of the store.
    """

    location: str
    key_file: Path | None
    clock: Clock

    @abstractmethod
    def prepare(self, *, create: bool, new: bool = False) -> None:
        """Check that it is accessible. Called first.

        Args:
            create: create a missing SQLite file. Without it, a file on read-only media is opened for reading.
            new: create it even beside the key file or the write-ahead log of an earlier store.

        Raises:
            GatewayError: it is not accessible; the message has the cause without the location.
        """

    @abstractmethod
    def initialize(self) -> None:
        """Set the options that persist in the database. Called once it is known to be a store or empty.

        Raises:
            GatewayError: an option cannot be set.
        """

    @abstractmethod
    def read(self) -> AbstractContextManager[Connection]:
        """Open a read-only transaction on one snapshot."""

    @abstractmethod
    def write(self) -> AbstractContextManager[Connection]:
        """Open a write transaction; there is one at a time across all processes.

        It commits when the block ends, and rolls back on an exception.

        Raises:
            GatewayError: UNAVAILABLE, with a rollback; the database is not the opened one any more.
        """

    def report(self) -> AbstractContextManager[Connection]:
        """Open a transaction for what no other process writes. It waits for writers where the database has one at a time."""
        return self.write()

    def migrate(self) -> AbstractContextManager[Connection]:
        """Open the write transaction of a migration, which may rebuild referenced tables.

        Raises:
            GatewayError: DATA_LOSS at the end of the block, with a rollback; a foreign key is dangling.
        """
        return self.write()

    @abstractmethod
    def probe_write(self, version_table: str) -> None:
        """Commit a write without effect, over a connection of its own and hardly waiting for other writers.

        Args:
            version_table: a table with one row and the column ``version_num``.

        Raises:
            DBAPIError: the database cannot be written now.
        """

    @abstractmethod
    def dispose(self) -> None:
        """Close all idle connections."""

    @abstractmethod
    def explain_open_error(self, error: Exception) -> GatewayError | None:
        """Return the cause of an error while opening, without the location; None for an unrelated error."""

    @abstractmethod
    def sequences(self, connection: Connection) -> Mapping[str, int]:
        """Return the last generated id of each table with generated ids; 0 before the first."""

    @abstractmethod
    def set_sequence(self, connection: Connection, table: str, last: int) -> None:
        """Set the last generated id of a table."""

    @abstractmethod
    def integrity_errors(self, connection: Connection) -> Iterator[str]:
        """Yield the results of the database's own integrity check, without stored values."""

    @abstractmethod
    def size(self, connection: Connection) -> StoreSize:
        """Return the size of the database."""

    @abstractmethod
    def release(self, max_bytes: int) -> int:
        """Give free bytes back to the file system, up to ``max_bytes``; return their number. Writers wait meanwhile."""

    @abstractmethod
    def vacuum(self) -> None:
        """Rewrite the database without free bytes, and so that ``release`` works from now on.

        Writers wait meanwhile, on PostgreSQL readers too. It needs as much free disk space as the database has used bytes.
        """

    def revision(self) -> int | None:
        """Return the current revision if that needs no network round trip, otherwise None."""
        return None

    def revision_probe(self) -> RevisionProbe | None:
        """Return a probe that reads the revision over the network; None if ``revision`` returns it."""
        return None

    def revision_listener(self, notify: Callable[[], None]) -> RevisionListener | None:  # noqa: ARG002 - for others.
        """Call a function on the running event loop after commits of any process; return None if that is not possible."""
        return None

    @abstractmethod
    def ensure_present(self) -> None:
        """Check that the opened database is still the one at its location, which an open connection does not prove.

        Raises:
            GatewayError: UNAVAILABLE; it was moved, deleted or replaced.
        """

    @abstractmethod
    def require_unused(self) -> None:
        """Check that no server uses a deleted database of this location. Called before ``prepare``.

        Raises:
            GatewayError: FAILED_PRECONDITION; one does, or has crashed.
        """
