"""Alerts of a budget at the watchers of all servers of a store."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from gateway_entities import GatewayClient, GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.entities import BudgetDuration, BudgetDurationUnit, GatewaySpendAlert
from gateway_entities.mirror import GatewayMirror, MirrorUpdate
from gateway_entities.server.server import Server
from tests.stores import KINDS, postgresql_place, serving, sqlite_place

ARRIVAL_S = 30


class Received:
    """A subscriber that keeps the alerts of a mirror."""

    def __init__(self) -> None:
        self.alerts = queue.Queue[GatewaySpendAlert]()

    def __call__(self, update: MirrorUpdate) -> None:
        for alert in update.alerts:
            self.alerts.put(alert)

    def until(self, policy_id: str) -> list[tuple[str, int]]:
        """Return the policy and the share of each alert, up to the first of a policy."""
        found: list[tuple[str, int]] = []
        while not found or found[-1][0] != policy_id:
            alert = self.alerts.get(timeout=ARRIVAL_S)
            found.append((alert.budget_policy.budget_policy_id, alert.share_percent))
        return found


@pytest.fixture(params=KINDS)
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Server]]:
    """Two servers of one store."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            place = sqlite_place(tmp_path / "gateway.sqlite", with_tables=True)
        else:
            server = request.getfixturevalue("postgresql")
            place = stack.enter_context(postgresql_place(server, tmp_path / "gateway.key", with_tables=True))
        yield [stack.enter_context(serving(place)) for _ in range(2)]


def test_every_watcher_sees_once_that_one_charge_has_crossed_a_policy(servers: list[Server]) -> None:
    with ExitStack() as stack:
        writer = stack.enter_context(GatewayClient(servers[0].grpc_target))
        secret = writer.create_secret(secret_name="key", secret_value={"api_key": "sk-0123456789abcdef"})
        definition = writer.create_model_definition(
            name="m", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o"
        )
        config = GatewayEndpointModelConfig(definition.model_definition_id, GatewayModelLinkageType.PRIMARY)
        spent, other = (writer.create_endpoint(name, [config]).endpoint_id for name in ("spent", "other"))
        policy, last = policy_of(writer, spent), policy_of(writer, other)
        watchers: list[Received] = []
        for target in (servers[0].grpc_target, servers[0].http_target, servers[1].grpc_target, servers[1].http_target):
            received = Received()
            mirror = stack.enter_context(GatewayMirror(stack.enter_context(GatewayClient(target))))
            mirror.subscribe(received)
            watchers.append(received)
            mirror.wait_for(writer.list_changes()[-1].revision or 0)
        charge = writer.record_spend(spent, amount=Decimal("2.5"))
        assert [alert.share_percent for alert in charge.alerts] == [50, 80, 100]
        # In the same window nothing is new.
        assert writer.record_spend(spent, amount=1).alerts == []
        with writer.reserve_spend(spent, 1) as reservation:
            assert reservation.commit(3).alerts == []
        writer.record_spend(other, amount=1)
        for received in watchers:
            assert received.until(last) == [(policy, 50), (policy, 80), (policy, 100), (last, 50)]


def policy_of(writer: GatewayClient, endpoint_id: str) -> str:
    made = writer.create_budget_policy(
        budget_unit="USD",
        budget_amount=1.0,
        duration=BudgetDuration(BudgetDurationUnit.MONTHS, 12),
        target_scope="ENDPOINT",
        target_value=endpoint_id,
        budget_action="ALERT",
    )
    return made.budget_policy_id
