"""The revision over a connection of its own: as fresh as the query, silent about failures, and never blocking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.stores import Place

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")

from gateway_entities.server.store.sql.revision_probe import RevisionProbe  # noqa: E402 - it needs the driver.

CHANGE = "INSERT INTO changes (revision, position, changed_at, rpc, noun, id) VALUES (:revision, 0, 0, 'r', 'n', 'i')"
NAME = "asks-for-the-revision"


class Proxy:
    """A way to the database on which answers can be held up."""

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
                    self.questions += data.startswith(b"B")
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
async def live(place: Place, proxy: Proxy) -> AsyncIterator[RevisionProbe]:
    port = await proxy.start()
    url = place.url.replace(f":{place.server.port}/", f":{port}/")
    live = RevisionProbe(lambda: psycopg.AsyncConnection.connect(url, application_name=NAME, sslmode="disable"))
    yield live
    await live.close()


async def change(place: Place, revision: int) -> None:
    await asyncio.to_thread(place.execute, CHANGE, {"revision": revision})


async def tell(live: RevisionProbe) -> int | None:
    asked = live.ask()
    return None if asked is None else await asyncio.wait_for(asked, 20)


async def connected(live: RevisionProbe) -> int:
    """Query until there is a revision, and return it."""
    async with asyncio.timeout(20):
        while (told := await tell(live)) is None:
            await asyncio.sleep(0.01)
    return told


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_it_tells_each_change(live, place):
    assert await connected(live) == 0
    for revision in range(1, 20):
        await change(place, revision)
        assert await tell(live) == revision


async def test_a_query_during_another_query_does_not_get_its_result(live, place, proxy):
    await change(place, 1)
    assert await connected(live) == 1
    proxy.open.clear()
    before = proxy.questions
    first = live.ask()
    await until(lambda: proxy.questions == before + 1)
    # Its answer was made before the change, and comes after it.
    await until(lambda: proxy.held > 0)
    await change(place, 2)
    later = [live.ask() for _ in range(8)]
    proxy.open.set()
    assert await first == 1
    assert [await each for each in later] == [2] * 8
    assert proxy.questions == before + 2


async def test_a_question_without_an_answer_is_given_up_and_the_next_connection_tells(live, place, proxy):
    assert await connected(live) == 0
    proxy.open.clear()
    began = time.monotonic()
    waiting = [live.ask() for _ in range(3)]
    assert [await each for each in waiting] == [None] * 3
    assert time.monotonic() - began < 10
    assert live.ask() is None
    proxy.open.set()
    await change(place, 1)
    assert await connected(live) == 1


async def test_a_connection_that_ends_is_replaced(live, place, proxy):
    assert await connected(live) == 0
    proxy.open.clear()
    waiting = live.ask()
    proxy.cut()
    assert await asyncio.wait_for(waiting, 20) is None
    proxy.open.set()
    assert await connected(live) == 0


async def test_a_connection_that_ends_while_it_is_idle_is_replaced(live, place):
    assert await connected(live) == 0
    ends = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{NAME}'"
    assert await asyncio.to_thread(place.execute, ends) == [(True,)]
    await until(lambda: live.ask() is None)
    assert await connected(live) == 0


async def test_an_error_is_no_answer(live, place):
    assert await connected(live) == 0
    await asyncio.to_thread(place.execute, "ALTER TABLE changes RENAME TO elsewhere")
    assert await tell(live) is None
    await asyncio.to_thread(place.execute, "ALTER TABLE elsewhere RENAME TO changes")
    assert await connected(live) == 0


async def test_of_each_new_connection_it_tells_nothing_once(live, proxy):
    for number in (1, 2):
        await until(lambda number=number: live.ask() is None and proxy.connections == number)
        await until(lambda: live._connecting is None)
        assert live.ask() is None
        assert await live.ask() == 0
        proxy.cut()


async def test_a_database_that_is_away_is_tried_once_in_a_while(live, proxy):
    await proxy.stop()
    began = time.monotonic()
    for _ in range(200):
        assert live.ask() is None
        await asyncio.sleep(0.001)
    assert proxy.connections <= 1 + (time.monotonic() - began)


async def test_a_cancelled_waiter_does_not_block_the_others(live):
    assert await connected(live) == 0
    asked = [asyncio.ensure_future(live.ask()) for _ in range(4)]
    asked[0].cancel()
    asked[2].cancel()
    assert [await asked[1], await asked[3]] == [0, 0]
    assert await tell(live) == 0


async def test_closing_leaves_nothing(live, place, proxy):
    assert await connected(live) == 0
    proxy.open.clear()
    waiting = live.ask()
    await live.close()
    assert await waiting is None
    assert live.ask() is None
    proxy.open.set()
    open_ones = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{NAME}'"
    async with asyncio.timeout(20):
        while await asyncio.to_thread(place.execute, open_ones):
            await asyncio.sleep(0.01)
    assert proxy.connections == 1


async def test_closing_does_not_wait_for_a_connection(live, proxy):
    proxy.open.clear()
    assert live.ask() is None
    await until(lambda: proxy.connections == 1)
    await asyncio.wait_for(live.close(), 5)
    assert len(asyncio.all_tasks()) < 10
