"""What Alembic runs: the steps go over the connection, and in the transaction, of whoever opens the store."""

from __future__ import annotations

from alembic import context

from gateway_entities.server.store.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can roll back a change of tables; Alembic assumes that it cannot.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
