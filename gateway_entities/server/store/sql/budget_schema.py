"""The tables of budgets and spending; schema.py says what all tables have in common."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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
    text,
)

from gateway_entities.server.store.sql.table_base import Key, metadata

budget_policies = Table(
    "budget_policies",
    metadata,
    Column("budget_policy_id", Key, nullable=False),
    Column("budget_unit", Integer, nullable=False),
    Column("budget_amount", Double, nullable=False),
    Column("duration_unit", Integer, nullable=False),
    Column("duration_value", Integer, nullable=False),
    Column("target_scope", Integer, nullable=False),
    Column("budget_action", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("created_by", Text),
    Column("last_updated_by", Text),
    Column("target_value", Text),
    # Copy of target_value for ENDPOINT scope, so that the policy is deleted with its endpoint.
    Column("endpoint_id", Key),
    PrimaryKeyConstraint("budget_policy_id", name="pk_budget_policies"),
    ForeignKeyConstraint(["endpoint_id"], ["endpoints.endpoint_id"], name="fk_budget_policies_endpoint", ondelete="CASCADE"),
    Index("ix_budget_policies_created", "created_at", "budget_policy_id"),
    Index("ix_budget_policies_endpoint", "endpoint_id"),
    Index("ix_budget_policies_target", "target_scope", "target_value"),
)

budget_windows = Table(
    "budget_windows",
    metadata,
    # Never reused, because charges refer to deleted windows for a while.
    Column("window_id", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True, nullable=False),
    Column("budget_policy_id", Key, nullable=False),
    Column("window_start", BigInteger, nullable=False),
    Column("window_end", BigInteger, nullable=False),
    # Nano-units: 10^-9 of the policy's unit.
    Column("spend_nanos", BigInteger, nullable=False),
    Column("reserved_nanos", BigInteger, nullable=False, server_default=text("0")),
    # NULL for a limit above the maximum of the column, which is never reached.
    Column("limit_nanos", BigInteger),
    # The highest share of the limit, in percent, of which there is an alert; 0 for none.
    Column("alerted_percent", Integer, nullable=False, server_default=text("0")),
    # Parts of the overrun by cause.
    Column("overrun_record", BigInteger, nullable=False, server_default=text("0")),
    Column("overrun_commit", BigInteger, nullable=False, server_default=text("0")),
    Column("overrun_reserve", BigInteger, nullable=False, server_default=text("0")),
    Column("overrun_amount", BigInteger, nullable=False, server_default=text("0")),
    Column("overrun_adjust", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("window_id", name="pk_budget_windows"),
    # By end, because look-ups by time then skip the past windows of a policy.
    UniqueConstraint("budget_policy_id", "window_end", name="uq_budget_windows_end"),
    ForeignKeyConstraint(
        ["budget_policy_id"],
        ["budget_policies.budget_policy_id"],
        name="fk_budget_windows_budget_policy",
        ondelete="CASCADE",
    ),
    Index("ix_budget_windows_end", "window_end"),
    sqlite_autoincrement=True,
)

budget_charges = Table(
    "budget_charges",
    metadata,
    Column("request_id", Key, nullable=False),
    # Digest of the charge, to recognize a repeat without storing endpoint and user.
    Column("content", LargeBinary, nullable=False),
    # Ids of the windows it was added to, as a JSON array.
    Column("window_ids", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("request_id", name="pk_budget_charges"),
    Index("ix_budget_charges_recorded", "recorded_at"),
)

budget_reservations = Table(
    "budget_reservations",
    metadata,
    Column("reservation_id", Key, nullable=False),
    Column("request_id", Key, nullable=False),
    # Digest of the request, to recognize a repeat.
    Column("content", LargeBinary, nullable=False),
    # No reference: it is settled also after the endpoint has been deleted.
    Column("endpoint_id", Key, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("user_name", Text),
    # Name of the caller's token.
    Column("actor", Text),
    Column("budget_unit", Integer, nullable=False),
    Column("amount_nanos", BigInteger, nullable=False),
    # Number of a GatewayReservationState.
    Column("state", Integer, nullable=False),
    Column("recorded_nanos", BigInteger),
    # JSON array of arrays: the id of a window, and what the reservation takes there, or has recorded when it expired.
    Column("held", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    # NULL while it is open.
    Column("settled_at", BigInteger),
    PrimaryKeyConstraint("reservation_id", name="pk_budget_reservations"),
    UniqueConstraint("request_id", name="uq_budget_reservations_request"),
    Index("ix_budget_reservations_settled", "settled_at", "expires_at"),
)

# Alerts outlive their policies and windows.
spend_alerts = Table(
    "spend_alerts",
    metadata,
    # Never reused, because watchers ignore those that they have had.
    Column("alert_id", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    # Encoded GatewaySpendAlert.
    Column("content", LargeBinary, nullable=False),
    # The call that raised it, for the response to a repeat.
    Column("source", Key),
    PrimaryKeyConstraint("alert_id", name="pk_spend_alerts"),
    Index("ix_spend_alerts_raised", "raised_at"),
    Index("ix_spend_alerts_source", "source"),
    sqlite_autoincrement=True,
)

# Recorded spending, whether or not there is a policy.
spend_days = Table(
    "spend_days",
    metadata,
    # First moment of the day in UTC.
    Column("day_start", BigInteger, nullable=False),
    Column("endpoint_id", Key, nullable=False),
    # "" for spending without a user.
    Column("user_name", Key, nullable=False),
    Column("budget_unit", Integer, nullable=False),
    Column("spend_nanos", BigInteger, nullable=False),
    Column("charges", BigInteger, nullable=False),
    PrimaryKeyConstraint("day_start", "endpoint_id", "user_name", "budget_unit", name="pk_spend_days"),
)
