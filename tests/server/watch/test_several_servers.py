"""A commit of one server shows at the watchers of another one, soon with notifications and in time without them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.server.store.sql.schema import CHANNEL
from gateway_entities.server.watch import feed as feed_module
from gateway_entities.server.watch.feed import Feed
from tests.server.service.conftest import Gateway
from tests.server.watch.conftest import Watcher
from tests.stores import Place, postgresql_place, sqlite_place

NEVER_S = 3600.0
LISTENERS = f"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%{CHANNEL}%'"


@pytest.fixture
def only_notified(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed that does not look at the revision by itself."""
    monkeypatch.setattr(feed_module, "_POLL_S", NEVER_S)


@pytest.fixture
def direct(postgresql: Any, tmp_path: Path) -> Iterator[Place]:
    with postgresql_place(postgresql, tmp_path / "key", with_tables=True) as place:
        yield place


@asynccontextmanager
async def other_server(place: Place) -> AsyncIterator[Feed]:
    """The feed of another server than the one that writes."""
    store = await asyncio.to_thread(place.open)
    probe = store.revision_probe()
    feed = Feed(store, None if probe is None else probe.query)
    try:
        yield feed
    finally:
        await feed.close()
        if probe is not None:
            await probe.close()
        await asyncio.to_thread(store.close)


@asynccontextmanager
async def writer(place: Place) -> AsyncIterator[Gateway]:
    store = await asyncio.to_thread(place.open)
    yield Gateway(store, place)
    await asyncio.to_thread(store.close)


async def listeners(place: Place) -> list[int]:
    return [pid for (pid,) in await asyncio.to_thread(place.execute, LISTENERS)]


async def until_listening(place: Place, *, but: tuple[int, ...] = ()) -> list[int]:
    async with asyncio.timeout(10):
        while not (found := [pid for pid in await listeners(place) if pid not in but]):
            await asyncio.sleep(0.01)
    return found


async def delays(gateway: Gateway, watcher: Watcher, count: int) -> list[float]:
    """Return the seconds from each of some commits to its update, in order of size."""
    found: list[float] = []
    for number in range(count):
        secret = await asyncio.to_thread(gateway.secret)
        began = time.monotonic()
        update = await watcher.one()
        assert [resource.id for resource in update.resources] == [secret.secret_id]
        found.append(time.monotonic() - began)
        # At any moment of the other server's turn.
        await asyncio.sleep(0.013 * number)
    return sorted(found)


@pytest.mark.usefixtures("only_notified")
async def test_a_direct_connection_tells_of_commits(direct: Place) -> None:
    async with writer(direct) as gateway, other_server(direct) as feed:
        watcher = Watcher(feed)
        await watcher.one()
        await until_listening(direct)
        found = await delays(gateway, watcher, 8)
        assert found[4] < 0.1


@pytest.mark.usefixtures("only_notified")
async def test_a_lost_connection_is_made_again_and_misses_nothing(direct: Place) -> None:
    async with writer(direct) as gateway, other_server(direct) as feed:
        watcher = Watcher(feed)
        await watcher.one()
        (pid,) = await until_listening(direct)
        await asyncio.to_thread(direct.execute, f"SELECT pg_terminate_backend({pid})")
        while pid in await listeners(direct):
            await asyncio.sleep(0.01)
        # While no server listens.
        await asyncio.to_thread(gateway.secret)
        assert (await watcher.one()).revision == 1
        assert await until_listening(direct, but=(pid,))
        assert (await delays(gateway, watcher, 3))[1] < 0.1


async def test_a_feed_listens_from_its_first_watcher_to_its_end(direct: Place) -> None:
    async with writer(direct), other_server(direct) as feed:
        assert await listeners(direct) == []
        watcher = Watcher(feed)
        await watcher.one()
        assert len(await until_listening(direct)) == 1
        await watcher.stream.aclose()
    async with asyncio.timeout(10):
        while await listeners(direct):
            await asyncio.sleep(0.01)


async def test_a_feed_ends_while_its_database_is_away(direct: Place) -> None:
    async with other_server(direct) as feed:
        await Watcher(feed).one()
        await until_listening(direct)
        await asyncio.to_thread(direct.server.stop)
        try:
            began = time.monotonic()
            await feed.close()
            assert time.monotonic() - began < 5
        finally:
            await asyncio.to_thread(direct.server.start)


@pytest.fixture(params=["sqlite", "pgbouncer"])
def polled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place whose commits do not notify other processes."""
    if request.param == "sqlite":
        yield sqlite_place(tmp_path / "store.sqlite", with_tables=True)
        return
    from tests.pgbouncer import INSTALL, find_program, running_pgbouncer

    program = find_program()
    if program is None:
        pytest.skip(f"PgBouncer is not installed: {INSTALL}")
    direct: Place = request.getfixturevalue("direct")
    with running_pgbouncer(program, direct.server) as pooler:
        yield Place(pooler.url(direct.url), direct.keys, server=direct.server)


async def test_without_notifications_a_commit_shows_within_a_quarter_of_a_second(polled: Place) -> None:
    assert feed_module._POLL_S <= 0.2
    async with writer(polled) as gateway, other_server(polled) as feed:
        watcher = Watcher(feed)
        await watcher.one()
        # The rest is the machine's.
        assert (await delays(gateway, watcher, 6))[2] < 0.25
        if polled.kind == "postgresql":
            # Nothing is left in the sessions of the pool.
            assert await listeners(polled) == []
