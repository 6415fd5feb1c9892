"""Budget windows and recorded charges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables, and the index for the policies of a charge."""
    op.create_index("ix_budget_policies_target", "budget_policies", ["target_scope", "target_value"])
    _budget_windows()
    _budget_charges()


def _budget_windows() -> None:
    op.create_table(
        "budget_windows",
        sa.Column("window_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("budget_policy_id", KEY, nullable=False),
        sa.Column("window_start", sa.BigInteger, nullable=False),
        sa.Column("window_end", sa.BigInteger, nullable=False),
        sa.Column("spend_micros", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("window_id", name="pk_budget_windows"),
        sa.UniqueConstraint("budget_policy_id", "window_end", name="uq_budget_windows_end"),
        sa.ForeignKeyConstraint(
            ["budget_policy_id"],
            ["budget_policies.budget_policy_id"],
            name="fk_budget_windows_budget_policy",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_budget_windows_end", "budget_windows", ["window_end"])


def _budget_charges() -> None:
    op.create_table(
        "budget_charges",
        sa.Column("request_id", KEY, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("window_ids", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_budget_charges"),
    )
    op.create_index("ix_budget_charges_recorded", "budget_charges", ["recorded_at"])
