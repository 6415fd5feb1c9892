"""The Connect protocol for unary calls, https://connectrpc.com/docs/protocol. ``connect_stream`` has that for streams.

RPCs without side effects are also called with GET, the message in the query. Compressed responses are not implemented: the
protocol leaves them to the server.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import RESOLVE_GATEWAY_ENDPOINT, Method
from gateway_entities.server.http.asgi import (
    CONNECTION,
    NOT_CACHED,
    Connection,
    Headers,
    HttpResponse,
    Memory,
    ResponseError,
    check_length,
    credentials_of,
    is_complete,
    parse_once,
    read_body,
    request_too_large,
)
from gateway_entities.server.rpc.codec import JSON, PROTO, Codec
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, MAX_REQUEST_BYTES, Limits

_CODECS: Final = {b"application/proto": PROTO, b"application/json": JSON}
_CODECS_OF_GET: Final = {b"proto": b"application/proto", b"json": b"application/json"}
_MAX_PARAMETERS: Final = 32
_JSON_TYPE: Final = (b"content-type", b"application/json")
NOT_STORED: Final = (b"cache-control", b"no-store")
"""What a caller may read changes with its token, and a response is never older than the store was when the call arrived."""
_NOT_SNIFFED: Final = (b"x-content-type-options", b"nosniff")
"""A page of any origin may ask for a GET, as a script or an image. It is none, so the browser keeps it from the page."""


class Call(NamedTuple):
    """The parameters of a call.

    Attributes:
        codec: the encoding of both messages.
        content_type: the media type of that encoding.
        gzipped: whether the request is compressed.
        timeout: seconds that the caller waits, from the moment it sent the call; None for no limit.
    """

    codec: Codec
    content_type: bytes
    gzipped: bool
    timeout: float | None


class ConnectProtocol:
    """Connect calls to the RPCs of a dispatcher."""

    def __init__(self, dispatcher: Dispatcher, methods: Iterable[Method[Any, Any]], limits: Limits = DEFAULT_LIMITS) -> None:
        self._dispatcher = dispatcher
        self._body_timeout = limits.http_body_timeout_s
        self._methods = {method.path: method for method in methods}

    async def respond(self, scope: Scope, receive: Receive, memory: Memory) -> HttpResponse:
        """Respond to a request; see :meth:`gateway_entities.server.http.asgi.RpcProtocol.respond`."""
        method = self._methods.get(scope["path"])
        if method is None:
            return not_found()
        if scope["method"] == "GET" and method.reads:
            call, message = parse_get(scope)
            response = await self._execute(method, scope, call, message, _deadline(call))
            return response._replace(headers=(*response.headers, NOT_STORED, _NOT_SNIFFED))
        if scope["method"] != "POST":
            return method_not_allowed("GET, POST" if method.reads else "POST")
        call = parse_once(scope, parse_call)
        deadline = _deadline(call)
        if not is_complete(scope):
            # Before the body costs memory.
            connection: Connection = scope["extensions"][CONNECTION]
            authenticated = self._dispatcher.authenticate(method, parse_once(scope, credentials_of), call.timeout)
            await connection.call(authenticated)
        body = await read_body(scope, receive, memory, self._body_timeout, deadline)
        return await self._execute(method, scope, call, body, deadline)

    async def _execute(
        self, method: Method[Any, Any], scope: Scope, call: Call, body: bytes, deadline: float | None
    ) -> HttpResponse:
        loop = asyncio.get_running_loop()
        credentials = parse_once(scope, credentials_of)
        connection: Connection = scope["extensions"][CONNECTION]
        key = (method.path, call.codec.name, body)

        def read() -> Any:
            return call.codec.decode(decompress(body) if call.gzipped else body, method.request_type)

        def work() -> bytes:
            response, data = self._dispatcher.execute_encoded(method, credentials, read, call.codec)
            if not call.gzipped:
                self._dispatcher.put_cached(key, response, data)
            return data

        def left() -> float | None:
            return None if deadline is None else deadline - loop.time()

        data: bytes | None = None
        if not call.gzipped and NOT_CACHED not in scope["extensions"]:
            data = await self._dispatcher.revalidate_cached(key, method, credentials, left())
        if data is None:
            data = await connection.call(self._dispatcher.call(method, credentials, work, left()))
        headers: Headers = ((b"content-type", call.content_type),)
        # It has secrets. Other responses to a POST are not stored by any cache in practice, and cost no header.
        return HttpResponse(200, (*headers, NOT_STORED) if method is RESOLVE_GATEWAY_ENDPOINT else headers, data)

    def error_response(self, error: GatewayError) -> HttpResponse:
        """Return the response for an error."""
        return error_response(error)


def parse_call(scope: Scope) -> Call:
    """Parse the headers of a POST.

    Raises:
        ResponseError: the content type or encoding is not supported.
        GatewayError: a header that Connect defines has an invalid value.
    """
    headers: dict[bytes, bytes] = dict(scope["headers"])
    content_type, codec = find_codec(headers.get(b"content-type", b""), _CODECS)
    if headers.get(b"connect-protocol-version", b"1") != b"1":
        raise GatewayError(Code.INVALID_ARGUMENT, "connect-protocol-version must be 1")
    gzipped = _is_gzip(headers.get(b"content-encoding", b"identity").lower())
    check_length(headers)
    return Call(codec, content_type, gzipped, timeout_of(headers))


def parse_get(scope: Scope) -> tuple[Call, bytes]:
    """Parse a GET; return the message too, which may be compressed.

    Raises:
        ResponseError: the encoding or the compression is not supported.
        GatewayError: a parameter or header that Connect defines is missing, repeated or has an invalid value.
    """
    parameters = _parameters(scope["query_string"])
    for name in (b"encoding", b"message"):
        if name not in parameters:
            raise _invalid(f"the parameter {name.decode()} is missing")
    if parameters.get(b"connect", b"v1") != b"v1":
        raise _invalid("the parameter connect must be v1")
    content_type, codec = find_codec(_CODECS_OF_GET.get(parameters[b"encoding"], b""), _CODECS)
    gzipped = _is_gzip(parameters.get(b"compression", b"identity"))
    message = parameters[b"message"]
    if parameters.get(b"base64") == b"1":
        message = _from_base64(message)
    return Call(codec, content_type, gzipped, timeout_of(dict(scope["headers"]))), message


def _parameters(query: bytes) -> dict[bytes, bytes]:
    # Percent-encoding may stand for any byte, and latin-1 has a character for each.
    try:
        pairs = parse_qsl(
            query.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=_MAX_PARAMETERS
        )
    except ValueError:
        raise _invalid(f"the query has more than {_MAX_PARAMETERS} parameters") from None
    parameters = {name.encode("latin-1"): value.encode("latin-1") for name, value in pairs}
    if len(parameters) != len(pairs):
        raise _invalid("a parameter of the query is repeated")
    return parameters


def _from_base64(text: bytes) -> bytes:
    digits = text.rstrip(b"=")
    if not re.fullmatch(rb"[A-Za-z0-9_-]*", digits) or len(digits) % 4 == 1 or len(text) - len(digits) > 2:
        raise _invalid("the parameter message is not URL-safe base64")
    return base64.urlsafe_b64decode(digits + b"=" * (-len(digits) % 4))


def _is_gzip(encoding: bytes) -> bool:
    if encoding not in (b"identity", b"gzip"):
        error = GatewayError(Code.UNIMPLEMENTED, "the compression is not supported; gzip and identity are")
        raise ResponseError(error_response(error, headers=((b"accept-encoding", b"gzip, identity"),)))
    return encoding == b"gzip"


def timeout_of(headers: Mapping[bytes, bytes]) -> float | None:
    """Return the seconds that a caller waits; None for no limit.

    Raises:
        GatewayError: INVALID_ARGUMENT.
    """
    timeout = headers.get(b"connect-timeout-ms")
    return None if timeout is None else _seconds(timeout)


def _deadline(call: Call) -> float | None:
    return None if call.timeout is None else asyncio.get_running_loop().time() + call.timeout


def _invalid(problem: str) -> GatewayError:
    return GatewayError(Code.INVALID_ARGUMENT, problem)


def find_codec(header: bytes, codecs: Mapping[bytes, Codec]) -> tuple[bytes, Codec]:
    """Return the media type of a content type, and its codec.

    Raises:
        ResponseError: it has none.
    """
    media_type, _, parameter = (part.strip() for part in header.lower().partition(b";"))
    codec = codecs.get(media_type)
    if codec is None or parameter.replace(b'"', b"") not in (b"", b"charset=utf-8"):
        # Connect has no code for this; its clients read a bare 415 as UNKNOWN.
        names = b" or ".join(codecs).decode()
        get = ", the encoding of a GET proto or json" if codecs is _CODECS else ""
        error = GatewayError(Code.UNKNOWN, f"the content-type must be {names}{get}")
        headers = ((b"accept-post", b", ".join(codecs)),)
        raise ResponseError(error_response(error, status=415, headers=headers))
    return media_type, codec


def _seconds(timeout: bytes) -> float:
    if not timeout.isdigit() or len(timeout) > 10:
        raise GatewayError(Code.INVALID_ARGUMENT, "connect-timeout-ms must be a whole number of at most 10 digits")
    return int(timeout) / 1000


def decompress(body: bytes) -> bytes:
    """Decompress a gzip stream.

    Raises:
        GatewayError: INVALID_ARGUMENT if it is not one whole gzip stream; RESOURCE_EXHAUSTED if the content is over the
            limit of a request. The rest is not decompressed then.
    """
    if not body:
        return body
    stream = zlib.decompressobj(wbits=31)
    try:
        data = stream.decompress(body, MAX_REQUEST_BYTES + 1)
    except zlib.error:
        data = b""
    if len(data) > MAX_REQUEST_BYTES:
        raise request_too_large()
    if not stream.eof or stream.unused_data:
        raise GatewayError(Code.INVALID_ARGUMENT, "the body is not one whole gzip stream", reason="WIRE_FORMAT")
    return data


def not_found() -> HttpResponse:
    """Return the response for a path that does not exist."""
    return error_response(GatewayError(Code.UNIMPLEMENTED, "there is nothing at this path"), status=404)


def method_not_allowed(allowed: str) -> HttpResponse:
    """Return the response for an HTTP method that a path does not have."""
    # Connect has no code for this; its clients read a bare 405 as UNKNOWN.
    error = GatewayError(Code.UNKNOWN, f"this path accepts {allowed} only")
    return error_response(error, status=405, headers=((b"allow", allowed.encode()),))


def error_response(error: GatewayError, *, status: int | None = None, headers: Headers = ()) -> HttpResponse:
    """Return an error as JSON, with the HTTP status of its code unless another is given."""
    body = json.dumps(error_content(error)).encode()
    return HttpResponse(status or error.code.http_status, (_JSON_TYPE, NOT_STORED, *headers), body)


def error_content(error: GatewayError) -> dict[str, object]:
    """Return the JSON object of an error."""
    content: dict[str, object] = {"code": error.code.connect, "message": error.message}
    details = [
        {"type": each.TypeName(), "value": base64.b64encode(each.value).rstrip(b"=").decode()} for each in error.details()
    ]
    if details:
        content["details"] = details
    return content
