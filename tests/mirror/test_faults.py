"""Mirrors of real servers show the store's states and nothing else, under faults and in one large change."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import pytest

from gateway_entities import GatewayClient, GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.entities import GatewayEndpointBinding
from gateway_entities.server.store import Store
from gateway_entities.server.watch.ring import Ring
from gateway_entities.server.watch.update import Update
from tests import profiles
from tests.mirror.faults import run
from tests.mirror.ledger import Checker, Ledger, Shown
from tests.mirror.recording_mirrors import Loop, RecordingMirror
from tests.stores import KINDS, Place, postgresql_place, serving, sqlite_place

RUNS = profiles.count(100, 1)
"""For each store, in blocks that may run side by side."""
BLOCK = 5
FAULTS = 8 if profiles.PROFILE.share is None else 30
EFFECTS = profiles.whole(50_000, 2_000)
SECRET = {"api_key": "sk-0123456789"}


def place_of(request: pytest.FixtureRequest, kind: str, folder: Path) -> Any:
    if kind == "sqlite":
        return nullcontext(sqlite_place(folder / "gateway.sqlite", with_tables=True))
    return postgresql_place(request.getfixturevalue("postgresql"), folder / "gateway.key", with_tables=True)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", range(0, RUNS, BLOCK))
def test_each_state_under_faults_is_the_store_s(request, tmp_path, kind, first):
    for number in range(first, min(first + BLOCK, RUNS)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with place_of(request, kind, folder) as place:
            result = run(place, folder, FAULTS, seed := profiles.SEED + number)
        shown = "\n".join(result.violations[:5])
        assert not result.violations, f"seed {seed}, faults {result.faults}:\n{shown}"
        assert any("restored" in fault for fault in result.faults)
        assert result.shown > FAULTS


class Watched:
    """A store with a server, and a mirror over each transport, sync and async."""

    def __init__(self, place: Place, folder: Path, stack: ExitStack) -> None:
        self.store: Store = place.open()
        stack.callback(self.store.close)
        self.server = stack.enter_context(serving(place))
        loop = stack.enter_context(Loop().running())
        self.mirrors = [RecordingMirror(mode, folder / f"mirror-{mode}", loop) for mode in ("sync", "async")]
        self.client = stack.enter_context(GatewayClient(self.server.grpc_target))
        self.ledger = Ledger()
        self._stack = stack

    def start(self) -> None:
        targets = self.server.grpc_target, self.server.http_target
        for mirror, target in zip(self.mirrors, targets, strict=True):
            mirror.start(target)
            self._stack.callback(mirror.stop)

    def settle(self) -> None:
        """Read the ledger, and wait for the mirrors."""
        self.ledger.read(self.store)
        deadline = time.monotonic() + 60
        while any((each.state.store_id, each.state.revision) != self.ledger.last for each in self.mirrors):
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def violations(self) -> list[str]:
        checker = Checker(self.ledger)
        return [
            found for each in self.mirrors for life in each.lives for found in checker.violations(life.before, list(life))
        ]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with ExitStack() as stack:
        yield Watched(sqlite_place(tmp_path / "store.sqlite", with_tables=True), tmp_path, stack)


def secrets(watched: Watched, first: int, count: int) -> list[str]:
    """Create secrets, each of which the mirrors show."""
    found: list[str] = []
    for number in range(first, first + count):
        found.append(watched.client.create_secret(f"s{number}", SECRET).secret_id)
        watched.settle()
    return found


def test_the_checker_notices_what_a_recording_lacks_or_repeats(watched: Watched) -> None:
    watched.start()
    deleted = secrets(watched, 0, 4)[1]
    watched.client.delete_secret(secret_id=deleted)
    watched.settle()
    assert watched.violations() == []
    (life,) = watched.mirrors[0].lives
    checker = Checker(watched.ledger)

    def found(*shown: Shown) -> str:
        return "\n".join(checker.violations(life.before, shown))

    recorded = [each for each in life if each.events]
    assert found(*recorded) == ""
    third = recorded[2]
    for events in ((), (*third.events, *third.events), tuple(event._replace(after=None) for event in third.events)):
        assert "event" in found(*recorded[:2], Shown(third.state, events))
    assert "event" in found(*recorded[:2], *recorded[3:])
    assert "event" in found(*recorded[:3], third)
    assert "after revision" in found(recorded[0], recorded[2], recorded[1])
    for fields in ({"secrets": recorded[1].state.secrets}, {"store_id": "other"}, {"revision": 99}):
        assert f"revision {fields.get('revision', third.state.revision)} " in found(
            *recorded[:2], Shown(dataclasses.replace(third.state, **fields), third.events)
        )


def test_the_checker_notices_an_update_that_a_server_skips(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    append = Ring.append

    def skipping(ring: Ring, update: Update) -> None:
        # What it wrote is lost; the next update begins after it.
        append(ring, Update(update.since, update.revision, _without_content(update)) if update.revision == 3 else update)

    monkeypatch.setattr(Ring, "append", skipping)
    watched.start()
    secrets(watched, 0, 4)
    found = watched.violations()
    assert len(found) == 2 * len(watched.mirrors)
    assert all("resources are not the store's" in each for each in found)
    assert [each[:10] for each in found] == ["revision 3", "revision 4"] * len(watched.mirrors)


def _without_content(update: Update) -> tuple[bytes, ...]:
    from gatewayentities.v1.change_pb2 import WatchGatewayResponse

    message = WatchGatewayResponse.FromString(update.messages[-1])
    del message.resources[:], message.removed[:]
    return (message.SerializeToString(),)


@pytest.mark.parametrize("kind", KINDS)
def test_one_change_with_many_effects_is_one_update(request, tmp_path, kind):
    """An endpoint is deleted, with its bindings."""
    with ExitStack() as stack:
        watched = Watched(stack.enter_context(place_of(request, kind, tmp_path)), tmp_path, stack)
        (secret_id,) = [watched.client.create_secret("s", SECRET).secret_id]
        definition = watched.client.create_model_definition("d", secret_id=secret_id, provider="openai", model_name="gpt-4o")
        config = GatewayEndpointModelConfig(definition.model_definition_id, GatewayModelLinkageType.PRIMARY)
        endpoint = watched.client.create_endpoint("e", [config])
        with watched.store.write() as transaction:
            for number in range(EFFECTS):
                transaction.bindings.add(GatewayEndpointBinding(endpoint.endpoint_id, "scorer", f"r{number}", 1, 1))
        watched.start()
        watched.settle()
        watched.client.delete_endpoint(endpoint.endpoint_id)
        watched.settle()
        assert watched.violations() == []
        for mirror in watched.mirrors:
            # A slow machine may have lost the first stream.
            events = [shown.events for life in mirror.lives for shown in life]
            removed = [each for each in events if any(event.kind == "removed" for event in each)]
            assert list(map(len, removed)) == [EFFECTS + 1]
            assert not mirror.state.bindings
