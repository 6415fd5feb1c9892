"""Streams of scripts of ``tests.streaming_server``, of every transport behind one blocking interface."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway_entities.methods import WATCH_GATEWAY
from gatewayentities.v1.change_pb2 import WatchGatewayRequest, WatchGatewayResponse


def number_of(data: bytes) -> int:
    return WatchGatewayResponse.FromString(data).revision


class BlockingStream:
    """A stream of an asyncio transport, whose loop runs in another thread, as a blocking one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, opened: Any) -> None:
        self._loop, self._opened = loop, opened

    def __iter__(self) -> BlockingStream:
        return self

    def __next__(self) -> bytes:
        async def following() -> bytes:
            return await anext(self._opened)

        try:
            return asyncio.run_coroutine_threadsafe(following(), self._loop).result(20)
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._opened.close(), self._loop).result(20)


def watch(transport: Any, script: str, timeout: float | None = 30) -> Any:
    """Return the stream of a script, of a transport or of an asyncio one that ``tests.transports.conftest`` runs."""
    request = WatchGatewayRequest(resume_token=script).SerializeToString()
    loop = getattr(transport, "loop", None)
    if loop is None:
        return transport.stream(WATCH_GATEWAY, request, timeout=timeout, metadata=None)

    async def start() -> Any:
        return transport.wrapped.stream(WATCH_GATEWAY, request, timeout=timeout, metadata=None)

    return BlockingStream(loop, asyncio.run_coroutine_threadsafe(start(), loop).result(20))
