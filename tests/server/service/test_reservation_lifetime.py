"""Reservations of spending over time: expiry, ends of windows, and what happens to policies and endpoints meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway_entities.errors import Code
from gateway_entities.server.service.context import CALLER, ENDPOINTS
from gatewayentities.v1.budget_pb2 import (
    CheckGatewayBudgetRequest,
    DeleteGatewayBudgetPolicyRequest,
    UpdateGatewayBudgetPolicyRequest,
)
from gatewayentities.v1.endpoint_pb2 import DeleteGatewayEndpointRequest
from gatewayentities.v1.spend_pb2 import (
    GATEWAY_RESERVATION_STATE_COMMITTED,
    GATEWAY_RESERVATION_STATE_EXPIRED,
    GATEWAY_RESERVATION_STATE_RELEASED,
    CommitGatewaySpendRequest,
    ExtendGatewaySpendRequest,
    ListGatewayBudgetBalancesRequest,
    ListGatewaySpendRequest,
    ReleaseGatewaySpendRequest,
)
from tests.server.service.spending import DAY, MINUTE, commit, release, request

MOST = 2**63 - 1


@pytest.mark.parametrize("by", ["server", "next write"])
def test_an_expired_reservation_is_charged_its_estimate(
    gateway: Any, reserve: Any, limit: Any, amounts: Any, ticks: Any, by: str
) -> None:
    policy_id = limit(100)
    reserve(60, ttl_ms=MINUTE)
    ticks.advance(MINUTE)
    # Nothing is free meanwhile.
    assert amounts(policy_id) == (0, 60, 40)
    if by == "server":
        assert gateway.service.expire_reservations() is False
        assert amounts(policy_id) == (60, 0, 40)
    assert reserve(41).HasField("refusal")
    assert amounts(policy_id) == (60, 0, 40)


def test_a_commit_after_expiry_replaces_the_charge(
    gateway: Any, reserve: Any, limit: Any, amounts: Any, causes: Any, ticks: Any
) -> None:
    policy_id = limit(100)
    held = [reserve(30, ttl_ms=MINUTE) for _ in range(3)]
    ticks.advance(MINUTE)
    gateway.service.expire_reservations()
    assert amounts(policy_id) == (90, 0, 10)
    assert commit(gateway, held[0], 5).reservation.recorded_nanos == 5
    assert amounts(policy_id) == (65, 0, 35)
    assert release(gateway, held[1]).reservation.state == GATEWAY_RESERVATION_STATE_RELEASED
    assert amounts(policy_id) == (35, 0, 65)
    commit(gateway, held[2], 150)
    assert amounts(policy_id) == (155, 0, 0)
    assert causes(policy_id) == {2: 55}
    totals = gateway.do(ListGatewaySpendRequest()).totals
    assert [(each.amount_nanos, each.charges) for each in totals] == [(155, 2)]


def test_an_overdue_reservation_expires_when_it_is_used(gateway: Any, reserve: Any, limit: Any, ticks: Any) -> None:
    limit(100)
    # More than a write settles by the way.
    held = [reserve(1, ttl_ms=MINUTE + number) for number in range(8)]
    ticks.advance(2 * MINUTE)
    error = gateway.refused(ExtendGatewaySpendRequest(reservation_id=held[7].reservation.reservation_id))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "RESERVATION_EXPIRED")
    assert commit(gateway, held[6], 2).reservation.recorded_nanos == 2


def test_extending_gives_time_and_never_takes_it(gateway: Any, reserve: Any, limit: Any, amounts: Any, ticks: Any) -> None:
    policy_id = limit(100)
    held = reserve(60, ttl_ms=MINUTE).reservation
    ticks.advance(MINUTE - 1000)
    extended = gateway.do(ExtendGatewaySpendRequest(reservation_id=held.reservation_id, ttl_ms=MINUTE)).reservation
    assert extended.expires_at > held.expires_at + MINUTE - 2000
    again = gateway.do(ExtendGatewaySpendRequest(reservation_id=held.reservation_id, ttl_ms=1)).reservation
    assert again.expires_at == extended.expires_at
    ticks.advance(MINUTE - 1000)
    gateway.service.expire_reservations()
    assert amounts(policy_id) == (0, 60, 40)
    ticks.advance(MINUTE)
    gateway.service.expire_reservations()
    assert amounts(policy_id) == (60, 0, 40)


def test_a_reservation_stays_in_its_window(gateway: Any, reserve: Any, limit: Any, amounts: Any, ticks: Any) -> None:
    policy_id = limit(100, duration={"unit": "MINUTES", "value": 1})
    held = reserve(60)
    ticks.advance(MINUTE)
    assert amounts(policy_id) == (0, 0, 100)
    response = commit(gateway, held, 80)
    assert [(each.recorded_nanos, each.reserved_nanos) for each in response.balances] == [(80, 0)]
    assert response.balances[0].window_end_ms <= response.reservation.expires_at
    assert amounts(policy_id) == (0, 0, 100)


def test_a_new_amount_is_the_limit_of_the_windows_that_have_not_ended(
    gateway: Any, reserve: Any, limit: Any, amounts: Any, causes: Any, ticks: Any
) -> None:
    policy_id = limit(100, duration={"unit": "MINUTES", "value": 1})
    reserve(50)
    ticks.advance(MINUTE)
    held = reserve(60)

    def change(nanos: int) -> None:
        gateway.do(UpdateGatewayBudgetPolicyRequest(budget_policy_id=policy_id, budget_amount=nanos / 10**9))

    change(40)
    assert (amounts(policy_id), causes(policy_id)) == ((0, 60, 0), {4: 20})
    commit(gateway, held, 70)
    assert causes(policy_id) == {2: 10, 4: 20}
    change(55)
    assert causes(policy_id) == {2: 10, 4: 5}
    change(80)
    assert (amounts(policy_id), causes(policy_id)) == ((70, 0, 10), {})
    history = gateway.do(ListGatewayBudgetBalancesRequest(budget_policy_id=policy_id, ended_since=0)).balances
    assert [each.limit_nanos for each in history] == [100, 80]


@pytest.mark.parametrize(
    "change", ["deleted", {"duration": {"unit": "HOURS", "value": 1}}, {"target_scope": "WORKSPACE"}, "endpoint"]
)
def test_a_window_that_is_removed_no_longer_counts(
    gateway: Any, reserve: Any, limit: Any, amounts: Any, endpoint_id: str, change: Any
) -> None:
    stays = limit(100)
    gone = limit(100, target_scope="ENDPOINT", target_value=endpoint_id)
    open_, expiring = reserve(20), reserve(30, ttl_ms=1)
    if change == "deleted":
        gateway.do(DeleteGatewayBudgetPolicyRequest(budget_policy_id=gone))
    elif change == "endpoint":
        gateway.do(DeleteGatewayEndpointRequest(endpoint_id=endpoint_id))
    else:
        gateway.do(UpdateGatewayBudgetPolicyRequest(budget_policy_id=gone, **change))
        assert amounts(gone) == (0, 0, 100)
    response = commit(gateway, open_, 25)
    assert [each.budget_policy_id for each in response.balances] == [stays]
    assert amounts(stays)[0] == 55
    assert commit(gateway, expiring, 1).reservation.state == GATEWAY_RESERVATION_STATE_COMMITTED
    assert amounts(stays) == (26, 0, 74)
    if change not in ("deleted", "endpoint"):
        assert amounts(gone) == (0, 0, 100)


def test_a_policy_does_not_count_older_reservations(gateway: Any, reserve: Any, limit: Any, amounts: Any) -> None:
    held = reserve(60)
    policy_id = limit(100)
    assert list(commit(gateway, held, 60).balances) == []
    assert amounts(policy_id) == (0, 0, 100)


def test_an_endpoint_that_does_not_exist_and_unknown_reservations(gateway: Any, endpoint_id: str, ticks: Any) -> None:
    assert gateway.refused(request("nope", 1)).code is Code.NOT_FOUND
    held = gateway.do(request(endpoint_id, 1))
    commit(gateway, held, 1)
    ticks.advance(DAY)
    for _ in range(2):
        # Old ones are deleted with the next.
        gateway.do(request(endpoint_id, 1))
    for reservation_id in ("br-none", held.reservation.reservation_id):
        for wrong in (
            CommitGatewaySpendRequest(reservation_id=reservation_id, amount_nanos=1),
            ReleaseGatewaySpendRequest(reservation_id=reservation_id),
            ExtendGatewaySpendRequest(reservation_id=reservation_id),
        ):
            error = gateway.refused(wrong)
            assert (error.code, reservation_id in error.message) == (Code.NOT_FOUND, True)


@pytest.fixture
def as_caller() -> Iterator[Callable[..., None]]:
    """Make the following calls as a token that is limited to endpoints; None for no limit."""
    tokens: list[Any] = [(CALLER, CALLER.set(None)), (ENDPOINTS, ENDPOINTS.set(None))]

    def as_caller(name: str | None, *endpoints: str) -> None:
        CALLER.set(name)
        ENDPOINTS.set(frozenset(endpoints) if endpoints else None)

    yield as_caller
    for variable, token in tokens:
        variable.reset(token)


def test_a_limited_token_settles_its_own_reservations_and_those_on_its_endpoints(gateway: Any, as_caller: Any) -> None:
    mine, other = gateway.endpoint(), gateway.endpoint()
    as_caller("open")
    foreign = gateway.do(request(other.endpoint_id, 1))
    shared = gateway.do(request(mine.endpoint_id, 1))
    as_caller("limited", mine.name)
    assert gateway.refused(request(other.endpoint_id, 1)).code is Code.NOT_FOUND
    own = gateway.do(request(mine.endpoint_id, 1))
    commit(gateway, shared, 1)
    assert gateway.refused(ReleaseGatewaySpendRequest(reservation_id=foreign.reservation.reservation_id)).code is (
        Code.NOT_FOUND
    )
    as_caller(None)
    gateway.do(DeleteGatewayEndpointRequest(endpoint_id=mine.endpoint_id))
    as_caller("limited", mine.name)
    assert commit(gateway, own, 1).reservation.state == GATEWAY_RESERVATION_STATE_COMMITTED


def test_a_window_saturates_with_what_it_can_take(gateway: Any, reserve: Any, limit: Any, balance: Any, causes: Any) -> None:
    policy_id = limit(10, "ALERT")
    reserve(3)
    gateway.place.execute(
        f"UPDATE budget_windows SET spend_nanos = {MOST - 7}, overrun_record = {MOST - 7 + 3 - 10}, overrun_reserve = 0"
    )
    held = reserve(10**15)
    found = balance(policy_id)
    assert (found.reserved_nanos, found.saturated) == (7, True)
    response = commit(gateway, held, 10**15)
    assert response.balances[0].saturated
    assert balance(policy_id).recorded_nanos == MOST - 3
    assert causes(policy_id)[1] == MOST - 14
    # A window that is full blocks nothing else.
    assert reserve(5).HasField("reservation")


def test_many_reservations_expire_in_steps(
    gateway: Any, reserve: Any, limit: Any, amounts: Any, ticks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway_entities.server.service.spending.reservation.EXPIRED_PER_STEP", 2)
    policy_id = limit(100)
    for _ in range(5):
        reserve(1, ttl_ms=MINUTE)
    ticks.advance(MINUTE)
    assert [gateway.service.expire_reservations() for _ in range(3)] == [True, True, False]
    assert amounts(policy_id) == (5, 0, 95)
    assert gateway.place.execute(
        f"SELECT count(*) FROM budget_reservations WHERE state = {GATEWAY_RESERVATION_STATE_EXPIRED}"
    )[0] == (5,)


def test_a_window_that_is_open_again_has_the_policy_s_amount(
    gateway: Any, reserve: Any, limit: Any, amounts: Any, endpoint_id: str, ticks: Any
) -> None:
    """The clock is set back into a window that had ended when the amount was changed."""
    policy_id = limit(100)
    reserve(60)
    ticks.advance(DAY)
    gateway.do(UpdateGatewayBudgetPolicyRequest(budget_policy_id=policy_id, budget_amount=50 / 10**9))
    ticks.advance(-DAY)
    assert amounts(policy_id) == (0, 60, 0)
    assert not gateway.do(CheckGatewayBudgetRequest(endpoint_id=endpoint_id)).check.allowed
    assert reserve(1).HasField("refusal")
