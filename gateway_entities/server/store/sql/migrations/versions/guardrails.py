"""Guardrails, and which endpoints use them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "guardrails",
        sa.Column("guardrail_id", KEY, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scorer", sa.Boolean, nullable=False),
        sa.Column("scorer_experiment_id", sa.Integer),
        sa.Column("scorer_name", sa.Text),
        sa.Column("scorer_version", sa.Integer),
        sa.Column("serialized_scorer", sa.Text),
        sa.Column("scorer_creation_time", sa.BigInteger),
        sa.Column("scorer_id", sa.Text),
        sa.Column("stage", sa.Integer),
        sa.Column("action", sa.Integer),
        sa.Column("action_endpoint_id", KEY),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_updated_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("last_updated_by", sa.Text),
        sa.PrimaryKeyConstraint("guardrail_id", name="pk_guardrails"),
        sa.ForeignKeyConstraint(
            ["action_endpoint_id"], ["endpoints.endpoint_id"], name="fk_guardrails_action_endpoint", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_guardrails_created", "guardrails", ["created_at", "guardrail_id"])
    op.create_index("ix_guardrails_action_endpoint", "guardrails", ["action_endpoint_id", "created_at", "guardrail_id"])
    op.create_table(
        "guardrail_configs",
        sa.Column("endpoint_id", KEY, nullable=False),
        sa.Column("guardrail_id", KEY, nullable=False),
        sa.Column("execution_order", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.PrimaryKeyConstraint("endpoint_id", "guardrail_id", name="pk_guardrail_configs"),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.endpoint_id"], name="fk_guardrail_configs_endpoint", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["guardrail_id"], ["guardrails.guardrail_id"], name="fk_guardrail_configs_guardrail", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_guardrail_configs_created", "guardrail_configs", ["created_at", "endpoint_id", "guardrail_id"])
    op.create_index("ix_guardrail_configs_guardrail", "guardrail_configs", ["guardrail_id", "created_at", "endpoint_id"])
