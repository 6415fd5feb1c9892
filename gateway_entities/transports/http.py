"""Connect over HTTP/1.1."""

from __future__ import annotations

from collections.abc import Mapping

from gateway_entities.methods import Method, Request, Response
from gateway_entities.transports.base import Deadline, Target
from gateway_entities.transports.connect import read_response, request_headers
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest
from gateway_entities.transports.tls import Tls


class HttpTransport:
    """Calls over a pool of connections to one server."""

    deduplicates = True

    def __init__(self, target: Target, connections: ConnectionPool | None = None, *, tls: Tls | None = None) -> None:
        """Take the server, its pool of connections if it is not to be a new one, and what TLS takes beside the target."""
        self._authority = target.authority
        self._connections = connections or ConnectionPool(target, tls)

    def call(
        self,
        method: Method[Request, Response],
        request: Request,
        *,
        timeout: float | None,
        metadata: Mapping[str, str] | None,
    ) -> Response:
        """Make one call; see :meth:`gateway_entities.transports.base.Transport.call`."""
        deadline = Deadline(timeout)
        lines = request_headers(self._authority, deadline.remaining(), metadata)
        sent = HttpRequest("POST", method.path, lines, request.SerializeToString())
        return read_response(method, *self._connections.exchange(sent, deadline))

    def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.Transport.close`."""
        self._connections.close()


class AsyncHttpTransport:
    """The same on asyncio. The connections belong to the event loop of the first call."""

    deduplicates = True

    def __init__(self, target: Target, connections: AsyncConnectionPool | None = None, *, tls: Tls | None = None) -> None:
        """Take the server, its pool of connections if it is not to be a new one, and what TLS takes beside the target."""
        self._authority = target.authority
        self._connections = connections or AsyncConnectionPool(target, tls)

    async def call(
        self,
        method: Method[Request, Response],
        request: Request,
        *,
        timeout: float | None,
        metadata: Mapping[str, str] | None,
    ) -> Response:
        """Make one call; see :meth:`gateway_entities.transports.base.AsyncTransport.call`."""
        deadline = Deadline(timeout)
        lines = request_headers(self._authority, deadline.remaining(), metadata)
        sent = HttpRequest("POST", method.path, lines, request.SerializeToString())
        return read_response(method, *await self._connections.exchange(sent, deadline))

    async def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.AsyncTransport.close`."""
        await self._connections.close()
