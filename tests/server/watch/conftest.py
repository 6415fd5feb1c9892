"""A feed on a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.server.watch.feed import Feed
from gatewayentities.v1.change_pb2 import WatchGatewayResponse
from tests.server.service.conftest import Gateway
from tests.stores import sqlite_place


class Watcher:
    """A watcher of a feed, which decodes the messages."""

    def __init__(self, feed: Feed, token: str = "") -> None:
        self.stream: AsyncGenerator[bytes] = feed.watch(token)
        self.token = token

    async def message(self) -> WatchGatewayResponse:
        async with asyncio.timeout(5):
            return WatchGatewayResponse.FromString(await anext(self.stream))

    async def update(self) -> list[WatchGatewayResponse]:
        """Return the messages of one update."""
        found = [await self.message()]
        while found[-1].is_partial:
            found.append(await self.message())
        self.token = found[-1].resume_token
        return found

    async def one(self) -> WatchGatewayResponse:
        """Return an update of one message."""
        (found,) = await self.update()
        return found


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    place = sqlite_place(tmp_path / "store.sqlite", with_tables=True)
    store = place.open()
    yield Gateway(store, place)
    await asyncio.to_thread(store.close)


@pytest.fixture
async def make_feed(gateway: Gateway) -> AsyncIterator[Callable[..., Feed]]:
    """A factory of feeds of the gateway's store, as of several servers."""
    feeds: list[Feed] = []

    def make(**options: Any) -> Feed:
        feeds.append(Feed(gateway.store, **options))
        return feeds[-1]

    yield make
    for feed in feeds:
        await feed.close()


@pytest.fixture
def feed(make_feed: Callable[..., Feed]) -> Feed:
    return make_feed()
