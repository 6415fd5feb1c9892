"""Servers whose clock libfaketime sets: nothing that is still needed is deleted, and no change takes effect twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway_entities.client import GatewayClient
from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    GatewayEndpointModelConfig,
    GatewayModelLinkageType,
)
from gateway_entities.errors import Code, GatewayError
from tests.server.consistency.server_process import ServerProcess
from tests.server.fake_clock import NOW, FakeClock
from tests.server.raw import request
from tests.stores import Place, sqlite_place

pytestmark = pytest.mark.programs

DAY_LATER, MONTH_LATER = "+25h", "+40d"
CHARGES = 31


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return sqlite_place(tmp_path / "gateway.sqlite", with_tables=True)


def prepare(client: GatewayClient) -> str:
    """Create an endpoint with a budget policy; return the endpoint's id."""
    endpoint = client.create_endpoint(name="chat", model_configs=[model(client)])
    client.create_budget_policy(
        budget_unit=BudgetUnit.USD,
        budget_amount=1000.0,
        duration=BudgetDuration(BudgetDurationUnit.MONTHS, 1),
        target_scope=BudgetTargetScope.GLOBAL,
        budget_action=BudgetAction.REJECT,
    )
    return endpoint.endpoint_id


def model(client: GatewayClient) -> GatewayEndpointModelConfig:
    secret = client.create_secret(secret_name="key", secret_value={"api_key": "sk-0123456789abcdef"})
    definition = client.create_model_definition(name="m", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
    return GatewayEndpointModelConfig(definition.model_definition_id, GatewayModelLinkageType.PRIMARY)


def charge(client: GatewayClient, endpoint_id: str, request_id: str) -> None:
    client.record_spend(endpoint_id=endpoint_id, amount_nanos=10**9, budget_unit=BudgetUnit.USD, request_id=request_id)


def spent(client: GatewayClient) -> float:
    [window] = client.list_budget_windows()
    return window.current_spend


def tag(client: GatewayClient, endpoint_id: str, value: str, request_id: str) -> None:
    client.set_endpoint_tag(endpoint_id=endpoint_id, key="k", value=value, request_id=request_id)


def tag_value(client: GatewayClient, endpoint_id: str) -> str | None:
    [found] = client.get_endpoint(endpoint_id=endpoint_id).tags
    return found.value


def assert_refused(attempt: Callable[..., None], *arguments: object) -> None:
    with pytest.raises(GatewayError) as caught:
        attempt(*arguments)
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "CLOCK_JUMP")


def await_readiness(server: ServerProcess, status: int, reason: str | None = None) -> None:
    end = time.monotonic() + 20
    while True:
        response = request(server.targets["http"], "GET", "/readyz")
        if (response.status, response.json.get("reason")) == (status, reason):
            return
        assert time.monotonic() < end, response
        time.sleep(0.05)


def test_a_jump_and_a_start_with_a_wrong_clock_lose_no_spend_and_repeat_no_change(
    place: Place, fake_clock: FakeClock, tmp_path: Path
) -> None:
    server = ServerProcess(place, tmp_path / "log", fake_clock.environment)
    with server.running(), server.client("http") as client:
        endpoint_id = prepare(client)
        charge(client, endpoint_id, "first")
        tag(client, endpoint_id, "one", "named")
        tag(client, endpoint_id, "two", "later")
        for offset in (MONTH_LATER, DAY_LATER):
            fake_clock.set(offset)
            await_readiness(server, 503, "CLOCK_JUMP")
            assert_refused(charge, client, endpoint_id, offset)
            assert_refused(tag, client, endpoint_id, "one", "named")
            assert (spent(client), tag_value(client, endpoint_id)) == (1.0, "two")
    with server.running(), server.client("http") as client:
        await_readiness(server, 503, "CLOCK_JUMP")
        assert_refused(tag, client, endpoint_id, "one", "named")
        fake_clock.set(NOW)
        await_readiness(server, 200)
        charge(client, endpoint_id, "second")
        tag(client, endpoint_id, "one", "named")
        assert (spent(client), tag_value(client, endpoint_id)) == (2.0, "two"), "the repeat has no second effect"


def test_an_accepted_clock_needs_no_restart(place: Place, fake_clock: FakeClock, tmp_path: Path) -> None:
    server = ServerProcess(place, tmp_path / "log", fake_clock.environment)
    with server.running(), server.client("http") as client:
        endpoint_id = prepare(client)
        fake_clock.set("+1h")
        await_readiness(server, 503, "CLOCK_JUMP")
        command = [sys.executable, "-m", "gateway_entities.cli", "db", "clock", "accept", "--store", place.url]
        done = subprocess.run(
            command,
            env={**os.environ, **fake_clock.environment},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert "the clock is accepted" in done.stdout
        await_readiness(server, 200)
        charge(client, endpoint_id, "first")


def test_a_wrong_server_beside_a_right_one_on_postgresql_does_no_harm(
    postgresql_place: Place, fake_clock: FakeClock, tmp_path: Path
) -> None:
    fake_clock.set(MONTH_LATER)
    right = ServerProcess(postgresql_place, tmp_path / "right.log")
    wrong = ServerProcess(postgresql_place, tmp_path / "wrong.log", fake_clock.environment)
    with right.running(), wrong.running(), right.client("http") as one, wrong.client("http") as other:
        endpoint_id = prepare(one)
        charge(one, endpoint_id, "first")
        tag(one, endpoint_id, "one", "named")
        tag(one, endpoint_id, "two", "later")
        for number in range(CHARGES):
            charge(other, endpoint_id, f"wrong {number}")
        tag(other, endpoint_id, "one", "named")
        for client in (one, other):
            assert (spent(client), tag_value(client, endpoint_id)) == (1.0 + CHARGES, "two")
            for change in client.list_changes():
                assert abs(change.changed_at - time.time() * 1000) < 60_000
