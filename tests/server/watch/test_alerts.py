"""Alerts of budgets in the watch stream: each reaches every watcher, and those that were away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from gateway_entities.server.watch import alerts
from gateway_entities.server.watch.feed import Feed
from gatewayentities.v1.budget_pb2 import RecordGatewaySpendRequest
from gatewayentities.v1.change_pb2 import WatchGatewayResponse
from tests.server.service.conftest import Gateway
from tests.server.watch.conftest import Watcher


class Spender:
    """Spends on an endpoint with a policy of 1000 nano-units, and policies of which each charge of 5 crosses all shares."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._endpoint_id = gateway.endpoint().endpoint_id
        self._number = 0

    def policy(self, nanos: int, action: str = "ALERT") -> str:
        return self._gateway.policy(budget_amount=nanos / 10**9, budget_action=action).budget_policy_id

    def spend(self, nanos: int) -> None:
        self._number += 1
        charge = {"endpoint_id": self._endpoint_id, "budget_unit": "USD", "request_id": f"r{self._number}"}
        self._gateway.do(RecordGatewaySpendRequest(amount_nanos=nanos, **charge))


@pytest.fixture
def spender(gateway: Gateway) -> Spender:
    return Spender(gateway)


def shares(message: WatchGatewayResponse) -> list[int]:
    return [alert.share_percent for alert in message.alerts]


@pytest.mark.parametrize("action", ["ALERT", "REJECT"])
async def test_every_watcher_gets_an_alert_once_and_soon(
    make_feed: Callable[..., Feed], spender: Spender, action: str
) -> None:
    policy_id = spender.policy(1000, action)
    # One of this server, and one of another.
    watchers = [Watcher(feed) for feed in (make_feed(), make_feed()) for _ in range(2)]
    for watcher in watchers:
        await watcher.update()
    spender.spend(499)
    began = time.monotonic()
    spender.spend(1)
    for watcher in watchers:
        update = await watcher.one()
        assert (shares(update), list(update.resources), update.is_snapshot) == ([50], [], False)
        assert update.alerts[0].budget_policy.budget_policy_id == policy_id
    assert time.monotonic() - began < 2
    spender.spend(1)
    spender.spend(499)
    for watcher in watchers:
        assert shares(await watcher.one()) == [80, 100]


async def test_alerts_and_changes_come_in_one_stream(gateway: Gateway, feed: Feed, spender: Spender) -> None:
    watcher = Watcher(feed)
    first = await watcher.one()
    policy_id = spender.policy(10)
    changed = await watcher.one()
    assert [each.id for each in changed.resources] == [policy_id]
    spender.spend(5)
    alerted = await watcher.one()
    assert (alerted.revision, alerted.store_id, shares(alerted)) == (changed.revision, first.store_id, [50])
    secret_id = gateway.secret().secret_id
    last = await watcher.one()
    assert ([each.id for each in last.resources], shares(last)) == ([secret_id], [])


async def test_a_new_watcher_begins_with_the_alerts_from_then_on(feed: Feed, spender: Spender) -> None:
    spender.policy(10)
    spender.spend(5)
    watcher = Watcher(feed)
    assert shares(await watcher.one()) == []
    spender.spend(3)
    assert shares(await watcher.one()) == [80]


@pytest.mark.parametrize("before", ["snapshot", "alert", "change"])
async def test_a_watcher_that_was_away_gets_all_alerts_since(
    gateway: Gateway, make_feed: Callable[..., Feed], spender: Spender, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    monkeypatch.setattr(alerts, "_MAX_ALERTS", 2)
    spender.policy(10)
    watcher = Watcher(make_feed())
    await watcher.update()
    expected = [50, 80, 100]
    if before == "alert":
        spender.spend(5)
        assert shares(await watcher.one()) == [50]
        expected = [80, 100]
    elif before == "change":
        gateway.secret()
        await watcher.update()
    await watcher.stream.aclose()
    secret_id = gateway.secret().secret_id
    spender.spend(10)
    # At another server.
    again = Watcher(make_feed(), watcher.token)
    found: list[int] = []
    written: list[str] = []
    while len(found) < len(expected) or not written:
        update = await again.one()
        assert len(update.alerts) <= 2
        found += shares(update)
        written += [each.id for each in update.resources]
    assert (found, written) == (expected, [secret_id])
    spender.policy(1000)
    assert [shares(update) for update in [await again.one()]] == [[]]


async def test_no_token_is_ahead_of_the_alerts_before_it(gateway: Gateway, feed: Feed, spender: Spender) -> None:
    spender.policy(1000)
    watcher = Watcher(feed)
    await watcher.update()
    seen: list[int] = []
    for number in range(12):
        spender.spend(100)
        if number % 3 == 0:
            gateway.secret()
        await asyncio.sleep(0.02)
    while len(seen) < 3:
        update = await watcher.one()
        seen += shares(update)
        # A watcher that continues here gets the rest, and no watcher gets less.
        again = Watcher(feed, watcher.token)
        rest: list[int] = []
        while len(seen) + len(rest) < 3:
            rest += shares(await again.one())
        assert [*seen, *rest] == [50, 80, 100]
        await again.stream.aclose()


async def test_alerts_that_have_outlived_their_retention_are_no_gap(
    gateway: Gateway, make_feed: Callable[..., Feed], spender: Spender
) -> None:
    spender.policy(10)
    watcher = Watcher(make_feed())
    await watcher.update()
    await watcher.stream.aclose()
    spender.spend(10)
    gateway.place.execute("DELETE FROM spend_alerts WHERE alert_id < 3")
    again = Watcher(make_feed(), watcher.token)
    assert shares(await again.one()) == [100]
    await again.stream.aclose()
    gateway.place.execute("DELETE FROM spend_alerts")
    secret_id = gateway.secret().secret_id
    last = Watcher(make_feed(), watcher.token)
    assert [each.id for each in (await last.one()).resources] == [secret_id]
