"""The Connect protocol for unary calls, over HTTP/1.1: https://connectrpc.com/docs/protocol#unary-request."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, cast

from google.protobuf.any_pb2 import Any as AnyMessage

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest
from gateway_entities.transports.metadata import headers
from gateway_entities.transports.target import Target
from gateway_entities.transports.tls import Tls

PROTO = "application/proto"
_PROTO = PROTO.encode()
JSON = "application/json"

# https://connectrpc.com/docs/protocol#http-to-error-code: what a status means when no Connect error comes with it.
_BY_HTTP_STATUS = {
    400: Code.INTERNAL,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.UNIMPLEMENTED,
    429: Code.UNAVAILABLE,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
}


class ConnectTransport:
    """Connect calls over a pool of connections to one server."""

    deduplicates = True

    def __init__(self, target: Target, tls: Tls | None = None, *, pool: ConnectionPool | None = None) -> None:
        self._authority, self._prefix = target.authority, target.prefix
        self._pool = pool or ConnectionPool(target, tls)

    def call(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> bytes:
        """Make one call; see :meth:`gateway_entities.transports.base.Transport.call`."""
        deadline = Deadline(timeout)
        lines = request_headers(self._authority, deadline.remaining(), metadata)
        sent = HttpRequest("POST", self._prefix + method.path, lines, request)
        return read_response(*self._pool.request(sent, deadline))

    def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.Transport.close`."""
        self._pool.close()


class AsyncConnectTransport:
    """The asyncio counterpart. The connections belong to the event loop of the first call."""

    deduplicates = True

    def __init__(self, target: Target, tls: Tls | None = None, *, pool: AsyncConnectionPool | None = None) -> None:
        self._authority, self._prefix = target.authority, target.prefix
        self._pool = pool or AsyncConnectionPool(target, tls)

    async def call(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> bytes:
        """Make one call; see :meth:`gateway_entities.transports.base.AsyncTransport.call`."""
        deadline = Deadline(timeout)
        lines = request_headers(self._authority, deadline.remaining(), metadata)
        sent = HttpRequest("POST", self._prefix + method.path, lines, request)
        return read_response(*await self._pool.request(sent, deadline))

    async def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.AsyncTransport.close`."""
        await self._pool.close()


def request_headers(authority: str, timeout: float | None, metadata: Mapping[str, str] | None) -> list[tuple[str, str]]:
    """Return the headers of a call with ``timeout`` seconds left.

    Raises:
        GatewayError: INVALID_ARGUMENT for invalid metadata.
    """
    fields = [("host", authority), ("content-type", PROTO), ("connect-protocol-version", "1"), *headers(metadata)]
    if timeout is not None:
        fields.append(("connect-timeout-ms", str(math.ceil(timeout * 1000))))
    return fields


def read_response(status: int, lines: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """Return the encoded message of an HTTP response.

    Raises:
        GatewayError: the server's error; for a response that is not Connect's, the meaning of its HTTP status.
    """
    given = {name.lower(): value for name, value in lines}
    content_type, content_encoding = given.get(b"content-type", b""), given.get(b"content-encoding")
    if status == 200 and content_type == _PROTO and content_encoding is None:
        return body
    kind = content_type.decode("latin-1").lower().partition(";")[0].strip()
    if status == 200:
        if kind != PROTO:
            raise GatewayError(
                # JSON is a Connect encoding too, so the server ignored the requested one.
                Code.INTERNAL if kind == JSON else Code.UNKNOWN,
                f"the response's content type is {kind[:100]!r}, not {PROTO}: is this the gateway's HTTP address?",
                reason="NOT_CONNECT",
            )
        encoding = "identity" if content_encoding is None else content_encoding.decode("latin-1").lower()
        if encoding != "identity":
            raise GatewayError(
                Code.INTERNAL, f"the response's content encoding is {encoding[:100]!r}, which was not requested"
            )
        return body
    if kind == JSON:
        error = _read_error(status, body)
        if error is not None:
            raise error
    raise GatewayError(
        _BY_HTTP_STATUS.get(status, Code.UNKNOWN),
        f"HTTP status {status} without a Connect error: the response is from a proxy or another server",
        reason="NOT_CONNECT",
    )


def _read_error(status: int, body: bytes) -> GatewayError | None:
    """Return the error that a Connect body describes; None for any other body."""
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, dict):
        return None
    fields = cast("dict[str, object]", parsed)
    name, message, listed = fields.get("code"), fields.get("message"), fields.get("details")
    if not isinstance(name, str) and not isinstance(message, str):
        return None
    code = (Code.from_connect(name) if isinstance(name, str) else None) or _BY_HTTP_STATUS.get(status, Code.UNKNOWN)
    details = [_read_detail(detail) for detail in cast("list[object]", listed)] if isinstance(listed, list) else []
    text = message if isinstance(message, str) and message else code.name.lower().replace("_", " ")
    return GatewayError.from_details(code, text, [detail for detail in details if detail is not None])


def _read_detail(detail: object) -> AnyMessage | None:
    """Return one detail; None for an invalid one: a detail must not hide the error itself."""
    fields = cast("dict[str, object]", detail) if isinstance(detail, dict) else {}
    name, value = fields.get("type"), fields.get("value")
    if not isinstance(name, str) or not isinstance(value, str):
        return None
    try:
        # Connect omits the padding, and accepts it.
        data = base64.b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return AnyMessage(type_url=f"type.googleapis.com/{name}", value=data)
