"""Alembic environment: migrations use the connection and transaction of the caller."""

from __future__ import annotations

from alembic import context

from gateway_entities.server.store.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite has transactional DDL, contrary to Alembic's default.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
