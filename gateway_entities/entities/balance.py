"""Balances of budget windows, and alerts."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.budget import BudgetUnit, GatewayBudgetPolicy
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.enums import NamedEnum, enum_value, members, number
from gateway_entities.entities.scalars import truth
from gatewayentities.v1 import budget_pb2 as pb


class BudgetOverrunCause(NamedEnum):
    """Why more was recorded and reserved in a window than its limit.

    Attributes:
        UNSPECIFIED: no cause was chosen.
        RECORD: spending was recorded that was not reserved.
        COMMIT: a reservation was committed with more than its estimate.
        RESERVE: a reservation exceeded the limit of a policy with the action ALERT.
        AMOUNT: the budget_amount of the policy was lowered.
        ADJUST: the recorded spending was corrected upwards.
    """

    UNSPECIFIED = 0
    RECORD = 1
    COMMIT = 2
    RESERVE = 3
    AMOUNT = 4
    ADJUST = 5

    # The contract's names of the same.
    BUDGET_OVERRUN_CAUSE_UNSPECIFIED = 0
    BUDGET_OVERRUN_CAUSE_RECORD = 1
    BUDGET_OVERRUN_CAUSE_COMMIT = 2
    BUDGET_OVERRUN_CAUSE_RESERVE = 3
    BUDGET_OVERRUN_CAUSE_AMOUNT = 4
    BUDGET_OVERRUN_CAUSE_ADJUST = 5


_UNITS = members(BudgetUnit)
_CAUSES = members(BudgetOverrunCause)


@dataclass(slots=True, eq=False)
class GatewayBudgetOverrun(Entity[pb.GatewayBudgetOverrun]):
    """The part of an overrun that has one cause.

    Attributes:
        cause: the cause. A number that this version does not know stays an int.
        amount_nanos: the part in nano-units, more than 0.
    """

    _message = pb.GatewayBudgetOverrun

    cause: BudgetOverrunCause | int
    amount_nanos: int

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.cause = enum_value(BudgetOverrunCause, self.cause, self, "cause")

    @classmethod
    def _read(cls, proto: pb.GatewayBudgetOverrun) -> Self:
        cause = proto.cause or required(proto, "cause")
        entity = new(cls)
        entity.cause = _CAUSES.get(cause, cause)
        entity.amount_nanos = proto.amount_nanos or required(proto, "amount_nanos")
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayBudgetOverrun) -> None:
        proto.cause = number(self.cause)
        proto.amount_nanos = self.amount_nanos
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayBudgetBalance(Entity[pb.GatewayBudgetBalance]):
    """The state of one policy's window in nano-units, 10^-9 of the unit each.

    recorded_nanos + reserved_nanos + remaining_nanos - overrun_nanos is limit_nanos.

    Attributes:
        budget_policy_id: identifier of the policy.
        window_start_ms: first moment of the window, in milliseconds since the Unix epoch, UTC.
        window_end_ms: first moment after the window, in milliseconds since the Unix epoch, UTC.
        budget_unit: unit of the amounts.
        recorded_nanos: spending that was recorded, committed, or charged for reservations that expired.
        reserved_nanos: sum of the estimates of open reservations.
        overrun_nanos: by how much recorded and reserved exceed the limit, 0 or more.
        limit_nanos: the policy's budget_amount, rounded down; of a window that has ended, the last one before its end. None
            if it is more than 2^63 - 1: such a limit is never reached.
        remaining_nanos: what can still be reserved, 0 or more; None without a limit.
        overruns: the causes of the overrun, in order of their numbers. Their sum is overrun_nanos.
        saturated: True if recorded and reserved have reached 2^63 - 1, so that further spending is not counted; None if not.
    """

    _message = pb.GatewayBudgetBalance

    budget_policy_id: str
    window_start_ms: int
    window_end_ms: int
    budget_unit: BudgetUnit | int
    recorded_nanos: int
    reserved_nanos: int
    overrun_nanos: int
    limit_nanos: int | None = None
    remaining_nanos: int | None = None
    overruns: list[GatewayBudgetOverrun] = field(default_factory=list[GatewayBudgetOverrun])
    saturated: bool | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.budget_unit = enum_value(BudgetUnit, self.budget_unit, self, "budget_unit")

    @classmethod
    def _read(cls, proto: pb.GatewayBudgetBalance) -> Self:
        unit = proto.budget_unit or required(proto, "budget_unit")
        entity = new(cls)
        entity.budget_policy_id = proto.budget_policy_id or required(proto, "budget_policy_id")
        entity.window_start_ms = proto.window_start_ms or required(proto, "window_start_ms")
        entity.window_end_ms = proto.window_end_ms or required(proto, "window_end_ms")
        entity.budget_unit = _UNITS.get(unit, unit)
        entity.recorded_nanos = proto.recorded_nanos or required(proto, "recorded_nanos")
        entity.reserved_nanos = proto.reserved_nanos or required(proto, "reserved_nanos")
        entity.overrun_nanos = proto.overrun_nanos or required(proto, "overrun_nanos")
        entity.limit_nanos = proto.limit_nanos or (0 if proto.HasField("limit_nanos") else None)
        entity.remaining_nanos = proto.remaining_nanos or (0 if proto.HasField("remaining_nanos") else None)
        entity.overruns = [GatewayBudgetOverrun._read(overrun) for overrun in proto.overruns[:]]
        entity.saturated = proto.saturated if proto.HasField("saturated") else None
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayBudgetBalance) -> None:
        proto.budget_policy_id = self.budget_policy_id + ""
        proto.window_start_ms = self.window_start_ms
        proto.window_end_ms = self.window_end_ms
        proto.budget_unit = number(self.budget_unit)
        if self.limit_nanos is not None:
            proto.limit_nanos = self.limit_nanos
        proto.recorded_nanos = self.recorded_nanos
        proto.reserved_nanos = self.reserved_nanos
        if self.remaining_nanos is not None:
            proto.remaining_nanos = self.remaining_nanos
        proto.overrun_nanos = self.overrun_nanos
        for overrun in self.overruns:
            GatewayBudgetOverrun._write(overrun, proto.overruns.add())
        if self.saturated is not None:
            proto.saturated = truth(self.saturated)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewaySpendAlert(Entity[pb.GatewaySpendAlert]):
    """A report that the spending recorded in a window has reached a share of its limit, once for each window and share.

    Attributes:
        alert_id: number of the alert; later ones have higher numbers.
        share_percent: the share in percent of the limit, 1 or more; 100 is the limit itself.
        budget_policy: the policy as it was then.
        balance: the window as it was then.
        raised_at: time of the alert, in milliseconds since the Unix epoch, UTC.
    """

    _message = pb.GatewaySpendAlert

    alert_id: int
    share_percent: int
    budget_policy: GatewayBudgetPolicy
    balance: GatewayBudgetBalance
    raised_at: int

    @classmethod
    def _read(cls, proto: pb.GatewaySpendAlert) -> Self:
        entity = new(cls)
        entity.alert_id = proto.alert_id or required(proto, "alert_id")
        entity.share_percent = proto.share_percent or required(proto, "share_percent")
        policy = proto.budget_policy if proto.HasField("budget_policy") else required(proto, "budget_policy")
        entity.budget_policy = GatewayBudgetPolicy._read(policy)
        entity.balance = GatewayBudgetBalance._read(
            proto.balance if proto.HasField("balance") else required(proto, "balance")
        )
        entity.raised_at = proto.raised_at or required(proto, "raised_at")
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewaySpendAlert) -> None:
        proto.alert_id = self.alert_id
        proto.share_percent = self.share_percent
        GatewayBudgetPolicy._write(self.budget_policy, proto.budget_policy)
        GatewayBudgetBalance._write(self.balance, proto.balance)
        proto.raised_at = self.raised_at
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
