"""The tables, the same on SQLite and PostgreSQL.

NULL means absent; an empty string is a value. Times are milliseconds since the Unix epoch, UTC. Enums are stored as
numbers, including unknown ones. Every constraint has a name, which identifies violations. Lengths are limited by the rules
of the contract, not by the tables.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from gateway_entities.server.store.sql.budget_schema import (
    budget_charges,
    budget_policies,
    budget_reservations,
    budget_windows,
    spend_alerts,
    spend_days,
)
from gateway_entities.server.store.sql.table_base import Key, metadata

__all__ = [
    "budget_charges",
    "budget_policies",
    "budget_reservations",
    "budget_windows",
    "metadata",
    "spend_alerts",
    "spend_days",
]
"""What is defined in other modules."""

REVISION: Final = "0015"
"""The migration that leads to these tables, the last in migrations/versions/."""
CHANNEL: Final = "gateway_entities"
"""The channel of PostgreSQL's notifications of new revisions, for the stores of all schemas of a database."""

SECRET_NAME = UniqueConstraint("secret_name", name="uq_secrets_secret_name")

secrets = Table(
    "secrets",
    metadata,
    Column("secret_id", Key, nullable=False),
    Column("secret_name", Key, nullable=False),
    Column("provider", Key),
    # JSON objects as text, because a database's own JSON type would reorder their keys.
    Column("masked_values", Text, nullable=False),
    Column("auth_config", Text, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    # Version of the ciphertext's associated data: 1 is id and name, 2 is also provider and api_base.
    Column("envelope_version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("created_by", Text),
    Column("last_updated_by", Text),
    PrimaryKeyConstraint("secret_id", name="pk_secrets"),
    SECRET_NAME,
    Index("ix_secrets_created", "created_at", "secret_id"),
    Index("ix_secrets_provider", "provider", "created_at", "secret_id"),
    Index("ix_secrets_key", "key_id"),
)

# The store itself, in one row that no clean-up deletes or resets.
store_state = Table(
    "store_state",
    metadata,
    # Random; a new one when the store is created, and when a backup is restored into it.
    Column("store_id", Key, nullable=False),
    # The revision of the last mutation, also after the change log has been pruned.
    Column("last_revision", BigInteger, nullable=False),
    # Whether a token was ever created. Such a store requires tokens, also after the last one has been deleted.
    Column("has_had_token", Boolean, nullable=False),
    PrimaryKeyConstraint("store_id", name="pk_store_state"),
)

# Data keys of the store itself, as opposed to those of secrets.
wrapped_keys = Table(
    "wrapped_keys",
    metadata,
    # Its purpose.
    Column("name", Key, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    PrimaryKeyConstraint("name", name="pk_wrapped_keys"),
)

MODEL_DEFINITION_NAME = UniqueConstraint("name", name="uq_model_definitions_name")

model_definitions = Table(
    "model_definitions",
    metadata,
    Column("model_definition_id", Key, nullable=False),
    Column("name", Key, nullable=False),
    Column("secret_id", Key),
    Column("provider", Key, nullable=False),
    Column("model_name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("created_by", Text),
    Column("last_updated_by", Text),
    PrimaryKeyConstraint("model_definition_id", name="pk_model_definitions"),
    MODEL_DEFINITION_NAME,
    ForeignKeyConstraint(["secret_id"], ["secrets.secret_id"], name="fk_model_definitions_secret", ondelete="SET NULL"),
    Index("ix_model_definitions_created", "created_at", "model_definition_id"),
    Index("ix_model_definitions_provider", "provider", "created_at", "model_definition_id"),
    Index("ix_model_definitions_secret", "secret_id", "created_at", "model_definition_id"),
)

ENDPOINT_NAME = UniqueConstraint("name", name="uq_endpoints_name")

endpoints = Table(
    "endpoints",
    metadata,
    Column("endpoint_id", Key, nullable=False),
    Column("name", Key, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("created_by", Text),
    Column("last_updated_by", Text),
    Column("routing_strategy", Integer),
    # Whether fallback_config is present; it may have no fields.
    Column("fallback_config", Boolean, nullable=False),
    Column("fallback_strategy", Integer),
    Column("fallback_max_attempts", Integer),
    Column("experiment_id", Text),
    Column("usage_tracking", Boolean),
    PrimaryKeyConstraint("endpoint_id", name="pk_endpoints"),
    ENDPOINT_NAME,
    Index("ix_endpoints_created", "created_at", "endpoint_id"),
)

MAPPING_LINKAGE = UniqueConstraint(
    "endpoint_id", "model_definition_id", "linkage_type", name="uq_endpoint_mappings_definition_linkage"
)

endpoint_mappings = Table(
    "endpoint_mappings",
    metadata,
    Column("mapping_id", Key, nullable=False),
    Column("endpoint_id", Key, nullable=False),
    Column("model_definition_id", Key, nullable=False),
    # Order of attachment within the endpoint, with gaps.
    Column("position", Integer, nullable=False),
    Column("weight", Double),
    Column("linkage_type", Integer, nullable=False),
    Column("fallback_order", Integer),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text),
    PrimaryKeyConstraint("mapping_id", name="pk_endpoint_mappings"),
    MAPPING_LINKAGE,
    UniqueConstraint("endpoint_id", "position", name="uq_endpoint_mappings_position"),
    ForeignKeyConstraint(
        ["endpoint_id"], ["endpoints.endpoint_id"], name="fk_endpoint_mappings_endpoint", ondelete="CASCADE"
    ),
    # No action: a definition in use cannot be deleted.
    ForeignKeyConstraint(
        ["model_definition_id"], ["model_definitions.model_definition_id"], name="fk_endpoint_mappings_model_definition"
    ),
    Index("ix_endpoint_mappings_model_definition", "model_definition_id", "endpoint_id"),
)

endpoint_tags = Table(
    "endpoint_tags",
    metadata,
    Column("endpoint_id", Key, nullable=False),
    Column("key", Key, nullable=False),
    Column("value", Text),
    # Order of the first set within the endpoint, with gaps.
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("endpoint_id", "key", name="pk_endpoint_tags"),
    UniqueConstraint("endpoint_id", "position", name="uq_endpoint_tags_position"),
    ForeignKeyConstraint(["endpoint_id"], ["endpoints.endpoint_id"], name="fk_endpoint_tags_endpoint", ondelete="CASCADE"),
)

bindings = Table(
    "bindings",
    metadata,
    Column("endpoint_id", Key, nullable=False),
    Column("resource_type", Key, nullable=False),
    Column("resource_id", Key, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("created_by", Text),
    Column("last_updated_by", Text),
    Column("display_name", Text),
    PrimaryKeyConstraint("endpoint_id", "resource_type", "resource_id", name="pk_bindings"),
    ForeignKeyConstraint(["endpoint_id"], ["endpoints.endpoint_id"], name="fk_bindings_endpoint", ondelete="CASCADE"),
    Index("ix_bindings_created", "created_at", "endpoint_id", "resource_type", "resource_id"),
    Index("ix_bindings_endpoint", "endpoint_id", "created_at", "resource_type", "resource_id"),
    Index("ix_bindings_resource_type", "resource_type", "created_at", "endpoint_id", "resource_id"),
    Index("ix_bindings_resource", "resource_id", "created_at", "endpoint_id", "resource_type"),
)

guardrails = Table(
    "guardrails",
    metadata,
    Column("guardrail_id", Key, nullable=False),
    # Not unique.
    Column("name", Text, nullable=False),
    # Whether the scorer is present; it may have no fields.
    Column("scorer", Boolean, nullable=False),
    Column("scorer_experiment_id", Integer),
    Column("scorer_name", Text),
    Column("scorer_version", Integer),
    Column("serialized_scorer", Text),
    Column("scorer_creation_time", BigInteger),
    Column("scorer_id", Text),
    Column("stage", Integer),
    Column("action", Integer),
    Column("action_endpoint_id", Key),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("created_by", Text),
    Column("last_updated_by", Text),
    PrimaryKeyConstraint("guardrail_id", name="pk_guardrails"),
    ForeignKeyConstraint(
        ["action_endpoint_id"], ["endpoints.endpoint_id"], name="fk_guardrails_action_endpoint", ondelete="SET NULL"
    ),
    Index("ix_guardrails_created", "created_at", "guardrail_id"),
    Index("ix_guardrails_action_endpoint", "action_endpoint_id", "created_at", "guardrail_id"),
)

guardrail_configs = Table(
    "guardrail_configs",
    metadata,
    Column("endpoint_id", Key, nullable=False),
    Column("guardrail_id", Key, nullable=False),
    Column("execution_order", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text),
    PrimaryKeyConstraint("endpoint_id", "guardrail_id", name="pk_guardrail_configs"),
    ForeignKeyConstraint(
        ["endpoint_id"], ["endpoints.endpoint_id"], name="fk_guardrail_configs_endpoint", ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["guardrail_id"], ["guardrails.guardrail_id"], name="fk_guardrail_configs_guardrail", ondelete="CASCADE"
    ),
    Index("ix_guardrail_configs_created", "created_at", "endpoint_id", "guardrail_id"),
    Index("ix_guardrail_configs_guardrail", "guardrail_id", "created_at", "endpoint_id"),
)

changes = Table(
    "changes",
    metadata,
    # 1, 2, 3, ... without gaps, in commit order.
    Column("revision", BigInteger, nullable=False, autoincrement=False),
    # 0 is the effect on the requested resource, followed by those on others.
    Column("position", Integer, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("actor", Text),
    Column("rpc", Text, nullable=False),
    Column("noun", Key, nullable=False),
    Column("id", Key, nullable=False),
    Column("etag_before", Text),
    Column("etag_after", Text),
    # Encoded resource before the mutation. The one after it is that before the next mutation, or the current one.
    Column("before", LargeBinary),
    # Whether that is only the difference from the state after the mutation.
    Column("is_difference", Boolean, nullable=False, server_default=false()),
    # Name of the resource after the mutation; before it if it was deleted.
    Column("name", Key),
    # The fields that changed, as an encoded GatewayChangeEffect that has no more.
    Column("fields", LargeBinary),
    # Owners, where the mutation changed them; both NULL elsewhere.
    Column("owner_before", Text),
    Column("owner_after", Text),
    # Encoded GatewaySpendAdjustment.
    Column("spend_adjustment", LargeBinary),
    PrimaryKeyConstraint("revision", "position", name="pk_changes"),
    Index("ix_changes_thing", "noun", "revision"),
    Index("ix_changes_name", "name", "revision"),
)

# The configurations that own resources.
resource_owners = Table(
    "resource_owners",
    metadata,
    Column("noun", Key, nullable=False),
    # No reference, because the nouns have tables of their own.
    Column("id", Key, nullable=False),
    Column("owner", Key, nullable=False),
    PrimaryKeyConstraint("noun", "id", name="pk_resource_owners"),
)

stored_responses = Table(
    "answers",
    metadata,
    Column("request_id", Key, nullable=False),
    # Keyed digest of the request, to recognize a repeat without revealing a secret.
    Column("content", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("answered_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("request_id", name="pk_answers"),
    Index("ix_answers_answered", "answered_at"),
)

tokens = Table(
    "tokens",
    metadata,
    # Part of the token's text.
    Column("token_id", Key, nullable=False),
    # Actor of its requests.
    Column("name", Key, nullable=False),
    # One bit for each scope; those that another scope includes are set too.
    Column("scope", Integer, nullable=False),
    # SHA-256 of the token's text, which has 256 random bits.
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    # Ended tokens stay for a while, for the list of tokens.
    Column("revoked_at", BigInteger),
    # JSON array of the names of the endpoints that it is limited to; NULL for all.
    Column("endpoints", Text),
    # JSON array of the owners whose configurations it is limited to; NULL for all.
    Column("owners", Text),
    PrimaryKeyConstraint("token_id", name="pk_tokens"),
)

# Who received the value of which secret.
secret_accesses = Table(
    "secret_accesses",
    metadata,
    Column("access_id", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True, nullable=False),
    # No references: accesses outlive secrets and endpoints.
    Column("secret_id", Key, nullable=False),
    Column("endpoint_id", Key, nullable=False),
    # Name of the token.
    Column("actor", Key, nullable=False),
    Column("accessed_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("access_id", name="pk_secret_accesses"),
    Index("ix_secret_accesses_secret", "secret_id", "access_id"),
    Index("ix_secret_accesses_time", "accessed_at"),
    sqlite_autoincrement=True,
)
Index(
    "ix_tokens_name",
    tokens.c.name,
    unique=True,
    sqlite_where=tokens.c.revoked_at.is_(None),
    postgresql_where=tokens.c.revoked_at.is_(None),
)

# What the nodes of each server have applied.
node_reports = Table(
    "node_reports",
    metadata,
    # Random, new at each start of a server.
    Column("server_id", Key, nullable=False),
    Column("store_id", Key, nullable=False),
    # Increases with each report of the server.
    Column("sequence", BigInteger, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    # JSON.
    Column("nodes", Text, nullable=False),
    PrimaryKeyConstraint("server_id", name="pk_node_reports"),
)

# One row on SQLite, none on PostgreSQL.
clock = Table(
    "clock",
    metadata,
    # Of the machine's last boot during which the store was written; "" if unknown.
    Column("boot_id", Key, nullable=False),
    # Time of the wall clock at which the boot clock was 0.
    Column("booted_at", BigInteger, nullable=False),
    # Rows up to this time may be ahead of the clock.
    Column("accepted_until", BigInteger, nullable=False),
    PrimaryKeyConstraint("boot_id", name="pk_clock"),
)
