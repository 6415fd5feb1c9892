"""The spending ledger: limits and reservations of windows, alerts, corrections, and spending by day."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOST = 2**63 - 1
CAUSES = ("record", "commit", "reserve", "amount", "adjust")


def upgrade() -> None:
    """Create the tables and columns. What a window has spent beyond its limit was recorded."""
    zero = sa.text("0")
    op.add_column("budget_windows", sa.Column("reserved_nanos", sa.BigInteger, nullable=False, server_default=zero))
    op.add_column("budget_windows", sa.Column("limit_nanos", sa.BigInteger))
    op.add_column("budget_windows", sa.Column("alerted_percent", sa.Integer, nullable=False, server_default=zero))
    for cause in CAUSES:
        column = sa.Column(f"overrun_{cause}", sa.BigInteger, nullable=False, server_default=zero)
        op.add_column("budget_windows", column)
    op.add_column("changes", sa.Column("spend_adjustment", sa.LargeBinary))
    _set_limits()
    _reservations()
    op.create_table(
        "spend_alerts",
        sa.Column("alert_id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("source", KEY),
        sa.PrimaryKeyConstraint("alert_id", name="pk_spend_alerts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_spend_alerts_raised", "spend_alerts", ["raised_at"])
    op.create_index("ix_spend_alerts_source", "spend_alerts", ["source"])
    op.create_table(
        "spend_days",
        sa.Column("day_start", sa.BigInteger, nullable=False),
        sa.Column("endpoint_id", KEY, nullable=False),
        sa.Column("user_name", KEY, nullable=False),
        sa.Column("budget_unit", sa.Integer, nullable=False),
        sa.Column("spend_nanos", sa.BigInteger, nullable=False),
        sa.Column("charges", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day_start", "endpoint_id", "user_name", "budget_unit", name="pk_spend_days"),
    )


def _reservations() -> None:
    op.create_table(
        "budget_reservations",
        sa.Column("reservation_id", KEY, nullable=False),
        sa.Column("request_id", KEY, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("endpoint_id", KEY, nullable=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("user_name", sa.Text),
        sa.Column("actor", sa.Text),
        sa.Column("budget_unit", sa.Integer, nullable=False),
        sa.Column("amount_nanos", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("recorded_nanos", sa.BigInteger),
        sa.Column("held", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("reservation_id", name="pk_budget_reservations"),
        sa.UniqueConstraint("request_id", name="uq_budget_reservations_request"),
    )
    op.create_index("ix_budget_reservations_settled", "budget_reservations", ["settled_at", "expires_at"])


def _set_limits() -> None:
    connection = op.get_bind()
    update = sa.text("UPDATE budget_windows SET limit_nanos = :nanos, overrun_record = :overrun WHERE window_id = :id")
    windows = connection.execute(
        sa.text(
            "SELECT window_id, spend_nanos, budget_amount FROM budget_windows JOIN budget_policies "
            "ON budget_policies.budget_policy_id = budget_windows.budget_policy_id"
        )
    )
    for window_id, spent, amount in windows.all():
        nanos = int(Decimal(repr(float(amount))).scaleb(9).to_integral_value(ROUND_FLOOR))
        if nanos <= MOST:
            connection.execute(update, {"nanos": nanos, "overrun": max(spent - nanos, 0), "id": window_id})
