"""Access tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "tokens",
        sa.Column("token_id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("scope", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("token_id", name="pk_tokens"),
    )
    valid = sa.text("revoked_at IS NULL")
    op.create_index("ix_tokens_name", "tokens", ["name"], unique=True, sqlite_where=valid, postgresql_where=valid)
