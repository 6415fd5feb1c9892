"""Reservations for tests: requests, and fixtures that reserve and read balances."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from gatewayentities.v1.budget_pb2 import GatewayBudgetBalance
from gatewayentities.v1.spend_pb2 import (
    CommitGatewaySpendRequest,
    ListGatewayBudgetBalancesRequest,
    ReleaseGatewaySpendRequest,
    ReserveGatewaySpendRequest,
)

MINUTE = 60_000
DAY = 24 * 60 * MINUTE

_numbers = itertools.count()


@pytest.fixture
def endpoint_id(gateway: Any) -> str:
    return gateway.endpoint().endpoint_id


def request(endpoint_id: str, nanos: int, **fields: Any) -> ReserveGatewaySpendRequest:
    given = {"budget_unit": "USD", "request_id": f"r{next(_numbers)}", **fields}
    return ReserveGatewaySpendRequest(endpoint_id=endpoint_id, amount_nanos=nanos, **given)


@pytest.fixture
def reserve(gateway: Any, endpoint_id: str) -> Callable[..., Any]:
    """Reserve an amount; return the response."""
    return lambda nanos, *, of=endpoint_id, **fields: gateway.do(request(of, nanos, **fields))


@pytest.fixture
def limit(gateway: Any) -> Callable[..., str]:
    """Create a policy of so many nano-units; return its id."""

    def limit(nanos: int, action: str = "REJECT", **fields: Any) -> str:
        policy = gateway.policy(budget_amount=nanos / 10**9, budget_action=action, **fields)
        return policy.budget_policy_id

    return limit


@pytest.fixture
def balance(gateway: Any) -> Callable[..., GatewayBudgetBalance]:
    """Return the current window of a policy, after a check of its sums."""

    def balance(policy_id: str) -> GatewayBudgetBalance:
        [found] = gateway.do(ListGatewayBudgetBalancesRequest(budget_policy_id=policy_id)).balances
        taken = found.recorded_nanos + found.reserved_nanos
        if found.HasField("limit_nanos"):
            assert taken + found.remaining_nanos - found.overrun_nanos == found.limit_nanos
        assert sum(part.amount_nanos for part in found.overruns) == found.overrun_nanos
        return found

    return balance


@pytest.fixture
def amounts(balance: Any) -> Callable[[str], tuple[int, int, int]]:
    """Return what is recorded, reserved and remaining."""

    def amounts(policy_id: str) -> tuple[int, int, int]:
        found = balance(policy_id)
        return found.recorded_nanos, found.reserved_nanos, found.remaining_nanos

    return amounts


@pytest.fixture
def causes(balance: Any) -> Callable[[str], dict[int, int]]:
    """Return the parts of the overrun by cause."""
    return lambda policy_id: {part.cause: part.amount_nanos for part in balance(policy_id).overruns}


def commit(gateway: Any, response: Any, nanos: int) -> Any:
    sent = CommitGatewaySpendRequest(reservation_id=response.reservation.reservation_id, amount_nanos=nanos)
    return gateway.do(sent)


def release(gateway: Any, response: Any) -> Any:
    return gateway.do(ReleaseGatewaySpendRequest(reservation_id=response.reservation.reservation_id))
