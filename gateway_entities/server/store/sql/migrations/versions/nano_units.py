"""Spending in nano-units, 10^-9 of the policy's unit, instead of millionths."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

MOST = 2**63 - 1


def upgrade() -> None:
    """Multiply spending by 1000, up to the maximum of int64."""
    nanos = f"CASE WHEN spend_micros > {MOST // 1000} THEN {MOST} ELSE spend_micros * 1000 END"
    op.execute(f"UPDATE budget_windows SET spend_micros = {nanos}")  # noqa: S608 - constants.
    op.alter_column("budget_windows", "spend_micros", new_column_name="spend_nanos")
