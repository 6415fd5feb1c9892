"""Rules of requests for the spending ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from google.protobuf.message import Message

from gateway_entities.rules import budget
from gateway_entities.rules.bounds import MAX_CHARGE_NANOS, at_most
from gateway_entities.rules.mutation import CREATES
from gateway_entities.rules.stamps import TIME
from gateway_entities.rules.table import Table, each, nested, optional, required
from gateway_entities.rules.values import (
    ACTOR,
    IDENTIFIER,
    NAME,
    PAGE_SIZE,
    PAGE_TOKEN,
    SELECTOR,
    anything,
    known,
    recognized,
    text,
    whole,
)
from gateway_entities.rules.violation import Violation
from gatewayentities.v1 import budget_pb2
from gatewayentities.v1 import spend_pb2 as pb

MAX_TTL_MS = 24 * 60 * 60 * 1000
"""Maximum time to live of a reservation, from the call that sets it."""
_AMOUNT = whole(0, MAX_CHARGE_NANOS)
_TTL = whole(1, MAX_TTL_MS)
_REASON = text(1, 1000)


def _one_amount(request: pb.AdjustGatewaySpendRequest) -> Iterator[Violation]:
    given = [name for name in ("amount_nanos", "recorded_nanos") if request.HasField(name)]
    if not given:
        yield Violation("across/exactly-one", "amount_nanos", "is required, unless recorded_nanos is given")
    elif len(given) > 1:
        yield Violation("across/exactly-one", "amount_nanos", "must not be given together with recorded_nanos")


def _different(groupings: Sequence[int], path: str) -> Iterator[Violation]:
    yield from each(known(pb.GatewaySpendGrouping))(groupings, path)
    seen: set[int] = set()
    for position, grouping in enumerate(groupings):
        if grouping in seen:
            yield Violation("rules/duplicate", f"{path}[{position}]", f"repeats {grouping}")
        seen.add(grouping)


TABLES: dict[type[Message], Table] = {
    pb.ReserveGatewaySpendRequest: Table(
        {
            "endpoint_id": required(IDENTIFIER),
            "workspace": optional(SELECTOR),
            "user": optional(SELECTOR),
            "amount_nanos": required(_AMOUNT),
            "budget_unit": required(known(budget_pb2.BudgetUnit)),
            "ttl_ms": optional(_TTL),
            "request_id": required(NAME),
        }
    ),
    pb.CommitGatewaySpendRequest: Table({"reservation_id": required(IDENTIFIER), "amount_nanos": required(_AMOUNT)}),
    pb.ReleaseGatewaySpendRequest: Table({"reservation_id": required(IDENTIFIER)}),
    pb.ExtendGatewaySpendRequest: Table({"reservation_id": required(IDENTIFIER), "ttl_ms": optional(_TTL)}),
    pb.AdjustGatewaySpendRequest: Table(
        {
            "budget_policy_id": required(IDENTIFIER),
            # Which windows can be corrected depends on the clock: the service checks that.
            "occurred_at": optional(anything),
            "amount_nanos": optional(anything),
            "recorded_nanos": optional(whole(0)),
            "reason": required(_REASON),
            "updated_by": optional(ACTOR),
            **CREATES,
        },
        across=[_one_amount],
    ),
    pb.ListGatewayBudgetBalancesRequest: Table(
        {
            "budget_policy_id": optional(SELECTOR),
            "ended_since": optional(anything),
            "page_size": optional(PAGE_SIZE),
            "page_token": optional(PAGE_TOKEN),
        }
    ),
    pb.ListGatewaySpendRequest: Table(
        {
            "group_by": optional(at_most(3, "groupings", _different)),
            "since_ms": optional(anything),
            "until_ms": optional(anything),
            "endpoint_id": optional(SELECTOR),
            "user": optional(SELECTOR),
            "page_size": optional(PAGE_SIZE),
            "page_token": optional(PAGE_TOKEN),
        }
    ),
}


_UNIT = required(recognized(budget_pb2.BudgetUnit))
_RESERVATION = Table(
    {
        "reservation_id": required(IDENTIFIER),
        "endpoint_id": required(IDENTIFIER),
        "budget_unit": _UNIT,
        "amount_nanos": required(whole(0)),
        "state": required(recognized(pb.GatewayReservationState)),
        "recorded_nanos": optional(whole(0)),
        "created_at": required(TIME),
        "expires_at": required(TIME),
        "workspace": required(NAME),
        "user": optional(SELECTOR),
    }
)
_REFUSAL = Table(
    {
        "budget_policy": required(nested(budget.RESOURCES[budget_pb2.GatewayBudgetPolicy])),
        "balance": required(nested(budget.RESOURCES[budget_pb2.GatewayBudgetBalance])),
    }
)
ADJUSTMENT = Table(
    {
        "budget_policy_id": required(IDENTIFIER),
        "window_start_ms": required(anything),
        "window_end_ms": required(anything),
        "budget_unit": _UNIT,
        "before_nanos": required(whole(0)),
        "after_nanos": required(whole(0)),
        "reason": required(_REASON),
    },
    across=[budget.window_order],
)
_TOTAL = Table(
    {
        "day_start_ms": optional(anything),
        "endpoint_id": optional(IDENTIFIER),
        "user": optional(SELECTOR),
        "budget_unit": _UNIT,
        "amount_nanos": required(whole(0)),
        "charges": required(whole(0)),
    }
)

RESOURCES: dict[type[Message], Table] = {
    pb.GatewaySpendReservation: _RESERVATION,
    pb.GatewaySpendRefusal: _REFUSAL,
    pb.GatewaySpendAdjustment: ADJUSTMENT,
    pb.GatewaySpendTotal: _TOTAL,
}
