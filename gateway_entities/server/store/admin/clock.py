"""Acceptance of a machine's clock after it has jumped."""

from __future__ import annotations

from gateway_entities.server.store.open import open_current_database
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors


def accept_clock(database: Database) -> int:
    """Declare the machine's clock to be right, for all servers of a store; running ones notice it within a second.

    Args:
        database: the store's unopened database.

    Returns:
        The accepted time, in milliseconds since the Unix epoch, UTC.

    Raises:
        GatewayError: FAILED_PRECONDITION (the store is on PostgreSQL, or its tables need an upgrade), and as ``open_store``.
    """
    open_current_database(database)
    with map_db_errors(), database.write() as connection:
        return database.clock.accept(connection)
