"""The server under test: our HTTP server, with the methods of the conformance service in place of our own.

    python -m tests.interop.conformance.server

The runner starts it, says on its standard input what the server is to be like, and reads from its standard output where it
listens. Everything that speaks HTTP or Connect here is the product's; only the service behind it is the suite's. It echoes
headers and sets some, which no handler of ours does, so an ASGI layer around the product's app carries them.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import signal
import struct
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any, TypeVar

from connectrpc.conformance.v1 import service_pb2
from connectrpc.conformance.v1.server_compat_pb2 import ServerCompatRequest, ServerCompatResponse
from google.protobuf.any_pb2 import Any as AnyMessage
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.server.address import Address
from gateway_entities.server.rpc import limits
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.lane import Lane
from tests.interop.conformance.stream import read_message, write_message

T = TypeVar("T")
RequestInfo = service_pb2.ConformancePayload.RequestInfo

METHODS = (
    Method(service_pb2.UnaryRequest, service_pb2.UnaryResponse),
    Method(service_pb2.IdempotentUnaryRequest, service_pb2.IdempotentUnaryResponse),
    Method(service_pb2.ServerStreamRequest, service_pb2.ServerStreamResponse),
)


class CallContext:
    """What the suite's service reads from a request, and adds to its response."""

    def __init__(self, request_headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.request_headers = request_headers
        self.timeout: float | None = None
        self.response_headers: list[tuple[bytes, bytes]] = []
        self.stream_trailers: dict[str, list[str]] = {}


CALL: contextvars.ContextVar[CallContext] = contextvars.ContextVar("CALL")


class Headers:
    """The ASGI layer: records the headers of each request, and adds the service's to the response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = CallContext(scope["headers"])
        CALL.set(call)

        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *call.response_headers]}
            elif call.stream_trailers and not message.get("more_body"):
                message = {**message, "body": with_trailers(message["body"], call.stream_trailers)}
            await send(message)

        await self._app(scope, receive, send_more)


class ContextDispatcher(Dispatcher):
    """The product's, but the worker thread sees the call's context, which has the timeout that the protocol parsed."""

    async def submit(self, work: Callable[[], T], timeout: float | None, *, during: str, lane: Lane | None = None) -> T:
        CALL.get().timeout = timeout
        context = contextvars.copy_context()
        return await super().submit(lambda: context.run(work), timeout, during=during, lane=lane)


class EchoError(GatewayError):
    """An error with just the details that the suite asks for."""

    def __init__(self, wanted: service_pb2.Error, info: RequestInfo | None) -> None:
        super().__init__(Code.from_number(wanted.code), wanted.message)
        self._wanted = [*wanted.details, *([] if info is None else [packed(info)])]

    def details(self) -> list[AnyMessage]:
        return self._wanted


class EchoService:
    """The conformance service, without its streams of requests."""

    def unary(self, request: service_pb2.UnaryRequest) -> service_pb2.UnaryResponse:
        return service_pb2.UnaryResponse(payload=echo(request))

    def idempotent_unary(self, request: service_pb2.IdempotentUnaryRequest) -> service_pb2.IdempotentUnaryResponse:
        return service_pb2.IdempotentUnaryResponse(payload=echo(request))

    def server_stream(self, request: service_pb2.ServerStreamRequest) -> AsyncGenerator[bytes]:
        call, definition = CALL.get(), request.response_definition
        info = info_of(call, request)
        call.response_headers += [
            (header.name.lower().encode(), value.encode())
            for header in definition.response_headers
            for value in header.value
        ]
        call.stream_trailers = {header.name.lower(): list(header.value) for header in definition.response_trailers}
        return stream(definition, info)


async def stream(definition: service_pb2.StreamResponseDefinition, info: RequestInfo) -> AsyncGenerator[bytes]:
    for number, data in enumerate(definition.response_data):
        await asyncio.sleep(definition.response_delay_ms / 1000)
        payload = service_pb2.ConformancePayload(data=data, request_info=None if number else info)
        yield service_pb2.ServerStreamResponse(payload=payload).SerializeToString()
    if definition.HasField("error"):
        raise EchoError(definition.error, None if definition.response_data else info)


def with_trailers(end: bytes, trailers: dict[str, list[str]]) -> bytes:
    """Return the end of a stream with trailers, which the product never sends."""
    content = {**json.loads(end[5:]), "metadata": trailers}
    data = json.dumps(content).encode()
    return struct.pack(">BI", 2, len(data)) + data


def info_of(call: CallContext, request: Any) -> RequestInfo:
    info = RequestInfo(request_headers=to_headers(call.request_headers), requests=[packed(request)])
    if call.timeout is not None:
        info.timeout_ms = round(call.timeout * 1000)
    return info


def echo(request: Any) -> service_pb2.ConformancePayload:
    call = CALL.get()
    definition = request.response_definition
    info = info_of(call, request)
    for prefix, wanted in (("", definition.response_headers), ("trailer-", definition.response_trailers)):
        call.response_headers += [
            ((prefix + header.name).lower().encode(), value.encode()) for header in wanted for value in header.value
        ]
    time.sleep(definition.response_delay_ms / 1000)
    if definition.HasField("error"):
        raise EchoError(definition.error, info)
    return service_pb2.ConformancePayload(data=definition.response_data, request_info=info)


def packed(message: Any) -> AnyMessage:
    holder = AnyMessage()
    holder.Pack(message)
    return holder


def to_headers(lines: Iterable[tuple[bytes, bytes]]) -> list[service_pb2.Header]:
    values: dict[str, list[str]] = {}
    for name, value in lines:
        values.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return [service_pb2.Header(name=name, value=each) for name, each in values.items()]


async def main() -> None:
    wanted = read_message(sys.stdin.buffer, ServerCompatRequest)
    assert wanted is not None
    if wanted.message_receive_limit:
        # It is a constant of the product, read when the server is imported.
        limits.MAX_REQUEST_BYTES = wanted.message_receive_limit  # type: ignore[misc]
    from gateway_entities.server.http.app import http_app
    from gateway_entities.server.http.listener import HttpServer

    async def ready() -> None: ...

    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    dispatcher = ContextDispatcher(EchoService())
    server = HttpServer(Headers(http_app(dispatcher, ready, methods=METHODS)))
    port = await server.start(Address.parse("127.0.0.1:0"))
    write_message(sys.stdout.buffer, ServerCompatResponse(host="127.0.0.1", port=port))
    await stopping.wait()
    await dispatcher.drain(0)
    await server.stop()
    await dispatcher.close()


if __name__ == "__main__":
    asyncio.run(main())
