"""The gateway server: one store, one service, a gRPC and an HTTP edge, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from gateway_entities.server.address import Address
from gateway_entities.server.dispatch import Dispatcher
from gateway_entities.server.grpc import GrpcEdge
from gateway_entities.server.http import HttpEdge
from gateway_entities.server.service import GatewayService
from gateway_entities.server.store import open_store

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class _Running(NamedTuple):
    dispatcher: Dispatcher
    grpc: GrpcEdge
    undo: contextlib.AsyncExitStack


class Server:
    """A gateway: ``start`` it, and ``stop`` it on the same event loop, which may run in any thread. It starts only once."""

    def __init__(
        self, store_url: str, *, grpc: str = "127.0.0.1:50051", http: str = "127.0.0.1:8080", key_file: Path | None = None
    ) -> None:
        """Say what to serve and where.

        Args:
            store_url: where the configuration is kept, such as ``sqlite:///gateway.sqlite``.
            grpc: ``HOST:PORT`` for gRPC. A port of 0 picks a free one.
            http: ``HOST:PORT`` for HTTP, likewise.
            key_file: the key that encrypts secrets. None means ``<database file>.key``, made when it is not there.

        Raises:
            GatewayError: INVALID_ARGUMENT for an address of another form; FAILED_PRECONDITION for one that is not loopback.
        """
        self._store_url = store_url
        self._key_file = key_file
        self._grpc = Address.parse(grpc)
        self._http = Address.parse(http)
        self._running: _Running | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def grpc_target(self) -> str:
        """Where it takes gRPC calls, such as ``grpc://127.0.0.1:50051``; the port is the real one once it has started."""
        return f"grpc://{self._grpc}"

    @property
    def http_target(self) -> str:
        """Where it takes HTTP calls, such as ``http://127.0.0.1:8080``; the port is the real one once it has started."""
        return f"http://{self._http}"

    async def start(self) -> None:
        """Open the store, migrate it if need be, and serve. After an error nothing is left open.

        Raises:
            GatewayError: UNAVAILABLE, if an address is taken; what ``open_store`` raises.
        """
        async with contextlib.AsyncExitStack() as undo:
            store = await asyncio.to_thread(open_store, self._store_url, key_file=self._key_file)
            undo.push_async_callback(asyncio.to_thread, store.close)
            dispatcher = Dispatcher(GatewayService(store))
            undo.push_async_callback(dispatcher.close)
            http = HttpEdge(dispatcher, store.ping)
            undo.push_async_callback(http.stop)
            self._http = self._http._replace(port=await http.start(self._http))
            grpc = GrpcEdge(dispatcher)
            undo.push_async_callback(grpc.stop)
            self._grpc = self._grpc._replace(port=await grpc.start(self._grpc))
            self._running = _Running(dispatcher, grpc, undo.pop_all())

    async def stop(self, grace: float) -> None:
        """Stop, and close the store.

        New calls are refused as UNAVAILABLE at once, while health reports NOT_SERVING and ``/readyz`` 503. When the calls in
        flight have ended, the listeners close. A second ``stop`` with less grace, at the same time, makes the first one end
        sooner. Nothing happens if the server does not run.

        Args:
            grace: seconds that calls in flight may take to end. Those that take longer are answered UNAVAILABLE; the store
                closes once their transactions have ended, because a thread cannot be stopped.
        """
        if self._running is None:
            return
        await self._running.grpc.drain()
        await self._running.dispatcher.drain(grace)
        if self._closing is None:
            self._closing = asyncio.create_task(self._running.undo.aclose())
        await asyncio.shield(self._closing)

    async def run_until_signalled(self, grace: float, ready: Callable[[Server], None]) -> None:
        """Start, serve until SIGTERM or SIGINT, and stop. A second signal stops at once. For the main thread only.

        Args:
            grace: as in ``stop``.
            ready: called once, when the server takes calls and its targets are known.
        """
        loop = asyncio.get_running_loop()
        first, second = asyncio.Event(), asyncio.Event()

        def note() -> None:
            (second if first.is_set() else first).set()

        for number in _SIGNALS:
            loop.add_signal_handler(number, note)
        try:
            await self.start()
            ready(self)
            await first.wait()
            stopping = [asyncio.create_task(self.stop(grace)), asyncio.create_task(second.wait())]
            await asyncio.wait(stopping, return_when=asyncio.FIRST_COMPLETED)
            stopping[1].cancel()
            await self.stop(0)
            await stopping[0]
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
