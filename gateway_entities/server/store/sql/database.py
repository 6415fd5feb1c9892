"""What a store needs of the database that it is kept in. A module for each kind holds all that is particular to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Connection

from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    from gateway_entities.server.store.sql.revision_probe import RevisionProbe


class Fault(NamedTuple):
    """What a report of a database means to a caller, whatever the database. It holds no SQL and no stored value.

    Attributes:
        code: the status.
        reason: the error's reason.
        message: the error's message.
    """

    code: Code
    reason: str
    message: str

    def error(self) -> GatewayError:
        """Return the error."""
        return GatewayError(self.code, self.message, reason=self.reason)


UNIQUE_VIOLATION: Final = Fault(Code.ALREADY_EXISTS, "ID_TAKEN", "An entry with this identity already exists")
FOREIGN_KEY_VIOLATION: Final = Fault(Code.NOT_FOUND, "NOT_FOUND", "An entry that this one refers to does not exist")
BUSY: Final = Fault(Code.UNAVAILABLE, "STORE_BUSY", "The store is busy; try again later")
FULL: Final = Fault(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's disk is full")
IO_ERROR: Final = Fault(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's disk cannot be read or written")
READ_ONLY: Final = Fault(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store cannot be written to")
UNREACHABLE: Final = Fault(Code.UNAVAILABLE, "STORE_UNAVAILABLE", "The store's database cannot be reached")


class Database(ABC):
    """One database, and the connections to it. Safe to use from many threads.

    Attributes:
        place: where it is, for people to read; it never holds a password.
        key_file: the key file that goes with it when none is named; None where a key must be named.
    """

    place: str
    key_file: Path | None

    @abstractmethod
    def prepare(self, *, create: bool) -> None:
        """Check that it can be used, before anything else is done with it.

        Args:
            create: make it where it can be made and does not exist.

        Raises:
            GatewayError: it cannot be used; the message says why, without naming it.
        """

    @abstractmethod
    def settle(self) -> None:
        """Bring it into the form that is written to; called once it is known not to belong to another program.

        Raises:
            GatewayError: it cannot have this form.
        """

    @abstractmethod
    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one state of the database and cannot change it."""

    @abstractmethod
    def write(self) -> AbstractContextManager[Connection]:
        """Open the transaction that may change the database: of all processes, one at a time has it.

        It is kept when the block ends, and undone by an exception.
        """

    def migrate(self) -> AbstractContextManager[Connection]:
        """Open the write transaction of a migration, in which tables that others refer to can be rebuilt.

        Raises:
            GatewayError: DATA_LOSS at the end of the block when a row refers to one that does not exist; nothing is changed.
        """
        return self.write()

    @abstractmethod
    def dispose(self) -> None:
        """Close every connection that is not in use."""

    @abstractmethod
    def explain(self, error: Exception) -> GatewayError | None:
        """Return why a fault keeps it from being opened, without naming it; None when that is not what the fault is."""

    @abstractmethod
    def sequences(self, connection: Connection) -> Mapping[str, int]:
        """Return the last number that was given to a row of each table whose rows are numbered, 0 for none yet."""

    @abstractmethod
    def set_sequence(self, connection: Connection, table: str, last: int) -> None:
        """Let the next row of a table whose rows are numbered get a number above this one."""

    @abstractmethod
    def damages(self, connection: Connection) -> Iterator[str]:
        """Yield what the database itself finds damaged in its structure, a sentence for each, without any value."""

    def revision(self) -> int | None:
        """Return the revision of the last change, if that takes no longer than reading a file; None otherwise."""
        return None

    def revision_probe(self) -> RevisionProbe | None:
        """Return what asks for the revision over a network, on an event loop; None where ``revision`` tells it."""
        return None

    @abstractmethod
    def ensure_present(self) -> None:
        """Check what an open connection does not tell: that the database is still where others look for it.

        Raises:
            GatewayError: UNAVAILABLE when it is not.
        """
