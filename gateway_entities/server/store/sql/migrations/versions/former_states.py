"""Former states as differences from the states that followed them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; the stored states are whole."""
    op.add_column("changes", sa.Column("is_difference", sa.Boolean, nullable=False, server_default=sa.false()))
