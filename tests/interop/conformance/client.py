"""The client under test: our HTTP transports, called by the conformance runner.

    python -m tests.interop.conformance.client sync|async

The runner writes the calls to its standard input, each to a reference server that it started, and reads the outcomes from
its standard output. The transports return a message or an error; the response headers, which the runner also checks, come
from the connection pool below them.
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from connectrpc.conformance.v1 import service_pb2
from connectrpc.conformance.v1.client_compat_pb2 import (
    ClientCompatRequest,
    ClientCompatResponse,
    ClientErrorResult,
    ClientResponseResult,
)

from gateway_entities.errors import GatewayError
from gateway_entities.methods import Method
from gateway_entities.transports.connect import AsyncConnectTransport, ConnectTransport
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest, HttpResponse
from gateway_entities.transports.http1.streamed import Head
from gateway_entities.transports.target import Target
from tests.interop.conformance.stream import read_message, write_message

METHODS: dict[str, Method[Any, Any]] = {
    method.name: method
    for method in (
        Method(service_pb2.UnaryRequest, service_pb2.UnaryResponse),
        Method(service_pb2.IdempotentUnaryRequest, service_pb2.IdempotentUnaryResponse),
        Method(service_pb2.UnimplementedRequest, service_pb2.UnimplementedResponse),
        Method(service_pb2.ServerStreamRequest, service_pb2.ServerStreamResponse),
    )
}


class Outcome(NamedTuple):
    """Outcome of a call: messages, an error if there was one, and the HTTP response if there was one."""

    messages: list[Any]
    error: service_pb2.Error | None
    answer: HttpResponse | None


class SeenStream:
    """A response that is read in parts, which records them."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._head: Head | None = None
        self._body = b""

    def open(self) -> Head:
        self._head = found = self._response.open()
        return found

    def read(self) -> bytes:
        part = self._response.read()
        self._body += part
        return part

    def close(self, error: GatewayError) -> None:
        self._response.close(error)

    def answer(self) -> HttpResponse | None:
        return None if self._head is None else HttpResponse(self._head.status, self._head.headers, self._body)


class AsyncSeenStream(SeenStream):
    """The same on asyncio."""

    async def open(self) -> Head:  # type: ignore[override]
        self._head = found = await self._response.open()
        return found

    async def read(self) -> bytes:  # type: ignore[override]
        part = await self._response.read()
        self._body += part
        return part


