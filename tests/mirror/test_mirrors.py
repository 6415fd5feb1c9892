"""Mirrors of a real server, over every transport: they follow, survive restarts, and start from their file."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_entities import Code, GatewayClient, GatewayError
from gateway_entities.mirror import GatewayMirror, MirrorUpdate
from gateway_entities.testing import Gateway, gateway
from tests.mirror.mirrors import NETWORKS, PAIRS, Site, eventually, open_mirror, site
from tests.stores import serving, sqlite_place


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


def latest(client: GatewayClient) -> int:
    return client.list_changes()[-1].revision


def secret(client: GatewayClient, name: str) -> Any:
    return client.create_secret(secret_name=name, secret_value={"api_key": "sk-0123456789"})


@pytest.fixture(scope="module", params=NETWORKS)
def everywhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("m"), request.param) as found:
        yield found


@pytest.mark.parametrize("pair", PAIRS)
def test_a_mirror_follows_its_server(everywhere: Site, pair: str) -> None:
    updates: list[MirrorUpdate] = []
    with everywhere.client() as client, everywhere.mirror(pair) as mirror, everywhere.mirror(pair) as other:
        assert mirror.age < 10
        unsubscribe = mirror.subscribe(updates.append)
        before = mirror.state
        found = secret(client, f"mirrored-{pair}")
        for each in (mirror, other):
            each.wait_for(latest(client))
            assert each.secrets[found.secret_id] == found
        assert found.secret_id not in before.secrets
        events = [event for update in updates for event in update.events]
        assert [event.kind for event in events if event.id == found.secret_id] == ["added"]
        unsubscribe()
        count = len(updates)
        client.delete_secret(secret_id=found.secret_id)
        last = latest(client)
        mirror.wait_for(last)
        assert found.secret_id not in mirror.secrets
        assert len(updates) == count
        assert mirror.error is None
        with pytest.raises(GatewayError) as caught:
            mirror.wait_for(last + 1, timeout=0.05)
        assert (caught.value.code, caught.value.reason) == (Code.DEADLINE_EXCEEDED, "MIRROR_BEHIND")
    assert mirror.revision == last


@pytest.mark.parametrize("pair", PAIRS)
def test_subscribers_hear_of_the_snapshot_of_an_empty_store(pair: str) -> None:
    updates: list[MirrorUpdate] = []
    with gateway() as running, GatewayClient(running.http_target) as client:
        target = running.grpc_target if pair.startswith("grpc") else running.http_target
        with open_mirror(target, pair.rpartition("-")[2], subscriber=updates.append) as mirror:
            eventually(lambda: len(updates) == 1, "the snapshot has come")
            secret(client, "first")
            mirror.wait_for(1)
    assert [(update.is_snapshot, len(update.events)) for update in updates] == [(True, 0), (False, 1)]


def test_a_wait_ends_with_the_mirror(running: Gateway) -> None:
    with GatewayClient(running.http_target) as client:
        mirror = GatewayMirror(client)
        mirror.start()
        mirror.wait_until_ready()
        errors: list[GatewayError] = []

        def wait() -> None:
            with pytest.raises(GatewayError) as caught:
                mirror.wait_for(10**9)
            errors.append(caught.value)

        thread = threading.Thread(target=wait)
        thread.start()
        began = time.monotonic()
        mirror.close()
        thread.join(5)
        assert time.monotonic() - began < 3
        assert [error.reason for error in errors] == ["MIRROR_CLOSED"]


def test_a_mirror_survives_a_restart_and_starts_from_its_file(tmp_path: Path) -> None:
    place, file = sqlite_place(tmp_path / "store.sqlite", with_tables=True), tmp_path / "mirror"
    with serving(place) as server:
        target = server.http_target
        with GatewayClient(target) as client, GatewayMirror(client, file=file) as mirror:
            found = secret(client, "kept")
            mirror.wait_for(1)
    with GatewayClient(target) as client, GatewayMirror(client, file=file) as mirror:
        # The server is away.
        assert mirror.secrets == {found.secret_id: found}
        assert mirror.age > 10
        while mirror.error is None:
            time.sleep(0.01)
        assert mirror.error.code is Code.UNAVAILABLE


def test_changes_through_another_server_come_soon(tmp_path: Path) -> None:
    place = sqlite_place(tmp_path / "store.sqlite", with_tables=True)
    with (
        serving(place) as one,
        serving(place) as two,
        GatewayClient(one.grpc_target) as client,
        GatewayMirror(client) as mirror,
        GatewayClient(two.http_target) as other,
    ):
        delays: list[float] = []
        for number in range(5):
            secret(other, f"k{number}")
            began = time.monotonic()
            mirror.wait_for(number + 1)
            delays.append(time.monotonic() - began)
        # 250 ms on an idle machine.
        assert sorted(delays)[2] < 0.5
