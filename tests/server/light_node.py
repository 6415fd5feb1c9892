"""Nodes without a mirror: a watch stream, its digest, and acknowledgements; and a relay whose connections can be cut."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from gateway_entities import AsyncGatewayClient, GatewayError
from gateway_entities.mirror import MirrorCore


class LightNode:
    """A node in a task. Cancel ``task`` to kill it."""

    def __init__(self, client: AsyncGatewayClient, instance: str) -> None:
        self._client = client
        self.instance = instance
        self.core = MirrorCore()
        self.refuses: str | None = None
        self.lies = False
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        with contextlib.suppress(GatewayError):
            async with self._client.watch() as stream:
                async for message in stream:
                    if self.core.apply(message) is not None:
                        await self._say()

    async def _say(self) -> None:
        state = self.core.state
        assert state.store_id is not None
        if self.refuses is not None:
            await self._client.refuse_revision(state.store_id, state.revision, self.refuses, instance=self.instance)
        else:
            digest = "0" * 64 if self.lies else self.core.digest()
            await self._client.acknowledge_revision(state.store_id, state.revision, digest, instance=self.instance)


class Relay:
    """A TCP relay on loopback."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open = asyncio.Event()
        self._open.set()
        self._tasks = set[asyncio.Task[Any]]()

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks.copy():
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Let nothing through any more; both ends see a connection without traffic."""
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            await asyncio.gather(self._copy(reader, upstream_writer), self._copy(upstream_reader, writer))
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            writer.close()
            upstream_writer.close()
            self._tasks.discard(task)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        writer.close()
