"""What the HTTP protocols share: requests within their limits, responses, and errors. Raw ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Hashable, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Protocol, TypeVar, cast

from starlette.types import Receive, Scope, Send

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.auth import Credentials
from gateway_entities.server.rpc.byte_budget import OVERLOADED, ByteBudget, Lease
from gateway_entities.server.rpc.errors import internal_error, truncate_error
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, MAX_REQUEST_BYTES, Limits
from gateway_entities.server.telemetry.request_context import set_error

T = TypeVar("T")
Headers = tuple[tuple[bytes, bytes], ...]

CLIENT: Final = "gateway_entities.client"
CERTIFICATE_NAME: Final = "certificate_name"
"""The entry of the scope extension CLIENT that holds the name in the client's certificate."""
COMPLETE: Final = "gateway_entities.complete"
"""The scope extension that is present once the whole body has arrived."""
PARSED: Final = "gateway_entities.parsed"
"""The scope extension with the results of ``parse_once``. Requests of one connection with equal headers share it."""
CONNECTION: Final = "gateway_entities.connection"
"""The scope extension with the Connection of the request."""
NOT_CACHED: Final = "gateway_entities.not_cached"
"""The scope extension that is present if the response cache has no current response to the request."""

MAX_UNSENT_BYTES: Final = 64 * 1024
"""Bytes of a response that are sent in one part."""
_PART_BYTES: Final = 256 * 1024


class HttpResponse(NamedTuple):
    """An HTTP response.

    Attributes:
        status: the HTTP status.
        headers: all headers but content-length, names in lower case.
        body: the content.
    """

    status: int
    headers: Headers
    body: bytes


class ClientGoneError(Exception):
    """The client has closed the connection."""


class Connection:
    """Cancels the tasks of a connection's requests when the client closes it."""

    def __init__(self, abort: Callable[[], None] = lambda: None) -> None:
        """Create one.

        Args:
            abort: ends the connection, and what is unsent is lost.
        """
        self.abort = abort
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def close(self) -> None:
        """Cancel every task that awaits a call."""
        self._closed = True
        for task in self._tasks:
            task.cancel()

    async def call(self, coroutine: Coroutine[None, None, T]) -> T:
        """Await a call, and cancel it if the client closes the connection.

        Raises:
            ClientGoneError: the client has done so.
        """
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        if self._closed:
            coroutine.close()
            raise ClientGoneError
        self._tasks.add(task)
        try:
            return await coroutine
        except asyncio.CancelledError:
            if not self._closed:
                raise
            task.uncancel()
            raise ClientGoneError from None
        finally:
            self._tasks.discard(task)


class ResponseError(Exception):
    """A request is refused with a response that is not that of an error code.

    Attributes:
        response: the response.
    """

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status)
        self.response = response


class Memory(NamedTuple):
    """The bytes that one request holds.

    Attributes:
        request: of its body.
        response: of its response.
    """

    request: Lease
    response: Lease


class RpcProtocol(Protocol):
    """A protocol for RPCs over HTTP."""

    async def respond(self, scope: Scope, receive: Receive, memory: Memory) -> HttpResponse:
        """Return the response to a request.

        Args:
            scope: ASGI's.
            receive: ASGI's.
            memory: counts the bytes that it holds; it is closed when the response has been sent.

        Raises:
            GatewayError: the error to respond with.
            ResponseError: the response.
            ClientGoneError: the client needs no response.
        """
        ...

    def error_response(self, error: GatewayError) -> HttpResponse:
        """Return the protocol's response for an error."""
        ...