class SeenConnections(ConnectionPool):
    """A pool that records its last response."""

    answer: HttpResponse | None = None
    seen: SeenStream | None = None

    def stream(self, request: HttpRequest, deadline: Deadline) -> Any:
        self.seen = SeenStream(super().stream(request, deadline))
        return self.seen

    def request(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        self.answer = super().request(request, deadline)
        return self.answer


class AsyncSeenConnections(AsyncConnectionPool):
    """The same on asyncio."""

    answer: HttpResponse | None = None
    seen: AsyncSeenStream | None = None

    def stream(self, request: HttpRequest, deadline: Deadline) -> Any:
        self.seen = AsyncSeenStream(super().stream(request, deadline))
        return self.seen

    async def request(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        self.answer = await super().request(request, deadline)
        return self.answer


async def call_sync(wanted: ClientCompatRequest) -> Outcome:
    target = target_of(wanted)
    connections = SeenConnections(target)
    transport = ConnectTransport(target, pool=connections)
    method, request = call_of(wanted)
    options: Any = {"timeout": timeout_of(wanted), "metadata": metadata_of(wanted)}
    stream = transport.stream(method, request, **options) if method.server_streaming else None
    canceller = threading.Timer(wanted.cancel.after_close_send_ms / 1000, (stream or transport).close)
    time.sleep(wanted.request_delay_ms / 1000)
    if wanted.cancel.HasField("after_close_send_ms"):
        canceller.start()
    messages, error = [], None
    try:
        if stream is None:
            messages.append(method.response_type.FromString(transport.call(method, request, **options)))
        else:
            for data in stream:
                messages.append(method.response_type.FromString(data))
                if wanted.cancel.after_num_responses == len(messages):
                    stream.close()
    except GatewayError as failed:
        error = error_of(failed)
    finally:
        canceller.cancel()
        transport.close()
    return Outcome(messages, error, connections.answer if connections.seen is None else connections.seen.answer())


async def call_async(wanted: ClientCompatRequest) -> Outcome:
    target = target_of(wanted)
    connections = AsyncSeenConnections(target)
    transport = AsyncConnectTransport(target, pool=connections)
    await asyncio.sleep(wanted.request_delay_ms / 1000)
    method, request = call_of(wanted)
    options: Any = {"timeout": timeout_of(wanted), "metadata": metadata_of(wanted)}
    messages: list[Any] = []

    async def run() -> None:
        if not method.server_streaming:
            messages.append(method.response_type.FromString(await transport.call(method, request, **options)))
            return
        stream = transport.stream(method, request, **options)
        async for data in stream:
            messages.append(method.response_type.FromString(data))
            if wanted.cancel.after_num_responses == len(messages):
                await stream.close()

    call, error = asyncio.create_task(run()), None
    if wanted.cancel.HasField("after_close_send_ms"):
        asyncio.get_running_loop().call_later(wanted.cancel.after_close_send_ms / 1000, call.cancel)
    try:
        await call
    except GatewayError as failed:
        error = error_of(failed)
    except asyncio.CancelledError:
        error = service_pb2.Error(code="CODE_CANCELED")
    finally:
        await transport.close()
    return Outcome(messages, error, connections.answer if connections.seen is None else connections.seen.answer())


def target_of(wanted: ClientCompatRequest) -> Target:
    if wanted.server_tls_cert:
        # The pool reads it at construction.
        Path(os.environ["SSL_CERT_FILE"]).write_bytes(wanted.server_tls_cert)
    scheme = "https" if wanted.server_tls_cert else "http"
    return Target.parse(f"{scheme}://{wanted.host}:{wanted.port}")


def call_of(wanted: ClientCompatRequest) -> tuple[Method[Any, Any], bytes]:
    method = METHODS[wanted.method]
    request = method.request_type()
    (message,) = wanted.request_messages
    assert message.Unpack(request)
    return method, request.SerializeToString()


def timeout_of(wanted: ClientCompatRequest) -> float | None:
    return wanted.timeout_ms / 1000 if wanted.HasField("timeout_ms") else None


def metadata_of(wanted: ClientCompatRequest) -> dict[str, str]:
    # In HTTP, several values of a header are one comma-separated list.
    return {header.name.lower(): ", ".join(header.value) for header in wanted.request_headers}


def error_of(failed: GatewayError) -> service_pb2.Error:
    return service_pb2.Error(code=failed.code.number, message=failed.message, details=failed.received_details)


def result_of(outcome: Outcome) -> ClientResponseResult:
    result = ClientResponseResult(error=outcome.error)
    result.payloads.extend(message.payload for message in outcome.messages)
    values: dict[str, list[str]] = {}
    for name, value in outcome.answer.headers if outcome.answer else ():
        values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    for name, each in values.items():
        trailer = name.removeprefix("trailer-")
        lines = result.response_headers if trailer == name else result.response_trailers
        lines.add(name=trailer, value=each)
    for name, each in trailers_of(outcome.answer).items():
        result.response_trailers.add(name=name, value=each)
    return result


def trailers_of(answer: HttpResponse | None) -> dict[str, list[str]]:
    """Return the metadata in the end of a stream, which the transports do not return."""
    headers = {} if answer is None else {name.lower(): value for name, value in answer.headers}
    body = (
        b"" if answer is None or not headers.get(b"content-type", b"").startswith(b"application/connect+") else answer.body
    )
    while len(body) > 5:
        flags, length = struct.unpack_from(">BI", body)
        if flags == 2:
            metadata: dict[str, list[str]] = json.loads(body[5:]).get("metadata", {})
            return metadata
        body = body[5 + length :]
    return {}


async def main(call: Callable[[ClientCompatRequest], Awaitable[Outcome]]) -> None:
    while wanted := await asyncio.to_thread(read_message, sys.stdin.buffer, ClientCompatRequest):
        answer = ClientCompatResponse(test_name=wanted.test_name)
        try:
            answer.response.CopyFrom(result_of(await call(wanted)))
        except Exception as failed:
            answer.error.CopyFrom(ClientErrorResult(message=repr(failed)))
        write_message(sys.stdout.buffer, answer)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        # As users trust a server with a private certificate.
        os.environ["SSL_CERT_FILE"] = f"{folder}/server.pem"
        asyncio.run(main({"sync": call_sync, "async": call_async}[sys.argv[1]]))
