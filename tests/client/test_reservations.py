"""Reservations, corrections, balances and reports through every client."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from gateway_entities import (
    AsyncGatewayClient,
    BudgetAction,
    BudgetDuration,
    BudgetExceededError,
    BudgetOverrunCause,
    BudgetUnit,
    Code,
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelLinkageType,
    GatewayReservationState,
    from_nanos,
)

DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture
def endpoint(client, define, unique):
    config = GatewayEndpointModelConfig(define().model_definition_id, GatewayModelLinkageType.PRIMARY)
    return client.create_endpoint(unique("endpoint"), [config]).endpoint_id


@pytest.fixture
def limit(client, endpoint):
    """Sets a budget of the endpoint."""

    def limit(amount, action=BudgetAction.REJECT):
        return client.create_budget_policy(
            budget_unit=BudgetUnit.USD,
            budget_amount=amount,
            duration=BudgetDuration("MONTHS", 1200),
            target_scope="ENDPOINT",
            budget_action=action,
            target_value=endpoint,
        ).budget_policy_id

    return limit


def amounts(client, policy):
    """Return what is recorded, reserved and remaining."""
    [balance] = client.list_budget_balances(budget_policy_id=policy)
    nanos = (balance.recorded_nanos, balance.reserved_nanos, balance.remaining_nanos)
    return tuple(str(from_nanos(each)) for each in nanos)


def test_a_block_commits_what_it_says(client, other, endpoint, limit):
    policy = limit(1.0)
    with client.reserve_spend(endpoint, "0.4", user="ann") as reservation:
        assert reservation.reservation.state is GatewayReservationState.OPEN
        assert amounts(other, policy) == ("0", "0.4", "0.6")
        settled = reservation.commit(Decimal("0.1234567"))
    assert (settled.reservation.state, settled.reservation.recorded_nanos) == (
        GatewayReservationState.COMMITTED,
        123_456_700,
    )
    assert reservation.reservation == settled.reservation
    assert [balance.budget_policy_id for balance in settled.balances] == [policy]
    assert amounts(client, policy) == ("0.1234567", "0", "0.8765433")


def test_a_block_commits_the_estimate_by_default(client, endpoint, limit):
    policy = limit(1.0)
    with client.reserve_spend(endpoint, "0.4"):
        pass
    assert amounts(client, policy) == ("0.4", "0", "0.6")


def fail(client, endpoint, settle=lambda _reservation: None):
    """Reserve, and raise an exception in the block."""
    with client.reserve_spend(endpoint, "0.4") as reservation:
        settle(reservation)
        raise ZeroDivisionError(reservation.reservation_id)


def test_a_block_that_fails_releases(client, endpoint, limit):
    policy = limit(1.0)
    with pytest.raises(ZeroDivisionError):
        fail(client, endpoint)
    assert amounts(client, policy) == ("0", "0", "1")
    # Unless it was settled before.
    with pytest.raises(ZeroDivisionError):
        fail(client, endpoint, lambda reservation: reservation.commit("0.3"))
    assert amounts(client, policy) == ("0.3", "0", "0.7")


def test_a_block_whose_commit_fails_does_not_release(client, endpoint, limit):
    """The provider was paid."""
    policy = limit(1.0)
    with pytest.raises(GatewayError) as caught:
        fail(client, endpoint, lambda reservation: reservation.commit(0.3))
    assert caught.value.code is Code.INVALID_ARGUMENT
    [note] = caught.value.__notes__
    reservation_id = note.split()[2]
    assert amounts(client, policy) == ("0", "0.4", "0.6")
    client.commit_spend(reservation_id, "0.3")
    assert amounts(client, policy) == ("0.3", "0", "0.7")


def test_a_release_that_fails_does_not_hide_the_exception(client, endpoint, limit):
    limit(1.0)
    with pytest.raises(ZeroDivisionError) as caught:
        fail(client, endpoint, lambda reservation: client.commit_spend(reservation.reservation_id, "0.2"))
    [note] = caught.value.__notes__
    assert str(caught.value) in note


async def test_the_async_client_reserves_in_a_block_or_when_awaited(running):
    async with AsyncGatewayClient(running.grpc_target) as client:
        secret = await client.create_secret("async", {"api_key": "sk-0123456789abcdef"}, provider="openai")
        model = await client.create_model_definition(
            "async", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o"
        )
        config = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
        endpoint = (await client.create_endpoint("async", [config])).endpoint_id
        async with client.reserve_spend(endpoint, "0.4") as reservation:
            assert reservation.reservation.state is GatewayReservationState.OPEN
        assert reservation.reservation.recorded_nanos == 400_000_000
        with pytest.raises(ZeroDivisionError):
            async with client.reserve_spend(endpoint, "0.4") as reservation:
                raise ZeroDivisionError
        assert reservation.reservation.state is GatewayReservationState.RELEASED
        settled = {"amount": "0.4", "request_id": "settled"}
        await (await client.reserve_spend(endpoint, **settled)).release()
        with pytest.raises(GatewayError, match="was released"):
            async with client.reserve_spend(endpoint, **settled):
                pytest.fail("the block must not begin")
        awaited = await client.reserve_spend(endpoint, "0.4")
        assert (await awaited.commit("0.1")).reservation.recorded_nanos == 100_000_000


def test_a_reservation_without_a_block_is_settled_by_its_id(client, other, endpoint, limit):
    policy = limit(1.0)
    first, second = client.reserve_spend(endpoint, "0.4"), client.reserve_spend(endpoint, 0)
    first.extend(DAY_MS)
    assert first.reservation.expires_at - first.reservation.created_at >= DAY_MS
    assert other.extend_spend(first.reservation_id).expires_at == first.reservation.expires_at
    assert other.commit_spend(first.reservation_id, "0.5").reservation.recorded_nanos == 500_000_000
    assert second.release().reservation.state is GatewayReservationState.RELEASED
    assert other.release_spend(second.reservation_id).reservation.state is GatewayReservationState.RELEASED
    assert amounts(client, policy) == ("0.5", "0", "0.5")
    with pytest.raises(GatewayError) as caught:
        other.commit_spend(first.reservation_id, "0.6")
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "RESERVATION_SETTLED")


def test_a_rejection_names_the_budget(client, endpoint, limit):
    limit(10.0)
    policy = limit(1.0)
    client.record_spend(endpoint, amount="0.7")
    with (
        pytest.raises(
            BudgetExceededError, match=rf"{policy} \(ENDPOINT {endpoint}\) has 0.3 of 1 USD left until 2070-01-01T00:00:00Z"
        ) as caught,
        client.reserve_spend(endpoint, 1),
    ):
        pytest.fail("the block must not begin")
    assert (caught.value.code, caught.value.reason) == (Code.RESOURCE_EXHAUSTED, "BUDGET_EXCEEDED")
    rejection = caught.value.rejection
    assert (rejection.budget_policy.budget_policy_id, rejection.balance.remaining_nanos) == (policy, 300_000_000)
    assert rejection.balance.window_end_ms > time.time() * 1000


def test_a_repeat_returns_the_same_reservation(client, other, endpoint, limit, unique):
    policy, request_id = limit(1.0), unique("reservation")
    found = [each.reserve_spend(endpoint, "0.4", request_id=request_id) for each in (client, other, client)]
    assert len({each.reservation_id for each in found}) == 1
    assert amounts(client, policy) == ("0", "0.4", "0.6")
    with pytest.raises(GatewayError, match="request_id"):
        client.reserve_spend(endpoint, "0.5", request_id=request_id)


@pytest.mark.parametrize("settle", ["commit", "release"])
def test_a_block_does_not_begin_with_a_reservation_that_was_settled(client, endpoint, limit, unique, settle):
    """Else a retry under the same key would be served from a budget that is spent."""
    policy, request_id = limit(1.0), unique("reservation")
    first = client.reserve_spend(endpoint, "0.4", request_id=request_id)
    if settle == "commit":
        first.commit("0.4")
    else:
        first.release()
    client.record_spend(endpoint, amount="1")
    before = amounts(client, policy)
    repeat = client.reserve_spend(endpoint, "0.4", request_id=request_id)
    with pytest.raises(GatewayError, match=f"was {settle}") as caught, repeat:
        pytest.fail("the block must not begin")
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "RESERVATION_SETTLED")
    assert amounts(client, policy) == before


def test_a_block_may_begin_with_a_reservation_that_has_expired(client, endpoint, limit, unique):
    """Its estimate is recorded, so that the budget is kept."""
    policy, request_id = limit(1.0), unique("reservation")
    client.reserve_spend(endpoint, "0.4", ttl_ms=1, request_id=request_id)
    time.sleep(0.01)
    with client.reserve_spend(endpoint, "0.4", ttl_ms=1, request_id=request_id) as reservation:
        assert reservation.reservation.state is GatewayReservationState.EXPIRED
        reservation.commit("0.1")
    assert amounts(client, policy) == ("0.1", "0", "0.9")


def test_concurrent_callers_never_exceed_the_limit(client, endpoint, limit):
    policy = limit(1.0)

    def call(_):
        try:
            with client.reserve_spend(endpoint, "0.3") as reservation:
                reservation.commit("0.3")
        except BudgetExceededError:
            return 0
        return 1

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(call, range(20))) == 3
    assert amounts(client, policy) == ("0.9", "0", "0.1")


def test_alerts_come_with_the_charge_that_raises_them(client, other, endpoint, limit, unique):
    policy, request_id = limit(1.0, BudgetAction.ALERT), unique("charge")
    assert client.record_spend(endpoint, amount="0.4").alerts == []
    charges = [each.record_spend(endpoint, amount="0.4", request_id=request_id) for each in (client, other)]
    assert [[alert.share_percent for alert in charge.alerts] for charge in charges] == [[50, 80], [50, 80]]
    with client.reserve_spend(endpoint, "0.1") as reservation:
        assert reservation.alerts == []
        settled = reservation.commit("0.3")
    [alert] = settled.alerts
    assert (alert.share_percent, alert.budget_policy.budget_policy_id, alert.balance.recorded_nanos) == (
        100,
        policy,
        1_100_000_000,
    )
    [overrun] = settled.balances[0].overruns
    assert (overrun.cause, overrun.amount_nanos) == (BudgetOverrunCause.COMMIT, 100_000_000)
    assert not charges[0].saturated


def test_a_correction_is_in_the_change_log(client, endpoint, limit):
    policy = limit(1.0)
    client.record_spend(endpoint, amount="0.7")
    assert client.adjust_spend(policy, "-0.2", reason="a refund", updated_by="ann").recorded_nanos == 500_000_000
    assert client.adjust_spend(policy, recorded=0, reason="a new start").recorded_nanos == 0
    first, second = list(client.list_changes())[-2:]
    assert (first.rpc, first.actor, first.spend_adjustment.reason) == ("AdjustGatewaySpend", "ann", "a refund")
    assert (second.spend_adjustment.before_nanos, second.spend_adjustment.after_nanos) == (500_000_000, 0)
    for wrong in ({}, {"amount": 1, "recorded": 1}):
        with pytest.raises(GatewayError) as caught:
            client.adjust_spend(policy, reason="r", **wrong)
        assert [each.field for each in caught.value.field_violations] == ["amount_nanos"]


def test_windows_and_spending_are_listed_in_pages(client, endpoint, limit):
    policy = limit(1.0)
    assert client.list_budget_balances(budget_policy_id=policy, ended_since=0) == []
    for user in ("ann", "bob", None):
        client.record_spend(endpoint, amount="0.1", user=user)
    [window] = client.list_budget_balances(budget_policy_id=policy, ended_since=0)
    assert window.recorded_nanos == 300_000_000
    totals = client.list_spend(group_by=["ENDPOINT", "USER"], endpoint_id=endpoint)
    assert [(each.user, each.amount_nanos, each.charges, each.day_start_ms) for each in totals] == [
        ("", 100_000_000, 1, None),
        ("ann", 100_000_000, 1, None),
        ("bob", 100_000_000, 1, None),
    ]
    pages = list(client.iter_spend(endpoint_id=endpoint, page_size=2).by_page())
    assert [len(page) for page in pages] == [2, 1]
    assert [each.user for page in pages for each in page] == ["", "ann", "bob"]
    assert policy in {each.budget_policy_id for each in client.iter_budget_balances(page_size=1)}
    with pytest.raises(GatewayError, match="group_by"):
        client.list_spend(group_by=["WEEK"])


@pytest.mark.parametrize("amount", [0.1, True, "0.0000000001", "NaN", "one"])
def test_an_amount_that_is_not_exact_is_refused(client, endpoint, amount):
    for call in (
        lambda: client.reserve_spend(endpoint, amount),
        lambda: client.commit_spend("br-1", amount),
        lambda: client.record_spend(endpoint, amount=amount),
        lambda: client.adjust_spend("bp-1", amount, reason="r"),
    ):
        with pytest.raises(GatewayError) as caught:
            call()
        assert [each.field for each in caught.value.field_violations] == ["amount_nanos"]
