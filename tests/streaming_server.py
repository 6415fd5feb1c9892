"""A server whose WatchGateway does what the request asks for."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.address import Address
from gateway_entities.server.grpc import GrpcServer
from gateway_entities.server.http.app import http_app
from gateway_entities.server.http.listener import HttpServer
from gateway_entities.server.rpc.auth import AuthenticateFn, allow_anonymous
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits
from gateway_entities.server.telemetry.observer import Observer
from gatewayentities.v1.change_pb2 import ListGatewayChangesRequest, WatchGatewayRequest, WatchGatewayResponse

FLOOD_BYTES = 64 * 1024


def message(number: int, size: int = 0) -> bytes:
    return WatchGatewayResponse(revision=number, store_id="x" * size).SerializeToString()


class ScriptedService:
    """WatchGateway runs the script in ``resume_token``.

    Attributes:
        sent: the messages of each script that were taken from it.
    """

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._running: Counter[str] = Counter()
        self._begun: Counter[str] = Counter()

    async def watch_gateway(self, request: WatchGatewayRequest) -> AsyncGenerator[bytes]:
        script = request.resume_token
        name, _, argument = script.partition(":")
        self._count(script, 1)
        try:
            async for data in getattr(self, f"_{name}")(argument):
                yield data
                self.sent[script] += 1
        finally:
            self._count(script, -1)

    def list_gateway_changes(self, request: ListGatewayChangesRequest) -> Any:
        raise GatewayError(Code.NOT_FOUND, "a call beside the streams")

    async def _count_to(self, argument: str) -> AsyncGenerator[bytes]:
        for number in range(int(argument)):
            yield message(number)

    async def _fail(self, argument: str) -> AsyncGenerator[bytes]:
        for number in range(int(argument)):
            yield message(number)
        raise GatewayError(Code.OUT_OF_RANGE, "the revision is gone", reason="REVISION_COMPACTED")

    async def _crash(self, argument: str) -> AsyncGenerator[bytes]:
        yield message(0)
        raise RuntimeError(argument)

    async def _wait(self, argument: str) -> AsyncGenerator[bytes]:
        """Send one message, and then nothing."""
        yield message(0)
        await asyncio.Event().wait()

    async def _silent(self, argument: str) -> AsyncGenerator[bytes]:
        await asyncio.Event().wait()
        yield message(0)

    async def _tick(self, argument: str) -> AsyncGenerator[bytes]:
        number = 0
        while True:
            yield message(number)
            number += 1
            await asyncio.sleep(float(argument))

    async def _flood(self, argument: str) -> AsyncGenerator[bytes]:
        number = 0
        while True:
            yield message(number, FLOOD_BYTES)
            number += 1

    async def _huge(self, argument: str) -> AsyncGenerator[bytes]:
        yield message(0, int(argument))
        yield message(1)

    def _count(self, script: str, step: int) -> None:
        with self._changed:
            self._running[script] += step
            self._begun[script] += step > 0
            self._changed.notify_all()

    def wait_for_begin(self, script: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._begun[script] > 0, 5), f"{script} has not begun"

    def wait_for_end(self, script: str, seconds: float = 5) -> None:
        """Wait until a script that has begun runs no more."""
        self.wait_for_begin(script)
        with self._changed:
            assert self._changed.wait_for(lambda: not self._running[script], seconds), f"{script} still runs"


class StreamingServer:
    """Both servers over one dispatcher, on an event loop of their own."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS, authenticate: AuthenticateFn = allow_anonymous) -> None:
        self.service = ScriptedService()
        self._limits, self._authenticate = limits, authenticate
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.targets: dict[str, str] = {}
        self._is_stopped = False
        self.run(self._start())

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    async def _start(self) -> None:
        async def ready() -> None: ...

        self.observer = Observer()
        self.dispatcher = Dispatcher(self.service, authenticate=self._authenticate, limits=self._limits)
        app = http_app(self.dispatcher, ready, observer=self.observer, limits=self._limits)
        self._http = HttpServer(app, limits=self._limits)
        self._grpc = GrpcServer(self.dispatcher, self.observer, limits=self._limits)
        anywhere = Address.parse("127.0.0.1:0")
        self.targets["http"] = f"http://127.0.0.1:{await self._http.start(anywhere)}"
        self.targets["grpc"] = f"grpc://127.0.0.1:{await self._grpc.start(anywhere)}"

    def drain(self) -> None:
        self.run(self.dispatcher.drain(5))

    def stop(self) -> None:
        async def stop() -> None:
            await self.dispatcher.drain(0)
            await self._http.stop()
            await self._grpc.stop()
            await self.dispatcher.close()

        if not self._is_stopped:
            self._is_stopped = True
            self.run(stop())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()


@contextmanager
def streaming_server(
    limits: Limits = DEFAULT_LIMITS, authenticate: AuthenticateFn = allow_anonymous
) -> Iterator[StreamingServer]:
    server = StreamingServer(limits, authenticate)
    try:
        yield server
    finally:
        server.stop()
