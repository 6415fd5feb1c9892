"""The revision probe: freshness of results, lost connections, and concurrency."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.stores import Place

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")

from gateway_entities.server.store.sql.revision_probe import RevisionProbe  # noqa: E402 - it needs the driver.

CHANGE = "UPDATE store_state SET last_revision = :revision"
NAME = "asks-for-the-revision"


class Proxy:
    """A proxy to the database that can delay responses."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self.open = asyncio.Event()
        self.open.set()
        self.questions = 0
        self.connections = 0
        self.held = 0

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def stop(self) -> None:
        self._server.close()
        self.open.set()
        self.cut()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, there_writer]
        await asyncio.gather(self._pass(reader, there_writer, asks=True), self._pass(there_reader, writer, asks=False))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool) -> None:
        try:
            while data := await reader.read(65536):
                if asks:
                    self.questions += data.startswith(b"P")
                else:
                    self.held += 1
                    await self.open.wait()
                    self.held -= 1
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
def place(postgresql: Any, tmp_path: Any) -> Any:
    from tests.stores import postgresql_place

    with postgresql_place(postgresql, tmp_path / "key", with_tables=True) as place:
        yield place


@pytest.fixture
async def proxy(place: Place) -> AsyncIterator[Proxy]:
    proxy = Proxy(place.server.port)
    yield proxy
    await proxy.stop()


@pytest.fixture
async def probe(place: Place, proxy: Proxy) -> AsyncIterator[RevisionProbe]:
    port = await proxy.start()
    url = place.url.replace(f":{place.server.port}/", f":{port}/")
    probe = RevisionProbe(lambda: psycopg.AsyncConnection.connect(url, application_name=NAME, sslmode="disable"))
    yield probe
    await probe.close()


async def change(place: Place, revision: int) -> None:
    await asyncio.to_thread(place.execute, CHANGE, {"revision": revision})


async def query(probe: RevisionProbe) -> int | None:
    pending = probe.query()
    return None if pending is None else await asyncio.wait_for(pending, 20)


async def connected(probe: RevisionProbe) -> int:
    """Query until there is a result; return it."""
    async with asyncio.timeout(20):
        while (revision := await query(probe)) is None:
            await asyncio.sleep(0.01)
    return revision


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_it_returns_each_new_revision(probe, place):
    assert await connected(probe) == 0
    for revision in range(1, 20):
        await change(place, revision)
        assert await query(probe) == revision


async def test_a_query_in_flight_does_not_serve_later_callers(probe, place, proxy):
    await change(place, 1)
    assert await connected(probe) == 1
    proxy.open.clear()
    before = proxy.questions
    first = probe.query()
    await until(lambda: proxy.questions == before + 1)
    # Its response was sent before the change and is delivered after it.
    await until(lambda: proxy.held > 0)
    await change(place, 2)
    later = [probe.query() for _ in range(8)]
    proxy.open.set()
    assert await first == 1
    assert [await each for each in later] == [2] * 8
    assert proxy.questions == before + 2


async def test_a_timeout_drops_the_connection(probe, place, proxy):
    assert await connected(probe) == 0
    proxy.open.clear()
    began = time.monotonic()
    waiting = [probe.query() for _ in range(3)]
    assert [await each for each in waiting] == [None] * 3
    assert time.monotonic() - began < 10
    assert probe.query() is None
    proxy.open.set()
    await change(place, 1)
    assert await connected(probe) == 1


async def test_a_lost_connection_is_replaced(probe, place, proxy):
    assert await connected(probe) == 0
    proxy.open.clear()
    waiting = probe.query()
    proxy.cut()
    assert await asyncio.wait_for(waiting, 20) is None
    proxy.open.set()
    assert await connected(probe) == 0


async def test_a_lost_idle_connection_is_replaced(probe, place):
    assert await connected(probe) == 0
    ends = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{NAME}'"
    assert await asyncio.to_thread(place.execute, ends) == [(True,)]
    await until(lambda: probe.query() is None)
    assert await connected(probe) == 0


async def test_an_sql_error_drops_the_connection(probe, place):
    assert await connected(probe) == 0
    await asyncio.to_thread(place.execute, "ALTER TABLE store_state RENAME TO elsewhere")
    assert await query(probe) is None
    await asyncio.to_thread(place.execute, "ALTER TABLE elsewhere RENAME TO store_state")
    assert await connected(probe) == 0


async def test_the_first_query_of_each_connection_returns_none(probe, proxy):
    for number in (1, 2):
        await until(lambda number=number: probe.query() is None and proxy.connections == number)
        await until(lambda: probe._connecting is None)
        assert probe.query() is None
        assert await probe.query() == 0
        proxy.cut()


async def test_reconnects_are_rate_limited(probe, proxy):
    await proxy.stop()
    began = time.monotonic()
    for _ in range(200):
        assert probe.query() is None
        await asyncio.sleep(0.001)
    assert proxy.connections <= 1 + (time.monotonic() - began)


async def test_cancelling_one_caller_does_not_affect_others(probe):
    assert await connected(probe) == 0
    pending = [asyncio.ensure_future(probe.query()) for _ in range(4)]
    pending[0].cancel()
    pending[2].cancel()
    assert [await pending[1], await pending[3]] == [0, 0]
    assert await query(probe) == 0


async def test_close_releases_everything(probe, place, proxy):
    assert await connected(probe) == 0
    proxy.open.clear()
    waiting = probe.query()
    await probe.close()
    assert await waiting is None
    assert probe.query() is None
    proxy.open.set()
    open_ones = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{NAME}'"
    async with asyncio.timeout(20):
        while await asyncio.to_thread(place.execute, open_ones):
            await asyncio.sleep(0.01)
    assert proxy.connections == 1


async def test_close_does_not_wait_for_connecting(probe, proxy):
    proxy.open.clear()
    assert probe.query() is None
    await until(lambda: proxy.connections == 1)
    await asyncio.wait_for(probe.close(), 5)
    assert len(asyncio.all_tasks()) < 10
