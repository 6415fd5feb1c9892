"""Data keys of the store itself, and an index on the key of secrets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table and the index. The table's row is added when the store is opened with a key."""
    op.create_index("ix_secrets_key", "secrets", ["key_id"])
    op.create_table(
        "wrapped_keys",
        sa.Column("name", KEY, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_wrapped_keys"),
    )
