"""Owners of resources, and what the change log tells of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table and the columns. States before a change now stay as long as the change."""
    op.create_table(
        "resource_owners",
        sa.Column("noun", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("owner", KEY, nullable=False),
        sa.PrimaryKeyConstraint("noun", "id", name="pk_resource_owners"),
    )
    op.add_column("changes", sa.Column("name", KEY))
    op.add_column("changes", sa.Column("fields", sa.LargeBinary))
    op.add_column("changes", sa.Column("owner_before", sa.Text))
    op.add_column("changes", sa.Column("owner_after", sa.Text))
    op.create_index("ix_changes_name", "changes", ["name", "revision"])
    op.drop_index("ix_changes_remembered", "changes")