class Budgets:
    """The bytes that all HTTP requests of a server may hold."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._requests = ByteBudget(limits.request_bytes_in_flight, "requests")
        self._responses = ByteBudget(limits.response_bytes_in_flight, "responses")

    @contextmanager
    def memory(self) -> Generator[Memory]:
        """Return the bytes of one request, which are given back at the end of the block."""
        with self._requests.lease() as request, self._responses.lease() as response:
            yield Memory(request, response)


class ProtocolApp:
    """The ASGI app of a protocol. A class, not a function: Starlette passes every HTTP method on to it."""

    def __init__(self, protocol: RpcProtocol, budgets: Budgets) -> None:
        self._protocol = protocol
        self._budgets = budgets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        with self._budgets.memory() as memory:
            response = await self._respond(scope, receive, memory)
            if response is not None:
                await send_response(response, send)

    async def _respond(self, scope: Scope, receive: Receive, memory: Memory) -> HttpResponse | None:
        try:
            response = await self._protocol.respond(scope, receive, memory)
            memory.request.close()
            memory.response.resize(len(response.body))
        except GatewayError as error:
            response = self._failed(truncate_error(error))
            if error.code is Code.UNAUTHENTICATED:
                response = response._replace(headers=(*response.headers, (b"www-authenticate", b"Bearer")))
            if error.reason == OVERLOADED:
                response = response._replace(status=503, headers=(*response.headers, (b"retry-after", b"1")))
        except ResponseError as error:
            response = error.response
        except ClientGoneError:
            return None
        except asyncio.CancelledError:
            # uvicorn cancels the requests that are left when it stops.
            response = self._failed(GatewayError(Code.UNAVAILABLE, "the server is stopping", reason="STOPPING"))
        except Exception as error:
            response = self._failed(internal_error(error, "an HTTP call"))
        return response

    def _failed(self, error: GatewayError) -> HttpResponse:
        set_error(error)
        return self._protocol.error_response(error)


def parse_once(scope: Scope, parse: Callable[..., T], *arguments: Hashable) -> T:
    """Return ``parse(scope, *arguments)``, a function of the headers and the client certificate alone, computed once."""
    results: dict[object, T] = scope.setdefault("extensions", {}).setdefault(PARSED, {})
    key = (parse, *arguments)
    if key not in results:
        results[key] = parse(scope, *arguments)
    return results[key]


def credentials_of(scope: Scope) -> Credentials:
    """Return the credentials of a request."""
    authorization = tuple(value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization")
    return Credentials(authorization, scope.get("extensions", {}).get(CLIENT, {}).get(CERTIFICATE_NAME))


async def send_response(response: HttpResponse, send: Send) -> None:
    """Send a response. It returns when at most one part of it is unsent."""
    body = response.body
    # A response without content has no length, https://www.rfc-editor.org/rfc/rfc9110#section-8.6.
    length = () if response.status == 204 else ((b"content-length", str(len(body)).encode()),)
    headers = [*response.headers, *length]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if len(body) > MAX_UNSENT_BYTES:
        # uvicorn waits before each part for the client to read the others, and copies what is unsent.
        for start in range(0, len(body), _PART_BYTES):
            await send({"type": "http.response.body", "body": body[start : start + _PART_BYTES], "more_body": True})
        body = b""
    await send({"type": "http.response.body", "body": body})


def is_complete(scope: Scope) -> bool:
    """Whether the whole body of a request has arrived."""
    return COMPLETE in scope.get("extensions", ())


async def read_body(
    scope: Scope,
    receive: Receive,
    memory: Memory,
    timeout: float,
    deadline: float | None = None,
    *,
    max_bytes: int = MAX_REQUEST_BYTES,
) -> bytes:
    """Return the body of a request.

    Args:
        scope: ASGI's.
        receive: ASGI's.
        memory: counts the bytes.
        timeout: seconds for the body to arrive.
        deadline: the time on the loop's clock by which the call has to end; None for no limit.
        max_bytes: the limit.

    Raises:
        GatewayError: RESOURCE_EXHAUSTED if it is over the limit, or the bodies of all requests are; DEADLINE_EXCEEDED.
        ClientGoneError: the client has closed the connection.
    """
    # A timer costs more than reading a body that is here.
    if is_complete(scope):
        return await _read_parts(receive, memory.request, max_bytes)
    latest = asyncio.get_running_loop().time() + timeout
    ends_call = deadline is not None and deadline < latest
    try:
        async with asyncio.timeout_at(deadline if ends_call else latest):
            return await _read_parts(receive, memory.request, max_bytes)
    except TimeoutError:
        message = (
            "the deadline passed before the request was complete"
            if ends_call
            else f"the body took longer than {timeout:g} s"
        )
        raise GatewayError(Code.DEADLINE_EXCEEDED, message) from None


async def _read_parts(receive: Receive, lease: Lease, max_bytes: int) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        part = message.get("body", b"")
        if len(body) + len(part) > max_bytes:
            # The protocol discards the rest, so the client can send it all and then read the response.
            raise request_too_large()
        lease.grow(len(part))
        body += part
        more = message.get("more_body", False)
    return bytes(body)


def check_length(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a request whose Content-Length is over the limit.

    Raises:
        GatewayError: RESOURCE_EXHAUSTED.
    """
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length[:20]) > MAX_REQUEST_BYTES:
        raise request_too_large()


def request_too_large() -> GatewayError:
    """Return the error of a request over the limit."""
    return GatewayError(Code.RESOURCE_EXHAUSTED, f"the request is larger than {MAX_REQUEST_BYTES} bytes")
