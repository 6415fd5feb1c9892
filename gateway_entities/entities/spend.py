"""The spending ledger: reservations, corrections and reports."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.balance import GatewayBudgetBalance
from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.budget import BudgetUnit, GatewayBudgetPolicy
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.enums import NamedEnum, enum_value, members, number
from gatewayentities.v1 import spend_pb2 as pb


class GatewayReservationState(NamedEnum):
    """How far a reservation is.

    Attributes:
        UNSPECIFIED: no state was chosen.
        OPEN: it holds its estimate.
        COMMITTED: the actual amount was recorded in place of the estimate.
        RELEASED: nothing was spent.
        EXPIRED: its time is over, and its estimate was recorded.
    """

    UNSPECIFIED = 0
    OPEN = 1
    COMMITTED = 2
    RELEASED = 3
    EXPIRED = 4

    # The contract's names of the same.
    GATEWAY_RESERVATION_STATE_UNSPECIFIED = 0
    GATEWAY_RESERVATION_STATE_OPEN = 1
    GATEWAY_RESERVATION_STATE_COMMITTED = 2
    GATEWAY_RESERVATION_STATE_RELEASED = 3
    GATEWAY_RESERVATION_STATE_EXPIRED = 4


class GatewaySpendGrouping(NamedEnum):
    """A part of the key of a report's row.

    Attributes:
        UNSPECIFIED: no part was chosen; rejected in requests.
        DAY: by day in UTC.
        ENDPOINT: by endpoint.
        USER: by user.
    """

    UNSPECIFIED = 0
    DAY = 1
    ENDPOINT = 2
    USER = 3

    # The contract's names of the same.
    GATEWAY_SPEND_GROUPING_UNSPECIFIED = 0
    GATEWAY_SPEND_GROUPING_DAY = 1
    GATEWAY_SPEND_GROUPING_ENDPOINT = 2
    GATEWAY_SPEND_GROUPING_USER = 3


_UNITS = members(BudgetUnit)
_STATES = members(GatewayReservationState)


@dataclass(slots=True, eq=False)
class GatewaySpendReservation(Entity[pb.GatewaySpendReservation]):
    """An amount that a request will spend at the most, as far as its caller knows.

    Attributes:
        reservation_id: identifier, ``br-`` and 32 hexadecimal digits.
        endpoint_id: identifier of the endpoint.
        budget_unit: unit of the amounts.
        amount_nanos: the estimate, in nano-units.
        state: state of the reservation. A number that this version does not know stays an int.
        created_at: time of the reservation, in milliseconds since the Unix epoch, UTC.
        expires_at: time at which it expires, or would have, likewise.
        workspace: where the request comes from.
        recorded_nanos: what was recorded: the actual amount, the estimate if it has expired, or 0 if it was released; None
            while it is open.
        user: the name of the user that makes the request; None if there is none.
    """

    _message = pb.GatewaySpendReservation

    reservation_id: str
    endpoint_id: str
    budget_unit: BudgetUnit | int
    amount_nanos: int
    state: GatewayReservationState | int
    created_at: int
    expires_at: int
    workspace: str
    recorded_nanos: int | None = None
    user: str | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.budget_unit = enum_value(BudgetUnit, self.budget_unit, self, "budget_unit")
        self.state = enum_value(GatewayReservationState, self.state, self, "state")

    @classmethod
    def _read(cls, proto: pb.GatewaySpendReservation) -> Self:
        unit = proto.budget_unit or required(proto, "budget_unit")
        state = proto.state or required(proto, "state")
        entity = new(cls)
        entity.reservation_id = proto.reservation_id or required(proto, "reservation_id")
        entity.endpoint_id = proto.endpoint_id or required(proto, "endpoint_id")
        entity.budget_unit = _UNITS.get(unit, unit)
        entity.amount_nanos = proto.amount_nanos or required(proto, "amount_nanos")
        entity.state = _STATES.get(state, state)
        entity.created_at = proto.created_at or required(proto, "created_at")
        entity.expires_at = proto.expires_at or required(proto, "expires_at")
        entity.workspace = proto.workspace or required(proto, "workspace")
        entity.recorded_nanos = proto.recorded_nanos or (0 if proto.HasField("recorded_nanos") else None)
        entity.user = proto.user or ("" if proto.HasField("user") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewaySpendReservation) -> None:
        proto.reservation_id = self.reservation_id + ""
        proto.endpoint_id = self.endpoint_id + ""
        proto.budget_unit = number(self.budget_unit)
        proto.amount_nanos = self.amount_nanos
        proto.state = number(self.state)
        if self.recorded_nanos is not None:
            proto.recorded_nanos = self.recorded_nanos
        proto.created_at = self.created_at
        proto.expires_at = self.expires_at
        proto.workspace = self.workspace + ""
        if self.user is not None:
            proto.user = self.user + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewaySpendRefusal(Entity[pb.GatewaySpendRefusal]):
    """Why nothing was reserved: of the policies that refuse, the one with the least remaining.

    Attributes:
        budget_policy: the policy.
        balance: its current window.
    """

    _message = pb.GatewaySpendRefusal

    budget_policy: GatewayBudgetPolicy
    balance: GatewayBudgetBalance

    @classmethod
    def _read(cls, proto: pb.GatewaySpendRefusal) -> Self:
        entity = new(cls)
        policy = proto.budget_policy if proto.HasField("budget_policy") else required(proto, "budget_policy")
        entity.budget_policy = GatewayBudgetPolicy._read(policy)
        entity.balance = GatewayBudgetBalance._read(
            proto.balance if proto.HasField("balance") else required(proto, "balance")
        )
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewaySpendRefusal) -> None:
        GatewayBudgetPolicy._write(self.budget_policy, proto.budget_policy)
        GatewayBudgetBalance._write(self.balance, proto.balance)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewaySpendAdjustment(Entity[pb.GatewaySpendAdjustment]):
    """A correction of what is recorded in a window.

    Attributes:
        budget_policy_id: identifier of the policy.
        window_start_ms: first moment of the window, in milliseconds since the Unix epoch, UTC.
        window_end_ms: first moment after the window, likewise.
        budget_unit: unit of the amounts.
        before_nanos: what was recorded before, in nano-units.
        after_nanos: what is recorded afterwards, in nano-units.
        reason: why.
    """

    _message = pb.GatewaySpendAdjustment

    budget_policy_id: str
    window_start_ms: int
    window_end_ms: int
    budget_unit: BudgetUnit | int
    before_nanos: int
    after_nanos: int
    reason: str

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.budget_unit = enum_value(BudgetUnit, self.budget_unit, self, "budget_unit")

    @classmethod
    def _read(cls, proto: pb.GatewaySpendAdjustment) -> Self:
        unit = proto.budget_unit or required(proto, "budget_unit")
        entity = new(cls)
        entity.budget_policy_id = proto.budget_policy_id or required(proto, "budget_policy_id")
        entity.window_start_ms = proto.window_start_ms or required(proto, "window_start_ms")
        entity.window_end_ms = proto.window_end_ms or required(proto, "window_end_ms")
        entity.budget_unit = _UNITS.get(unit, unit)
        entity.before_nanos = proto.before_nanos or required(proto, "before_nanos")
        entity.after_nanos = proto.after_nanos or required(proto, "after_nanos")
        entity.reason = proto.reason or required(proto, "reason")
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewaySpendAdjustment) -> None:
        proto.budget_policy_id = self.budget_policy_id + ""
        proto.window_start_ms = self.window_start_ms
        proto.window_end_ms = self.window_end_ms
        proto.budget_unit = number(self.budget_unit)
        proto.before_nanos = self.before_nanos
        proto.after_nanos = self.after_nanos
        proto.reason = self.reason + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewaySpendTotal(Entity[pb.GatewaySpendTotal]):
    """One row of a report.

    Attributes:
        budget_unit: unit of the amount.
        amount_nanos: the recorded spending in nano-units, at most 2^63 - 1.
        charges: number of charges: of recorded ones, and of reservations that were committed or have expired.
        day_start_ms: first moment of the day, in milliseconds since the Unix epoch, UTC; None if the report is not by day.
        endpoint_id: identifier of the endpoint, which may have been deleted; None if the report is not by endpoint.
        user: name of the user, empty for spending without one; None if the report is not by user.
    """

    _message = pb.GatewaySpendTotal

    budget_unit: BudgetUnit | int
    amount_nanos: int
    charges: int
    day_start_ms: int | None = None
    endpoint_id: str | None = None
    user: str | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.budget_unit = enum_value(BudgetUnit, self.budget_unit, self, "budget_unit")

    @classmethod
    def _read(cls, proto: pb.GatewaySpendTotal) -> Self:
        unit = proto.budget_unit or required(proto, "budget_unit")
        entity = new(cls)
        entity.budget_unit = _UNITS.get(unit, unit)
        entity.amount_nanos = proto.amount_nanos or required(proto, "amount_nanos")
        entity.charges = proto.charges or required(proto, "charges")
        entity.day_start_ms = proto.day_start_ms or (0 if proto.HasField("day_start_ms") else None)
        entity.endpoint_id = proto.endpoint_id or ("" if proto.HasField("endpoint_id") else None)
        entity.user = proto.user or ("" if proto.HasField("user") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewaySpendTotal) -> None:
        if self.day_start_ms is not None:
            proto.day_start_ms = self.day_start_ms
        if self.endpoint_id is not None:
            proto.endpoint_id = self.endpoint_id + ""
        if self.user is not None:
            proto.user = self.user + ""
        proto.budget_unit = number(self.budget_unit)
        proto.amount_nanos = self.amount_nanos
        proto.charges = self.charges
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
