"""The change log and the stored responses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "changes",
        sa.Column("revision", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("rpc", sa.Text, nullable=False),
        sa.Column("noun", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("etag_before", sa.Text),
        sa.Column("etag_after", sa.Text),
        sa.Column("before", sa.LargeBinary),
        sa.PrimaryKeyConstraint("revision", "position", name="pk_changes"),
    )
    op.create_index("ix_changes_thing", "changes", ["noun", "revision"])
    remembered = sa.text('"before" IS NOT NULL')
    op.create_index("ix_changes_remembered", "changes", ["changed_at"], sqlite_where=remembered, postgresql_where=remembered)
    op.create_table(
        "answers",
        sa.Column("request_id", KEY, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("response", sa.LargeBinary, nullable=False),
        sa.Column("answered_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_answers"),
    )
    op.create_index("ix_answers_answered", "answers", ["answered_at"])
