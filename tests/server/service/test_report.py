"""Balances, their history, corrections, and reports of spending."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gateway_entities.errors import Code
from gateway_entities.server.service.context import CALLER
from gatewayentities.v1.budget_pb2 import GetGatewayBudgetPolicyRequest, RecordGatewaySpendRequest
from gatewayentities.v1.change_pb2 import ListGatewayChangesRequest
from gatewayentities.v1.endpoint_pb2 import DeleteGatewayEndpointRequest
from gatewayentities.v1.spend_pb2 import (
    AdjustGatewaySpendRequest,
    ListGatewayBudgetBalancesRequest,
    ListGatewaySpendRequest,
)
from tests.server.service.conftest import START_MS
from tests.server.service.spending import DAY, MINUTE

MOST = 2**63 - 1
TODAY = START_MS // DAY * DAY

_numbers = itertools.count()


@pytest.fixture
def spend(gateway: Any, endpoint_id: str) -> Any:
    def spend(nanos: int, *, of: str = endpoint_id, **fields: Any) -> None:
        charge = {"endpoint_id": of, "budget_unit": "USD", "request_id": f"c{next(_numbers)}", **fields}
        gateway.do(RecordGatewaySpendRequest(amount_nanos=nanos, **charge))

    return spend


@pytest.fixture
def totals(gateway: Any) -> Any:
    """Return the rows of a report: day from today, endpoint, user, amount, charges."""

    def totals(**fields: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        token = None
        while token != "":
            response = gateway.do(ListGatewaySpendRequest(page_size=2, page_token=token, **fields))
            token = response.next_page_token
            for each in response.totals:
                day = (each.day_start_ms - TODAY) // DAY if each.HasField("day_start_ms") else None
                names = (
                    each.endpoint_id if each.HasField("endpoint_id") else None,
                    each.user if each.HasField("user") else None,
                )
                found.append((day, *names, each.amount_nanos, each.charges))
        return found

    return totals


def test_the_current_window_of_each_policy_is_listed(gateway: Any, limit: Any, spend: Any, reserve: Any) -> None:
    used, unused = limit(100), limit(50, target_scope="USER", target_value="ann")
    spend(10)
    reserve(20)
    balances = gateway.do(ListGatewayBudgetBalancesRequest()).balances
    assert [
        (each.budget_policy_id, each.limit_nanos, each.recorded_nanos, each.reserved_nanos, each.remaining_nanos)
        for each in balances
    ] == [(used, 100, 10, 20, 70), (unused, 50, 0, 0, 50)]
    assert all(each.window_end_ms - each.window_start_ms == DAY for each in balances)
    [one] = gateway.do(ListGatewayBudgetBalancesRequest(budget_policy_id=unused)).balances
    assert one == balances[1]
    assert gateway.refused(ListGatewayBudgetBalancesRequest(budget_policy_id="bp-none")).code is Code.NOT_FOUND


def test_past_windows_are_listed(gateway: Any, limit: Any, spend: Any, ticks: Any) -> None:
    first = limit(100, duration={"unit": "MINUTES", "value": 1})
    second = limit(100, duration={"unit": "MINUTES", "value": 1})
    began = TODAY + (START_MS - TODAY) // MINUTE * MINUTE
    for number in range(5):
        # One minute has none.
        if number != 2:
            spend(number + 1)
        ticks.advance(MINUTE)

    def history(**fields: Any) -> list[tuple[str, int, int]]:
        found: list[tuple[str, int, int]] = []
        token = None
        while token != "":
            response = gateway.do(ListGatewayBudgetBalancesRequest(page_size=3, page_token=token, **fields))
            token = response.next_page_token
            found += [
                (each.budget_policy_id, (each.window_start_ms - began) // MINUTE, each.recorded_nanos)
                for each in response.balances
            ]
        return found

    windows = [(0, 1), (1, 2), (3, 4), (4, 5)]
    assert history(ended_since=0) == [(policy, *each) for policy in (first, second) for each in windows]
    assert history(ended_since=began + 2 * MINUTE, budget_policy_id=second) == [(second, 3, 4), (second, 4, 5)]
    # Only what the store still has.
    assert history(ended_since=began + 9 * MINUTE) == []


@pytest.mark.parametrize(
    ("change", "after"),
    [({"amount_nanos": 5}, 45), ({"amount_nanos": -40}, 0), ({"recorded_nanos": 0}, 0), ({"recorded_nanos": 130}, 130)],
)
def test_a_correction_changes_what_is_recorded_and_is_logged(
    gateway: Any, limit: Any, spend: Any, balance: Any, causes: Any, change: dict[str, int], after: int
) -> None:
    policy_id = limit(100)
    spend(40)
    before = gateway.do(GetGatewayBudgetPolicyRequest(budget_policy_id=policy_id))
    caller = CALLER.set("boss")
    try:
        response = gateway.do(AdjustGatewaySpendRequest(budget_policy_id=policy_id, reason="a refund", **change))
    finally:
        CALLER.reset(caller)
    assert response.balance == balance(policy_id)
    assert response.balance.recorded_nanos == after
    assert causes(policy_id) == ({5: 30} if after > 100 else {})
    [logged] = gateway.do(ListGatewayChangesRequest(since_revision=response.revision - 1)).changes
    assert (logged.rpc, logged.actor, logged.change.noun, logged.change.id) == (
        "AdjustGatewaySpend",
        "boss",
        "budget_policy",
        policy_id,
    )
    assert logged.spend_adjustment == response.adjustment
    adjustment = response.adjustment
    assert (adjustment.before_nanos, adjustment.after_nanos, adjustment.reason) == (40, after, "a refund")
    assert (adjustment.window_start_ms, adjustment.window_end_ms) == (TODAY, TODAY + DAY)
    # The policy itself stays as it was.
    now = gateway.do(GetGatewayBudgetPolicyRequest(budget_policy_id=policy_id))
    assert (now.budget_policy, now.etag) == (before.budget_policy, before.etag)
    assert logged.change.etag_before == logged.change.etag_after == now.etag


def test_a_window_of_another_time_can_be_corrected(gateway: Any, limit: Any, spend: Any, balance: Any, ticks: Any) -> None:
    policy_id = limit(100)
    spend(40)
    ticks.advance(2 * DAY)
    sent = AdjustGatewaySpendRequest(budget_policy_id=policy_id, occurred_at=TODAY + 1, amount_nanos=-10, reason="r")
    assert gateway.do(sent).balance.recorded_nanos == 30
    assert balance(policy_id).recorded_nanos == 0
    for moment in (TODAY + 3 * DAY + 10 * MINUTE + START_MS - TODAY, TODAY - 100 * DAY, -(2**63), MOST):
        error = gateway.refused(
            AdjustGatewaySpendRequest(budget_policy_id=policy_id, occurred_at=moment, amount_nanos=1, reason="r")
        )
        assert (error.code, [each.field for each in error.field_violations]) == (Code.INVALID_ARGUMENT, ["occurred_at"])


def test_a_correction_below_zero_or_of_nothing_is_refused(gateway: Any, limit: Any, spend: Any, balance: Any) -> None:
    policy_id = limit(100)
    spend(40)
    error = gateway.refused(AdjustGatewaySpendRequest(budget_policy_id=policy_id, amount_nanos=-41, reason="r"))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "SPEND_BELOW_ZERO")
    assert (
        gateway.refused(AdjustGatewaySpendRequest(budget_policy_id="bp-none", amount_nanos=1, reason="r")).code
        is Code.NOT_FOUND
    )
    gateway.do(AdjustGatewaySpendRequest(budget_policy_id=policy_id, amount_nanos=MOST, reason="r"))
    assert balance(policy_id).recorded_nanos == MOST
    gateway.do(AdjustGatewaySpendRequest(budget_policy_id=policy_id, recorded_nanos=7, reason="saturated by mistake"))
    assert not balance(policy_id).saturated


def test_spending_is_reported_by_day_endpoint_and_user(gateway: Any, spend: Any, totals: Any, ticks: Any) -> None:
    first, second = sorted(gateway.endpoint().endpoint_id for _ in range(2))
    for endpoint, user, nanos in ((first, "ann", 1), (first, "ann", 2), (first, "a:b", 4), (second, "", 8)):
        spend(nanos, of=endpoint, user=user)
    ticks.advance(DAY)
    spend(16, of=second, user="ann")
    spend(32, of=second, user="ann", occurred_at=TODAY)
    # Also when the endpoint is gone.
    gateway.do(DeleteGatewayEndpointRequest(endpoint_id=second))
    everything = [
        (0, first, "a:b", 4, 1),
        (0, first, "ann", 3, 2),
        (0, second, "", 8, 1),
        (0, second, "ann", 32, 1),
        (1, second, "ann", 16, 1),
    ]
    assert totals() == totals(group_by=[3, 1, 2]) == everything
    assert totals(group_by=["GATEWAY_SPEND_GROUPING_ENDPOINT"]) == [(None, first, None, 7, 3), (None, second, None, 56, 3)]
    assert totals(group_by=[1, 3]) == [
        (0, None, "", 8, 1),
        (0, None, "a:b", 4, 1),
        (0, None, "ann", 35, 3),
        (1, None, "ann", 16, 1),
    ]
    assert totals(since_ms=TODAY + 1) == everything[4:]
    assert totals(until_ms=TODAY + DAY) == everything[:4]
    assert totals(endpoint_id=first, user="ann") == everything[1:2]
    assert totals(user="") == everything[2:3]
    assert totals(group_by=[2], endpoint_id="nope") == []


def test_old_spending_is_in_no_report_and_sums_saturate(gateway: Any, spend: Any, totals: Any, endpoint_id: str) -> None:
    spend(1, occurred_at=TODAY - 91 * DAY)
    spend(1, occurred_at=-(2**63))
    assert totals() == []
    spend(5)
    gateway.place.execute(f"UPDATE spend_days SET spend_nanos = {MOST - 2}")
    spend(5)
    spend(5, user="ann")
    assert totals() == [(0, endpoint_id, "", MOST, 2), (0, endpoint_id, "ann", 5, 1)]
    assert totals(group_by=[1]) == [(0, None, None, MOST, 3)]
