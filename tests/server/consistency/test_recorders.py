"""Concurrent recording of spending, over both transports, sync and async, loses no charge."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest

from gateway_entities import (
    AsyncGatewayClient,
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    Code,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
    GatewayClient,
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelLinkageType,
)
from gateway_entities.methods import CHECK_GATEWAY_BUDGET, RECORD_GATEWAY_SPEND
from gateway_entities.testing import Gateway, gateway
from tests import profiles

RECORDERS, CHARGES = profiles.count(100, 20), profiles.count(100, 10)


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


@pytest.fixture(params=["grpc", "http"])
def target(request: pytest.FixtureRequest, running: Gateway) -> str:
    return running.grpc_target if request.param == "grpc" else running.http_target


@pytest.fixture
def client(target: str) -> Iterator[GatewayClient]:
    with GatewayClient(target) as client:
        yield client


@pytest.fixture
def endpoint_id(client: GatewayClient) -> str:
    name = os.urandom(8).hex()
    secret = client.create_secret(name, {"api_key": "sk-0123456789"})
    model = client.create_model_definition(name, secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
    config = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
    return client.create_endpoint(name, [config]).endpoint_id


def limit(client: GatewayClient, scope: BudgetTargetScope, target: str | None, years: int = 100) -> GatewayBudgetPolicy:
    return client.create_budget_policy(
        budget_unit=BudgetUnit.USD,
        budget_amount=1.0,
        # Long, so that no window ends during a test.
        duration=BudgetDuration(BudgetDurationUnit.MONTHS, 12 * years),
        target_scope=scope,
        budget_action=BudgetAction.REJECT,
        target_value=target,
    )


@pytest.fixture
def policies(client: GatewayClient, endpoint_id: str) -> Iterator[list[GatewayBudgetPolicy]]:
    """Policies of every scope. Those that could match other tests' charges are deleted at the end."""
    made = [
        limit(client, BudgetTargetScope.GLOBAL, None),
        limit(client, BudgetTargetScope.WORKSPACE, None, 50),
        limit(client, BudgetTargetScope.ENDPOINT, endpoint_id),
        limit(client, BudgetTargetScope.USER, endpoint_id),
    ]
    yield made
    for policy in made:
        client.delete_budget_policy(policy.budget_policy_id)


# Both transports are used, regardless of the first.
once = pytest.mark.parametrize("target", ["grpc"], indirect=True)


def spends(client: GatewayClient, policies: list[GatewayBudgetPolicy]) -> list[float]:
    windows: dict[str, GatewayBudgetWindow] = {window.budget_policy_id: window for window in client.list_budget_windows()}
    return [windows[policy.budget_policy_id].current_spend for policy in policies]


def check_sums(client: GatewayClient, policies: list[GatewayBudgetPolicy]) -> None:
    everything = sum(nanos(recorder, number) for recorder in range(RECORDERS) for number in range(CHARGES))
    assert spends(client, policies) == [everything / 10**9] * len(policies)


def nanos(recorder: int, number: int) -> int:
    return recorder * CHARGES + number + 1


@once
def test_threads_lose_no_charge(
    running: Gateway, client: GatewayClient, endpoint_id: str, policies: list[GatewayBudgetPolicy]
) -> None:
    with GatewayClient(running.grpc_target) as grpc, GatewayClient(running.http_target) as http:

        def record(recorder: int) -> None:
            to = (grpc, http)[recorder % 2]
            for number in range(CHARGES):
                to.record_spend(endpoint_id, nanos(recorder, number), user=endpoint_id, timeout=120)

        with ThreadPoolExecutor(RECORDERS) as pool:
            list(pool.map(record, range(RECORDERS)))
    check_sums(client, policies)


@once
async def test_tasks_lose_no_charge_and_duplicates_count_once(
    running: Gateway, client: GatewayClient, endpoint_id: str, policies: list[GatewayBudgetPolicy]
) -> None:
    async with AsyncGatewayClient(running.grpc_target) as grpc, AsyncGatewayClient(running.http_target) as http:

        async def record(recorder: int, to: AsyncGatewayClient, other: AsyncGatewayClient) -> None:
            for number in range(CHARGES):
                # The same charge over both transports at the same time.
                calls = [
                    each.record_spend(
                        endpoint_id,
                        nanos(recorder, number),
                        user=endpoint_id,
                        request_id=f"{endpoint_id}/{recorder}/{number}",
                        timeout=120,
                    )
                    for each in (to, other)
                ]
                assert {len(windows) for windows in await asyncio.gather(*calls)} == {len(policies)}

        turns = cycle([(grpc, http), (http, grpc)])
        await asyncio.gather(*(record(recorder, *next(turns)) for recorder in range(RECORDERS)))
    check_sums(client, policies)


def test_the_client_sets_request_ids(client: GatewayClient, endpoint_id: str, policies: list[GatewayBudgetPolicy]) -> None:
    for spent in 0.1, 0.2:
        windows = client.record_spend(endpoint_id, 100_000_000, user=endpoint_id)
        assert [window.budget_policy_id for window in windows] == [policy.budget_policy_id for policy in policies]
        assert [window.current_spend for window in windows] == [spent] * 4
    for _ in range(2):
        client.record_spend(endpoint_id, 1, request_id=f"{endpoint_id}/once", occurred_at=windows[0].window_start_ms)
    # This is what permits retries.
    assert RECORD_GATEWAY_SPEND.idempotent
    assert CHECK_GATEWAY_BUDGET.idempotent


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_check(
    target: str,
    client: GatewayClient,
    endpoint_id: str,
    policies: list[GatewayBudgetPolicy],
    asynchronous: bool,
) -> None:
    async def check(**fields: str) -> tuple[bool, str | None, float | None]:
        if asynchronous:
            async with AsyncGatewayClient(target) as other:
                found = await other.check_budget(endpoint_id, **fields)
        else:
            found = client.check_budget(endpoint_id, **fields)
        policy = found.budget_policy
        assert (policy is None) == (found.window is None)
        return found.allowed, policy and policy.budget_policy_id, found.remaining

    ids = [policy.budget_policy_id for policy in policies]
    allowed, tightest, remaining = await check()
    assert (allowed, tightest in ids, remaining) == (True, True, 1.0)
    client.record_spend(endpoint_id, 999_999_999, workspace="elsewhere", user=endpoint_id)
    assert await check(workspace="elsewhere", user=endpoint_id) == (True, ids[0], 0.000000001)
    # That window ended at the end of 1969.
    assert client.record_spend(endpoint_id, 1_000_000_000, occurred_at=-1) == []
    assert (await check())[0]
    client.update_budget_policy(ids[2], budget_amount=0.5)
    assert await check() == (False, ids[2], 0.0)
    client.update_budget_policy(ids[2], budget_action=BudgetAction.ALERT)
    assert (await check())[0]


@pytest.mark.parametrize("amount", [1.5, "1", 2**63, -1])
def test_invalid_amounts(client: GatewayClient, endpoint_id: str, amount: object) -> None:
    with pytest.raises(GatewayError) as caught:
        client.record_spend(endpoint_id, amount)  # type: ignore[arg-type]
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert [violation.field for violation in caught.value.field_violations] == ["amount_nanos"]


def test_endpoint_not_found(client: GatewayClient) -> None:
    for call in (lambda: client.record_spend("nope", 1), lambda: client.check_budget("nope")):
        with pytest.raises(GatewayError) as caught:
            call()
        assert caught.value.code is Code.NOT_FOUND
