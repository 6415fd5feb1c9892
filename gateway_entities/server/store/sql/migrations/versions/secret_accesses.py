"""Sets of scopes, tokens for named endpoints, and the accesses to secrets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column and the table, and convert levels 1 to 3 (read, write, admin) to one bit for each scope."""
    op.execute("UPDATE tokens SET scope = CASE scope WHEN 3 THEN 7 WHEN 2 THEN 3 ELSE scope END")
    op.add_column("tokens", sa.Column("endpoints", sa.Text))
    op.create_table(
        "secret_accesses",
        sa.Column("access_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("secret_id", KEY, nullable=False),
        sa.Column("endpoint_id", KEY, nullable=False),
        sa.Column("actor", KEY, nullable=False),
        sa.Column("accessed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("access_id", name="pk_secret_accesses"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_secret_accesses_secret", "secret_accesses", ["secret_id", "access_id"])
    op.create_index("ix_secret_accesses_time", "secret_accesses", ["accessed_at"])
