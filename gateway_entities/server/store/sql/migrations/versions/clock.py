"""The relation of a machine's clocks, by which a SQLite store recognizes that the wall clock was set."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table. Its row is added when the store is opened."""
    op.create_table(
        "clock",
        sa.Column("boot_id", KEY, nullable=False),
        sa.Column("booted_at", sa.BigInteger, nullable=False),
        sa.Column("accepted_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("boot_id", name="pk_clock"),
    )
