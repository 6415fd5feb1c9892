"""Reservations of spending: which are admitted, and how they are settled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateway_entities.errors import Code
from gatewayentities.v1.budget_pb2 import (
    CheckGatewayBudgetRequest,
    RecordGatewaySpendRequest,
)
from gatewayentities.v1.spend_pb2 import (
    GATEWAY_RESERVATION_STATE_COMMITTED,
    GATEWAY_RESERVATION_STATE_OPEN,
    GATEWAY_RESERVATION_STATE_RELEASED,
    CommitGatewaySpendRequest,
    ExtendGatewaySpendRequest,
    ReleaseGatewaySpendRequest,
)
from tests.server.service.spending import MINUTE, commit, release, request

MOST = 2**63 - 1


def test_an_estimate_is_taken_from_every_matching_policy(
    gateway: Any, reserve: Any, limit: Any, amounts: Any, endpoint_id: str
) -> None:
    everybody = limit(100)
    endpoint = limit(100, target_scope="ENDPOINT", target_value=endpoint_id)
    ann = limit(100, target_scope="USER", target_value="ann")
    other = limit(100, target_scope="USER", target_value="bob")
    response = reserve(30, user="ann")
    assert [each.budget_policy_id for each in response.balances] == [everybody, endpoint, ann]
    assert [amounts(each) for each in (everybody, endpoint, ann, other)] == [(0, 30, 70)] * 3 + [(0, 0, 100)]
    reservation = response.reservation
    assert (reservation.state, reservation.amount_nanos, reservation.user, reservation.workspace) == (
        GATEWAY_RESERVATION_STATE_OPEN,
        30,
        "ann",
        "default",
    )
    assert reservation.expires_at - reservation.created_at == 10 * MINUTE
    assert not reservation.HasField("recorded_nanos")


@pytest.mark.parametrize(
    ("amount", "recorded", "estimate", "admitted"),
    [
        (100, 0, 100, True),
        (100, 0, 101, False),
        (100, 60, 40, True),
        (100, 60, 41, False),
        # Once the limit is reached, even nothing.
        (100, 99, 0, True),
        (100, 100, 0, False),
        (100, 130, 0, False),
        (0, 0, 0, False),
    ],
)
def test_a_rejecting_policy_admits_up_to_its_limit(
    gateway: Any,
    reserve: Any,
    limit: Any,
    balance: Any,
    endpoint_id: str,
    amount: int,
    recorded: int,
    estimate: int,
    admitted: bool,
) -> None:
    policy_id = limit(amount)
    charge = {"endpoint_id": endpoint_id, "budget_unit": "USD", "request_id": "r"}
    gateway.do(RecordGatewaySpendRequest(amount_nanos=recorded, **charge))
    before = balance(policy_id)
    response = reserve(estimate)
    assert response.HasField("reservation") == admitted
    assert response.HasField("refusal") != admitted
    if not admitted:
        assert response.refusal.budget_policy.budget_policy_id == policy_id
        assert (response.refusal.balance, balance(policy_id), list(response.balances)) == (before, before, [])
    # Check agrees about what is left before.
    allowed = gateway.do(CheckGatewayBudgetRequest(endpoint_id=endpoint_id)).check.allowed
    assert allowed == (balance(policy_id).remaining_nanos > 0)


def test_an_alerting_policy_and_one_beyond_int64_never_refuse(reserve: Any, limit: Any, balance: Any, causes: Any) -> None:
    alerting, unlimited = limit(10, "ALERT"), limit(10**30)
    for _ in range(3):
        assert reserve(10**15).HasField("reservation")
    assert causes(alerting) == {3: 3 * 10**15 - 10}
    found = balance(unlimited)
    assert (found.reserved_nanos, found.HasField("limit_nanos"), found.HasField("remaining_nanos")) == (
        3 * 10**15,
        False,
        False,
    )


def test_the_tightest_policy_is_returned_and_nothing_is_reserved(reserve: Any, limit: Any, amounts: Any) -> None:
    wide, tight, tighter = limit(50), limit(30), limit(20)
    response = reserve(40)
    assert response.refusal.budget_policy.budget_policy_id == tighter
    assert [amounts(each) for each in (wide, tight, tighter)] == [(0, 0, 50), (0, 0, 30), (0, 0, 20)]


def test_concurrent_callers_never_exceed_a_limit_together(gateway: Any, limit: Any, balance: Any, endpoint_id: str) -> None:
    policy_id = limit(1_000_000_000)
    with ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(lambda _: gateway.do(request(endpoint_id, 500_000_000)), range(50)))
    admitted = [response for response in responses if response.HasField("reservation")]
    assert len(admitted) == 2
    assert balance(policy_id).reserved_nanos == 1_000_000_000


@pytest.mark.parametrize("action", ["REJECT", "ALERT"])
@pytest.mark.parametrize(
    ("estimate", "actual", "expected", "cause"),
    [(60, 60, (60, 0, 40), {}), (60, 10, (10, 0, 90), {}), (60, 0, (0, 0, 100), {}), (60, 130, (130, 0, 0), {2: 30})],
)
def test_a_commit_replaces_the_estimate(
    gateway: Any,
    reserve: Any,
    limit: Any,
    amounts: Any,
    causes: Any,
    action: str,
    estimate: int,
    actual: int,
    expected: tuple[int, int, int],
    cause: dict[int, int],
) -> None:
    policy_id = limit(100, action)
    response = commit(gateway, reserve(estimate), actual)
    assert (response.reservation.state, response.reservation.recorded_nanos) == (
        GATEWAY_RESERVATION_STATE_COMMITTED,
        actual,
    )
    assert [each.recorded_nanos for each in response.balances] == [actual]
    assert amounts(policy_id) == expected
    assert causes(policy_id) == cause


def test_a_release_gives_the_estimate_back(gateway: Any, reserve: Any, limit: Any, amounts: Any) -> None:
    policy_id = limit(100)
    held = reserve(60)
    response = release(gateway, held)
    assert (response.reservation.state, response.reservation.recorded_nanos) == (GATEWAY_RESERVATION_STATE_RELEASED, 0)
    assert amounts(policy_id) == (0, 0, 100)


def test_repeats_change_nothing(gateway: Any, limit: Any, amounts: Any, endpoint_id: str) -> None:
    policy_id = limit(100)
    sent = request(endpoint_id, 60)
    first = gateway.do(sent)
    assert gateway.do(sent) == first
    assert amounts(policy_id) == (0, 60, 40)
    committed = commit(gateway, first, 70)
    assert commit(gateway, first, 70) == committed
    assert amounts(policy_id) == (70, 0, 30)
    # The reservation as it is now.
    assert gateway.do(sent).reservation == committed.reservation
    other = gateway.do(request(endpoint_id, 5))
    released = release(gateway, other)
    assert release(gateway, other) == released
    assert amounts(policy_id) == (70, 0, 30)


@pytest.mark.parametrize("changes", [{"nanos": 8}, {"user": "bob"}, {"workspace": "w"}, {"ttl_ms": 5}], ids=str)
def test_a_request_id_with_another_content_is_invalid(
    gateway: Any, limit: Any, amounts: Any, endpoint_id: str, changes: dict[str, Any]
) -> None:
    policy_id = limit(100)
    gateway.do(request(endpoint_id, 7, request_id="same"))
    error = gateway.refused(request(endpoint_id, **{"nanos": 7, "request_id": "same", **changes}))
    assert (error.code, [each.field for each in error.field_violations]) == (Code.INVALID_ARGUMENT, ["request_id"])
    assert amounts(policy_id) == (0, 7, 93)
    # Explicit defaults are the same content, and charges have request_ids of their own.
    assert gateway.do(request(endpoint_id, 7, request_id="same", workspace="default", ttl_ms=10 * MINUTE)).reservation
    charge = {"endpoint_id": endpoint_id, "budget_unit": "USD", "request_id": "same"}
    gateway.do(RecordGatewaySpendRequest(amount_nanos=1, **charge))
    assert amounts(policy_id) == (1, 7, 92)


def test_a_rejection_is_not_stored(gateway: Any, reserve: Any, limit: Any, endpoint_id: str) -> None:
    limit(100)
    held, sent = reserve(60), request(endpoint_id, 60)
    assert gateway.do(sent).HasField("refusal")
    release(gateway, held)
    assert gateway.do(sent).HasField("reservation")


def test_what_is_settled_stays_so(gateway: Any, reserve: Any, limit: Any, amounts: Any) -> None:
    policy_id = limit(100)
    committed, released = reserve(10), reserve(20)
    commit(gateway, committed, 10)
    release(gateway, released)

    def of(kind: Any, response: Any, **fields: Any) -> Any:
        return kind(reservation_id=response.reservation.reservation_id, **fields)

    for wrong in (
        of(CommitGatewaySpendRequest, committed, amount_nanos=11),
        of(ReleaseGatewaySpendRequest, committed),
        of(ExtendGatewaySpendRequest, committed),
        of(CommitGatewaySpendRequest, released, amount_nanos=0),
        of(ExtendGatewaySpendRequest, released),
    ):
        error = gateway.refused(wrong)
        assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "RESERVATION_SETTLED")
    assert amounts(policy_id) == (10, 0, 90)
