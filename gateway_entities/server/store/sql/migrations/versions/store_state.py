"""The row of the store itself, and the version of the associated data of secrets."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table with its row, and add the column."""
    op.add_column("secrets", sa.Column("envelope_version", sa.Integer, nullable=False, server_default=sa.text("1")))
    state = op.create_table(
        "store_state",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("last_revision", sa.BigInteger, nullable=False),
        sa.Column("has_had_token", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("store_id", name="pk_store_state"),
    )
    connection = op.get_bind()
    last = connection.execute(sa.text("SELECT coalesce(max(revision), 0) FROM changes")).scalar_one()
    has_token = connection.execute(sa.text("SELECT count(*) FROM tokens")).scalar_one() > 0
    row = {"store_id": uuid.uuid4().hex, "last_revision": last, "has_had_token": has_token}
    connection.execute(sa.insert(state).values(row))
