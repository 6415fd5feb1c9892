"""Random histories on a real store, with watchers that are killed, slow, or change servers.

Every state that a mirror shows is what the lists of the store showed at its revision.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from pathlib import Path

import pytest

from gateway_entities.errors import GatewayError
from gateway_entities.mirror import MirrorCore, MirrorEvent, MirrorState
from gateway_entities.server.watch.feed import Feed
from tests import profiles
from tests.mirror.ledger import MAPS
from tests.mirror.workload import Expected, Workload, assert_equal, read_state
from tests.server.service.conftest import Gateway
from tests.stores import sqlite_place

SEEDS = profiles.count(100, 4)
CHANGES = 60

Shown = list[tuple[MirrorState, str, tuple[MirrorEvent, ...]]]


class Node:
    """A gateway with a mirror, which notes what it has shown."""

    def __init__(self, feeds: list[Feed], random_: random.Random, *, ends: float, slow: float) -> None:
        self._feeds = feeds
        self._random = random_
        self._ends = ends
        self._slow = slow
        self.core = MirrorCore()
        self.shown: Shown = []

    async def run(self) -> None:
        while True:
            try:
                await self._watch()
            except GatewayError as error:
                # The first ones come with a token that the log does not reach any more.
                assert error.reason in {"REVISION_COMPACTED", "STORE_CHANGED"}, error  # noqa: PT017
                self.core.resume_token = ""
                self.core.accept_earlier()
            self.core.forget_parts()

    async def _watch(self) -> None:
        feed = self._random.choice(self._feeds)
        async with aclosing(feed.watch(self.core.resume_token)) as stream:
            async for message in stream:
                before = self.core.state
                update = self.core.apply(message)
                if update is not None:
                    assert_events(before, update.state, update.events)
                    self.shown.append((update.state, self.core.digest(), update.events))
                # In the middle of an update too.
                if self._random.random() < self._ends:
                    return
                await asyncio.sleep(self._random.random() * self._slow)


def assert_events(before: MirrorState, after: MirrorState, events: tuple[MirrorEvent, ...]) -> None:
    """Check that the events are what is different, each once."""
    for noun, name in MAPS.items():
        old, new = getattr(before, name), getattr(after, name)
        different = {key for key in {*old, *new} if old.get(key) != new.get(key)}
        told = [event for event in events if event.noun == noun]
        assert sorted(event.id for event in told) == sorted(different)
        assert all((event.before, event.after) == (old.get(event.id), new.get(event.id)) for event in told)


@pytest.fixture
def small_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages of two or three resources, and one bulk read for more than one resource."""
    monkeypatch.setattr("gateway_entities.server.watch.update.MESSAGE_BYTES", 2048)
    monkeypatch.setattr("gateway_entities.server.watch.reader._FEW", 1)
    monkeypatch.setattr("gateway_entities.server.watch.reader._PAGE", 3)


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.usefixtures("small_messages")
async def test_every_state_that_a_mirror_shows_is_the_store_s(seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"{profiles.SEED}-{seed}")
    place = sqlite_place(tmp_path / "store.sqlite", with_tables=True)
    store = place.open()
    gateway = Gateway(store, place)
    workload = Workload(gateway, chance)
    expected: dict[tuple[str, int], Expected] = {}

    def note(found: Expected) -> None:
        state = found[0]
        assert state.store_id is not None
        expected[state.store_id, state.revision] = found

    note(read_state(store))
    # Two servers, of which one has no buffer to speak of.
    feeds = [Feed(store, ring_bytes=chance.choice([1, 4096, 1_000_000]), bookmark_s=0.01) for _ in range(2)]
    habits = (0.0, 0.0), (0.3, 0.0), (0.0, 0.02), (0.1, 0.01)
    nodes = [Node(feeds, random.Random(chance.random()), ends=ends, slow=slow) for ends, slow in habits]
    tasks = [asyncio.create_task(node.run()) for node in nodes]

    def write() -> None:
        for number in range(CHANGES):
            note(workload.change())
            if number == CHANGES // 2:
                with store.write() as transaction:
                    if chance.random() < 0.5:
                        transaction.changes.compact(transaction.now, transaction.now, 0, 10_000)
                    else:
                        transaction.state.renew_id()
                note(read_state(store))

    await asyncio.to_thread(write)
    last = read_state(store)[0]
    async with asyncio.timeout(10):
        while not all(
            (node.core.state.store_id, node.core.state.revision) == (last.store_id, last.revision) for node in nodes
        ):
            assert not any(task.done() for task in tasks), [task for task in tasks if task.done()]
            await asyncio.sleep(0.02)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for feed in feeds:
        await feed.close()
    await asyncio.to_thread(store.close)
    for node in nodes:
        assert_equal(node.core.state, last)
        for state, digest, _ in node.shown:
            assert state.store_id is not None
            should, its_digest = expected[state.store_id, state.revision]
            assert_equal(state, should)
            assert digest == its_digest
