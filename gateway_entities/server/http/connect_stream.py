"""The Connect protocol for server streams over HTTP/1.1, https://connectrpc.com/docs/protocol#streaming-rpcs.

Every message has an envelope, a byte of flags and four of its length. The last one is the JSON object of the end, with the
error if there is one: the HTTP status is 200 in any case. Responses are not compressed.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Awaitable, Mapping
from typing import Any, Final, NamedTuple

from starlette.types import Receive, Scope, Send

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.server.http.asgi import (
    CONNECTION,
    Budgets,
    ClientGoneError,
    Connection,
    Memory,
    ResponseError,
    credentials_of,
    is_complete,
    parse_once,
    read_body,
    request_too_large,
    send_response,
)
from gateway_entities.server.http.connect import (
    NOT_STORED,
    decompress,
    error_content,
    find_codec,
    method_not_allowed,
    timeout_of,
)
from gateway_entities.server.rpc.codec import JSON, PROTO, Codec
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.errors import internal_error, truncate_error
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, MAX_REQUEST_BYTES, Limits
from gateway_entities.server.telemetry.observer import Observer
from gateway_entities.server.telemetry.request_context import CURRENT, RequestContext, set_error

_CODECS: Final = {b"application/connect+proto": PROTO, b"application/connect+json": JSON}
_PREFIX: Final = struct.Struct(">BI")
_COMPRESSED: Final = 1
_END: Final = 2
_NOT_BUFFERED: Final = (b"x-accel-buffering", b"no")
"""nginx would collect the messages of a response."""
_PART_BYTES: Final = 64 * 1024
"""A longer message is written in parts, each when the client has read the others."""
_LONG_JSON_BYTES: Final = 16 * 1024
"""A message of this size is converted to JSON in a thread."""


class _Call(NamedTuple):
    codec: Codec
    content_type: bytes
    encoding: bytes
    timeout: float | None


class ConnectStreams:
    """The ASGI app of the RPCs with a stream of responses."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        methods: Mapping[str, Method[Any, Any]],
        budgets: Budgets,
        observer: Observer | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Create the app.

        Args:
            dispatcher: runs the calls.
            methods: the RPCs by path. The app is called for these paths alone.
            budgets: the memory of requests.
            observer: records the streams.
            limits: the time for the body of a request.
        """
        self._dispatcher = dispatcher
        self._methods = methods
        self._budgets = budgets
        self._observer = observer
        self._body_timeout = limits.http_body_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        try:
            if scope["method"] != "POST":
                await send_response(method_not_allowed("POST"), send)
                return
            content_type, codec = find_codec(dict(scope["headers"]).get(b"content-type", b""), _CODECS)
        except ResponseError as error:
            await send_response(error.response, send)
            return
        context = CURRENT.get()
        if self._observer is not None and context is not None:
            self._observer.begin_stream(context)
        method = self._methods[scope["path"]]
        response = _StreamedResponse(send, content_type, codec, method, context)
        failure: GatewayError | None = None
        connection: Connection = scope["extensions"][CONNECTION]
        try:
            await connection.call(self._run(scope, receive, method, response))
        except GatewayError as error:
            failure = truncate_error(error)
        except (ClientGoneError, asyncio.CancelledError):
            # The client has gone, or does not read what it got when the server stops.
            self._abort(connection, context)
            return
        except Exception as error:
            failure = internal_error(error, method.path)
        if failure is not None:
            set_error(failure)
        try:
            await response.end(failure)
        except asyncio.CancelledError:
            self._abort(connection, context)

    def _abort(self, connection: Connection, context: RequestContext | None) -> None:
        if context is not None:
            context.code = Code.CANCELLED.name
        connection.abort()

    async def _run(self, scope: Scope, receive: Receive, method: Method[Any, Any], response: _StreamedResponse) -> None:
        loop = asyncio.get_running_loop()
        call = _parse_call(scope, response)
        deadline = None if call.timeout is None else loop.time() + call.timeout
        credentials = parse_once(scope, credentials_of)
        with self._budgets.memory() as memory:
            if not is_complete(scope):
                # Before the body costs memory.
                await self._dispatcher.authenticate(method, credentials, call.timeout)
            # A stream must not keep its request for hours.
            bodies = [await self._read(scope, receive, memory, deadline)]

            def read() -> Any:
                request = call.codec.decode(_message(bodies.pop(), call.encoding), method.request_type)
                memory.request.close()
                return request

            left = None if deadline is None else deadline - loop.time()
            await self._dispatcher.stream(method, credentials, read, response, left)

    async def _read(self, scope: Scope, receive: Receive, memory: Memory, deadline: float | None) -> bytes:
        limit = MAX_REQUEST_BYTES + _PREFIX.size
        return await read_body(scope, receive, memory, self._body_timeout, deadline, max_bytes=limit)


class _StreamedResponse:
    """The response to one request: a MessageSink."""

    def __init__(
        self, send: Send, content_type: bytes, codec: Codec, method: Method[Any, Any], context: RequestContext | None
    ) -> None:
        self.content_type = content_type
        self.codec = codec
        self._send = send
        self._method = method
        self._context = context
        self._has_started = False

    async def start(self) -> None:
        """Send the headers."""
        self._has_started = True
        headers = [(b"content-type", self.content_type), NOT_STORED, _NOT_BUFFERED]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        # uvicorn's protocol would otherwise wait for the first message to join it with the headers.
        await self._send({"type": "http.response.body", "body": b"", "more_body": True})

    async def send(self, message: bytes) -> None:
        """Send a message."""
        data = message
        if self.codec is JSON:
            convert = asyncio.to_thread if len(message) > _LONG_JSON_BYTES else _call
            data = await convert(self._to_json, message)
        await self._write(_PREFIX.pack(0, len(data)) + data[:_PART_BYTES])
        for start in range(_PART_BYTES, len(data), _PART_BYTES):
            await self._write(data[start : start + _PART_BYTES])
        if self._context is not None:
            self._context.add_message(len(data))

    async def end(self, error: GatewayError | None) -> None:
        """Send the end."""
        if not self._has_started:
            await self.start()
        content = {} if error is None else {"error": error_content(error)}
        data = json.dumps(content).encode()
        await self._send({"type": "http.response.body", "body": _PREFIX.pack(_END, len(data)) + data})

    def _to_json(self, message: bytes) -> bytes:
        return JSON.encode(self._method.response_type.FromString(message))

    def _write(self, part: bytes) -> Awaitable[None]:
        return self._send({"type": "http.response.body", "body": part, "more_body": True})


async def _call(function: Any, *arguments: Any) -> Any:
    return function(*arguments)


def _parse_call(scope: Scope, response: _StreamedResponse) -> _Call:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if headers.get(b"connect-protocol-version", b"1") != b"1":
        raise GatewayError(Code.INVALID_ARGUMENT, "connect-protocol-version must be 1")
    encoding = headers.get(b"connect-content-encoding", b"identity").lower()
    if encoding not in (b"identity", b"gzip"):
        raise GatewayError(Code.UNIMPLEMENTED, "the compression is not supported; gzip and identity are")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length[:20]) > MAX_REQUEST_BYTES + _PREFIX.size:
        raise request_too_large()
    return _Call(response.codec, response.content_type, encoding, timeout_of(headers))


def _message(body: bytes, encoding: bytes) -> bytes:
    """Return the only message of a request's body.

    Raises:
        GatewayError: UNIMPLEMENTED if there is none, or more than one, as Connect wants; INVALID_ARGUMENT or INTERNAL for a
            malformed envelope; RESOURCE_EXHAUSTED if it is too large.
    """
    if not body:
        raise GatewayError(Code.UNIMPLEMENTED, "the call has no request message")
    if len(body) < _PREFIX.size:
        raise GatewayError(Code.INVALID_ARGUMENT, "the body ends within an envelope", reason="WIRE_FORMAT")
    flags, length = _PREFIX.unpack_from(body)
    if flags & ~_COMPRESSED:
        raise GatewayError(Code.INVALID_ARGUMENT, f"an envelope has the unknown flags {flags}", reason="WIRE_FORMAT")
    if length > MAX_REQUEST_BYTES:
        raise request_too_large()
    end = _PREFIX.size + length
    if len(body) < end:
        raise GatewayError(Code.INVALID_ARGUMENT, "the body ends within a message", reason="WIRE_FORMAT")
    if len(body) > end:
        raise GatewayError(Code.UNIMPLEMENTED, "the call has more than one request message")
    message = body[_PREFIX.size :]
    if not flags & _COMPRESSED:
        return message
    if encoding != b"gzip":
        raise GatewayError(Code.INTERNAL, "a message is compressed, without a header that names the compression")
    return decompress(message)
