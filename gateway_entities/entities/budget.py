"""Budgets: limits on spending in fixed windows of time."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.enums import NamedEnum, enum_value, members, number
from gateway_entities.entities.scalars import double, truth
from gatewayentities.v1 import budget_pb2 as pb


class BudgetUnit(NamedEnum):
    """The unit of a budget's amount.

    Attributes:
        BUDGET_UNIT_UNSPECIFIED: no unit was chosen; rejected in requests.
        USD: United States dollars.
    """

    BUDGET_UNIT_UNSPECIFIED = 0
    USD = 1


class BudgetDurationUnit(NamedEnum):
    """The unit of a window's length. Windows are aligned in UTC.

    Attributes:
        DURATION_UNIT_UNSPECIFIED: no unit was chosen; rejected in requests.
        MINUTES: 60 seconds, counted from 1970-01-01T00:00Z.
        HOURS: 60 minutes, counted from 1970-01-01T00:00Z.
        DAYS: 24 hours, counted from 1970-01-01T00:00Z.
        WEEKS: 7 days, counted from Sunday 1969-12-28.
        MONTHS: calendar months, counted from January 1970.
    """

    DURATION_UNIT_UNSPECIFIED = 0
    MINUTES = 1
    HOURS = 2
    DAYS = 3
    WEEKS = 4
    MONTHS = 5


class BudgetTargetScope(NamedEnum):
    """The spending that a policy counts.

    Attributes:
        TARGET_SCOPE_UNSPECIFIED: no scope was chosen; rejected in requests.
        GLOBAL: all spending.
        WORKSPACE: spending of the policy's workspace.
        ENDPOINT: spending of one endpoint; target_value is its id.
        USER: spending of one user; target_value is the user's name.
    """

    TARGET_SCOPE_UNSPECIFIED = 0
    GLOBAL = 1
    WORKSPACE = 2
    ENDPOINT = 3
    USER = 4


class BudgetAction(NamedEnum):
    """The effect of a spent budget.

    Attributes:
        BUDGET_ACTION_UNSPECIFIED: no action was chosen; rejected in requests.
        ALERT: the budget is reported as spent; requests continue.
        REJECT: requests are rejected until the window ends.
    """

    BUDGET_ACTION_UNSPECIFIED = 0
    ALERT = 1
    REJECT = 2


_UNITS = members(BudgetUnit)
_DURATION_UNITS = members(BudgetDurationUnit)
_SCOPES = members(BudgetTargetScope)
_ACTIONS = members(BudgetAction)


@dataclass(slots=True, eq=False)
class BudgetDuration(Entity[pb.BudgetDuration]):
    """The length of a budget's window, at most 100 years.

    Attributes:
        unit: unit of the value. A number that this version does not know stays an int.
        value: number of units, 1 or more.
    """

    _message = pb.BudgetDuration

    unit: BudgetDurationUnit | int
    value: int

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.unit = enum_value(BudgetDurationUnit, self.unit, self, "unit")

    @classmethod
    def _read(cls, proto: pb.BudgetDuration) -> Self:
        unit = proto.unit or required(proto, "unit")
        entity = new(cls)
        entity.unit = _DURATION_UNITS.get(unit, unit)
        entity.value = proto.value or required(proto, "value")
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.BudgetDuration) -> None:
        proto.unit = number(self.unit)
        proto.value = self.value
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayBudgetPolicy(Entity[pb.GatewayBudgetPolicy]):
    """A limit on the spend of each window.

    Enum numbers that this version does not know stay ints.

    Attributes:
        budget_policy_id: identifier, ``bp-`` and 32 hexadecimal digits.
        budget_unit: unit of the amount.
        budget_amount: maximum spend in one window, finite and 0 or more.
        duration: length of a window.
        target_scope: scope of the spending that counts.
        budget_action: effect of a spent budget.
        created_at: time of creation, in milliseconds since the Unix epoch, UTC.
        last_updated_at: time of the last change, in milliseconds since the Unix epoch, UTC.
        created_by: creator of the policy, 1 to 255 characters; None if it was not given.
        last_updated_by: actor of the last change to the policy, 1 to 255 characters; None if it was never given.
        target_value: the endpoint's id (ENDPOINT) or the user's name (USER), 1 to 255 characters; None for other scopes.
    """

    _message = pb.GatewayBudgetPolicy

    budget_policy_id: str
    budget_unit: BudgetUnit | int
    budget_amount: float
    duration: BudgetDuration
    target_scope: BudgetTargetScope | int
    budget_action: BudgetAction | int
    created_at: int
    last_updated_at: int
    created_by: str | None = None
    last_updated_by: str | None = None
    # MLflow's entity has the workspace here.
    _: KW_ONLY
    target_value: str | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.budget_unit = enum_value(BudgetUnit, self.budget_unit, self, "budget_unit")
        self.target_scope = enum_value(BudgetTargetScope, self.target_scope, self, "target_scope")
        self.budget_action = enum_value(BudgetAction, self.budget_action, self, "budget_action")

    @classmethod
    def _read(cls, proto: pb.GatewayBudgetPolicy) -> Self:
        unit = proto.budget_unit or required(proto, "budget_unit")
        scope = proto.target_scope or required(proto, "target_scope")
        action = proto.budget_action or required(proto, "budget_action")
        entity = new(cls)
        entity.budget_policy_id = proto.budget_policy_id or required(proto, "budget_policy_id")
        entity.budget_unit = _UNITS.get(unit, unit)
        entity.budget_amount = proto.budget_amount or required(proto, "budget_amount")
        entity.duration = BudgetDuration._read(proto.duration if proto.HasField("duration") else required(proto, "duration"))
        entity.target_scope = _SCOPES.get(scope, scope)
        entity.budget_action = _ACTIONS.get(action, action)
        entity.created_at = proto.created_at or required(proto, "created_at")
        entity.last_updated_at = proto.last_updated_at or required(proto, "last_updated_at")
        entity.created_by = proto.created_by or ("" if proto.HasField("created_by") else None)
        entity.last_updated_by = proto.last_updated_by or ("" if proto.HasField("last_updated_by") else None)
        entity.target_value = proto.target_value or ("" if proto.HasField("target_value") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayBudgetPolicy) -> None:
        proto.budget_policy_id = self.budget_policy_id + ""
        proto.budget_unit = number(self.budget_unit)
        proto.budget_amount = double(self.budget_amount)
        BudgetDuration._write(self.duration, proto.duration)
        proto.target_scope = number(self.target_scope)
        proto.budget_action = number(self.budget_action)
        proto.created_at = self.created_at
        proto.last_updated_at = self.last_updated_at
        if self.created_by is not None:
            proto.created_by = self.created_by + ""
        if self.last_updated_by is not None:
            proto.last_updated_by = self.last_updated_by + ""
        if self.target_value is not None:
            proto.target_value = self.target_value + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayBudgetWindow(Entity[pb.GatewayBudgetWindow]):
    """One policy's window, normally the current one. It starts at window_start_ms and ends just before window_end_ms.

    Attributes:
        budget_policy_id: identifier of the policy.
        window_start_ms: first moment of the window, in milliseconds since the Unix epoch, UTC.
        window_end_ms: first moment after the window, in milliseconds since the Unix epoch, UTC.
        current_spend: amount recorded in this window so far, without reservations, in the policy's budget_unit.
    """

    _message = pb.GatewayBudgetWindow

    budget_policy_id: str
    window_start_ms: int
    window_end_ms: int
    current_spend: float

    @classmethod
    def _read(cls, proto: pb.GatewayBudgetWindow) -> Self:
        entity = new(cls)
        entity.budget_policy_id = proto.budget_policy_id or required(proto, "budget_policy_id")
        entity.window_start_ms = proto.window_start_ms or required(proto, "window_start_ms")
        entity.window_end_ms = proto.window_end_ms or required(proto, "window_end_ms")
        entity.current_spend = proto.current_spend or required(proto, "current_spend")
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayBudgetWindow) -> None:
        proto.budget_policy_id = self.budget_policy_id + ""
        proto.window_start_ms = self.window_start_ms
        proto.window_end_ms = self.window_end_ms
        proto.current_spend = double(self.current_spend)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayBudgetCheck(Entity[pb.GatewayBudgetCheck]):
    """Result of a budget check, with the tightest policy.

    Of all matching policies with the action REJECT, that is the one with the least remaining; among equals, the one whose
    window ends last.

    Attributes:
        allowed: whether the request is allowed.
        budget_policy: the tightest policy; None if no policy with the action REJECT matches.
        window: its current window; None if there is no policy.
        remaining: amount that is neither recorded nor reserved in this window, in its budget_unit, 0 or more. 0 if and only
            if the request is rejected; None if there is no policy.
    """

    _message = pb.GatewayBudgetCheck

    allowed: bool
    budget_policy: GatewayBudgetPolicy | None = None
    window: GatewayBudgetWindow | None = None
    remaining: float | None = None

    @classmethod
    def _read(cls, proto: pb.GatewayBudgetCheck) -> Self:
        entity = new(cls)
        entity.allowed = proto.allowed or required(proto, "allowed")
        entity.budget_policy = GatewayBudgetPolicy._read(proto.budget_policy) if proto.HasField("budget_policy") else None
        entity.window = GatewayBudgetWindow._read(proto.window) if proto.HasField("window") else None
        entity.remaining = proto.remaining if proto.HasField("remaining") else None
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayBudgetCheck) -> None:
        proto.allowed = truth(self.allowed)
        if self.budget_policy is not None:
            GatewayBudgetPolicy._write(self.budget_policy, proto.budget_policy)
        if self.window is not None:
            GatewayBudgetWindow._write(self.window, proto.window)
        if self.remaining is not None:
            proto.remaining = double(self.remaining)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
