"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables, referenced tables first."""
    _secrets()
    _model_definitions()
    _endpoints()
    _endpoint_mappings()
    _endpoint_tags()
    _bindings()
    _budget_policies()


def _secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("secret_id", KEY, nullable=False),
        sa.Column("secret_name", KEY, nullable=False),
        sa.Column("provider", KEY),
        sa.Column("masked_values", sa.Text, nullable=False),
        sa.Column("auth_config", sa.Text, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_updated_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("last_updated_by", sa.Text),
        sa.PrimaryKeyConstraint("secret_id", name="pk_secrets"),
        sa.UniqueConstraint("secret_name", name="uq_secrets_secret_name"),
    )
    op.create_index("ix_secrets_created", "secrets", ["created_at", "secret_id"])
    op.create_index("ix_secrets_provider", "secrets", ["provider", "created_at", "secret_id"])


def _model_definitions() -> None:
    op.create_table(
        "model_definitions",
        sa.Column("model_definition_id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("secret_id", KEY),
        sa.Column("provider", KEY, nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_updated_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("last_updated_by", sa.Text),
        sa.PrimaryKeyConstraint("model_definition_id", name="pk_model_definitions"),
        sa.UniqueConstraint("name", name="uq_model_definitions_name"),
        sa.ForeignKeyConstraint(
            ["secret_id"], ["secrets.secret_id"], name="fk_model_definitions_secret", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_model_definitions_created", "model_definitions", ["created_at", "model_definition_id"])
    op.create_index("ix_model_definitions_provider", "model_definitions", ["provider", "created_at", "model_definition_id"])
    op.create_index("ix_model_definitions_secret", "model_definitions", ["secret_id", "created_at", "model_definition_id"])


def _endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("endpoint_id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_updated_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("last_updated_by", sa.Text),
        sa.Column("routing_strategy", sa.Integer),
        sa.Column("fallback_config", sa.Boolean, nullable=False),
        sa.Column("fallback_strategy", sa.Integer),
        sa.Column("fallback_max_attempts", sa.Integer),
        sa.Column("experiment_id", sa.Text),
        sa.Column("usage_tracking", sa.Boolean),
        sa.PrimaryKeyConstraint("endpoint_id", name="pk_endpoints"),
        sa.UniqueConstraint("name", name="uq_endpoints_name"),
    )
    op.create_index("ix_endpoints_created", "endpoints", ["created_at", "endpoint_id"])


def _endpoint_mappings() -> None:
    op.create_table(
        "endpoint_mappings",
        sa.Column("mapping_id", KEY, nullable=False),
        sa.Column("endpoint_id", KEY, nullable=False),
        sa.Column("model_definition_id", KEY, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("weight", sa.Double),
        sa.Column("linkage_type", sa.Integer, nullable=False),
        sa.Column("fallback_order", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.PrimaryKeyConstraint("mapping_id", name="pk_endpoint_mappings"),
        sa.UniqueConstraint(
            "endpoint_id", "model_definition_id", "linkage_type", name="uq_endpoint_mappings_definition_linkage"
        ),
        sa.UniqueConstraint("endpoint_id", "position", name="uq_endpoint_mappings_position"),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.endpoint_id"], name="fk_endpoint_mappings_endpoint", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["model_definition_id"], ["model_definitions.model_definition_id"], name="fk_endpoint_mappings_model_definition"
        ),
    )
    op.create_index("ix_endpoint_mappings_model_definition", "endpoint_mappings", ["model_definition_id", "endpoint_id"])


def _endpoint_tags() -> None:
    op.create_table(
        "endpoint_tags",
        sa.Column("endpoint_id", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("endpoint_id", "key", name="pk_endpoint_tags"),
        sa.UniqueConstraint("endpoint_id", "position", name="uq_endpoint_tags_position"),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.endpoint_id"], name="fk_endpoint_tags_endpoint", ondelete="CASCADE"
        ),
    )


def _bindings() -> None:
    op.create_table(
        "bindings",
        sa.Column("endpoint_id", KEY, nullable=False),
        sa.Column("resource_type", KEY, nullable=False),
        sa.Column("resource_id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_updated_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("last_updated_by", sa.Text),
        sa.Column("display_name", sa.Text),
        sa.PrimaryKeyConstraint("endpoint_id", "resource_type", "resource_id", name="pk_bindings"),
        sa.ForeignKeyConstraint(["endpoint_id"], ["endpoints.endpoint_id"], name="fk_bindings_endpoint", ondelete="CASCADE"),
    )
    op.create_index("ix_bindings_created", "bindings", ["created_at", "endpoint_id", "resource_type", "resource_id"])
    op.create_index("ix_bindings_endpoint", "bindings", ["endpoint_id", "created_at", "resource_type", "resource_id"])
    op.create_index("ix_bindings_resource_type", "bindings", ["resource_type", "created_at", "endpoint_id", "resource_id"])
    op.create_index("ix_bindings_resource", "bindings", ["resource_id", "created_at", "endpoint_id", "resource_type"])


def _budget_policies() -> None:
    op.create_table(
        "budget_policies",
        sa.Column("budget_policy_id", KEY, nullable=False),
        sa.Column("budget_unit", sa.Integer, nullable=False),
        sa.Column("budget_amount", sa.Double, nullable=False),
        sa.Column("duration_unit", sa.Integer, nullable=False),
        sa.Column("duration_value", sa.Integer, nullable=False),
        sa.Column("target_scope", sa.Integer, nullable=False),
        sa.Column("budget_action", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_updated_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("last_updated_by", sa.Text),
        sa.Column("target_value", sa.Text),
        sa.Column("endpoint_id", KEY),
        sa.PrimaryKeyConstraint("budget_policy_id", name="pk_budget_policies"),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.endpoint_id"], name="fk_budget_policies_endpoint", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_budget_policies_created", "budget_policies", ["created_at", "budget_policy_id"])
    op.create_index("ix_budget_policies_endpoint", "budget_policies", ["endpoint_id"])
