"""The clock of a store on PostgreSQL."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql.clock import Clock

NOW_MS: Final = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
"""The current time, in milliseconds since the Unix epoch, as an SQL expression."""
LOCKED_AT: Final = "locked_at"
"""The entry of a connection's ``info`` with the time at which its write transaction got its lock."""
_READ_CLOCK: Final = text(f"SELECT {NOW_MS}")


class DatabaseClock(Clock):
    """The clock of the database, the same for all servers, whatever their own clocks say."""

    def now(self, connection: Connection) -> int:
        """Return the time at which a write transaction got its lock; the current time in a read-only one."""
        # Readers have connections of their own, without an entry.
        locked_at: int | None = connection.info.get(LOCKED_AT)
        return connection.execute(_READ_CLOCK).scalar_one() if locked_at is None else locked_at

    def check(self, connection: Connection) -> None:
        """Do nothing: the database's clock is trusted."""

    def record(self, connection: Connection) -> None:
        """Do nothing: there is nothing to compare with."""

    def accept(self, connection: Connection) -> int:  # noqa: ARG002 - the same for all.
        """Raise FAILED_PRECONDITION."""
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            "The clock of a store on PostgreSQL is the database's, and is never refused; there is nothing to accept",
            reason="NO_CLOCK",
        )
