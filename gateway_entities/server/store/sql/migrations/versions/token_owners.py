"""Tokens for the configurations of named owners."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the column. The tokens so far are for all owners."""
    op.add_column("tokens", sa.Column("owners", sa.Text))
