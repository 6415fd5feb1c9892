"""What a server does for budgets by itself: expired reservations, metrics, and the shares of its alerts."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from gateway_entities import (
    BudgetDuration,
    GatewayClient,
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelLinkageType,
    GatewayReservationState,
)
from gateway_entities.server import spend_upkeep
from gateway_entities.server.server import Server
from gateway_entities.testing import gateway


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewayClient]:
    monkeypatch.setattr(spend_upkeep, "_INTERVAL_S", 0.02)
    monkeypatch.setattr(spend_upkeep, "_METRICS_S", 0.0)
    with gateway() as served, GatewayClient(served.http_target) as client:
        yield client


@pytest.fixture
def endpoint_id(client: GatewayClient) -> str:
    secret = client.create_secret("key", {"api_key": "sk-0123456789abcdef"}, provider="openai")
    model = client.create_model_definition("model", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
    config = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
    return client.create_endpoint("endpoint", [config]).endpoint_id


@pytest.fixture
def policy_id(client: GatewayClient) -> str:
    return client.create_budget_policy(
        budget_unit="USD",
        budget_amount=1.0,
        duration=BudgetDuration("MONTHS", 1200),
        target_scope="GLOBAL",
        budget_action="ALERT",
    ).budget_policy_id


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "the server did nothing"
        time.sleep(0.02)


def test_a_reservation_that_is_never_settled_is_charged(client: GatewayClient, endpoint_id: str, policy_id: str) -> None:
    reservation = client.reserve_spend(endpoint_id, "0.25", ttl_ms=1)

    def recorded() -> int:
        [balance] = client.list_budget_balances(budget_policy_id=policy_id)
        return balance.recorded_nanos

    until(lambda: recorded() == 250_000_000)
    settled = client.commit_spend(reservation.reservation_id, "0.1").reservation
    assert settled.state is GatewayReservationState.COMMITTED
    assert recorded() == 100_000_000


def test_metrics_show_the_budgets_and_count_alerts(client: GatewayClient, endpoint_id: str, policy_id: str) -> None:
    def metrics() -> str:
        with urllib.request.urlopen(f"{client._target}/metrics", timeout=5) as response:
            text: str = response.read().decode()
            return text

    client.record_spend(endpoint_id, amount="1.25")
    client.reserve_spend(endpoint_id, "0.5")
    wanted = {"spend": 1.25, "reserved": 0.5, "limit": 1.0, "overrun": 0.75}
    lines = {f'gateway_budget_{name}{{budget_policy_id="{policy_id}"}} {value}' for name, value in wanted.items()}
    lines |= {f'gateway_budget_alerts_total{{share="{share}"}} 1.0' for share in (50, 80, 100)}
    until(lambda: lines <= set(metrics().splitlines()))
    client.delete_budget_policy(policy_id)
    until(lambda: "gateway_budget_spend{" not in metrics())


def test_the_shares_of_a_server_are_checked() -> None:
    Server("sqlite:///unused.sqlite", alert_shares=[1, 1000])
    with pytest.raises(GatewayError, match="alert_shares must be at most 20 numbers of 1 to 1000, in percent, is 0"):
        Server("sqlite:///unused.sqlite", alert_shares=[0])
