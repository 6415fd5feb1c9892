"""The Connect protocol over HTTP/1.1: https://connectrpc.com/docs/protocol. ``connect_stream`` reads the streams."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.transports.connect_error import JSON, error_of_response
from gateway_entities.transports.connect_stream import STREAM_PROTO, AsyncConnectStream, ConnectStream, envelope
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest
from gateway_entities.transports.metadata import headers
from gateway_entities.transports.target import Target
from gateway_entities.transports.tls import Tls

PROTO = "application/proto"
_PROTO = PROTO.encode()


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

    def stream(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> ConnectStream:
        """Return the responses of a call; see :meth:`gateway_entities.transports.base.Transport.stream`."""
        deadline = Deadline(timeout)
        lines = request_headers(self._authority, deadline.remaining(), metadata, STREAM_PROTO)
        sent = HttpRequest("POST", self._prefix + method.path, lines, envelope(request))
        return ConnectStream(self._pool.stream(sent, deadline))

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

    def stream(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> AsyncConnectStream:
        """Return the responses of a call; see :meth:`gateway_entities.transports.base.AsyncTransport.stream`."""
        deadline = Deadline(timeout)
        lines = request_headers(self._authority, deadline.remaining(), metadata, STREAM_PROTO)
        sent = HttpRequest("POST", self._prefix + method.path, lines, envelope(request))
        return AsyncConnectStream(self._pool.stream(sent, deadline))

    async def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.AsyncTransport.close`."""
        await self._pool.close()


def request_headers(
    authority: str, timeout: float | None, metadata: Mapping[str, str] | None, content_type: str = PROTO
) -> list[tuple[str, str]]:
    """Return the headers of a call with ``timeout`` seconds left.

    Raises:
        GatewayError: INVALID_ARGUMENT for invalid metadata.
    """
    fields = [("host", authority), ("content-type", content_type), ("connect-protocol-version", "1"), *headers(metadata)]
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
    raise error_of_response(status, kind, body)
