"""Pools of HTTP/1.1 connections to one server."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections import deque
from weakref import WeakSet

from gateway_entities.errors import GatewayError
from gateway_entities.transports.deadline import Deadline, LoopAffinity, closed, deadline_exceeded
from gateway_entities.transports.fork import reset_in_children
from gateway_entities.transports.http1.asyncio import HttpStream
from gateway_entities.transports.http1.blocking import HttpSocket
from gateway_entities.transports.http1.errors import to_gateway_error
from gateway_entities.transports.http1.open_sockets import OpenSockets
from gateway_entities.transports.http1.request import HttpRequest
from gateway_entities.transports.http1.response import HttpResponse, NotHttpError
from gateway_entities.transports.http1.route import Route
from gateway_entities.transports.http1.streamed import AsyncStreamedResponse, StreamedResponse
from gateway_entities.transports.target import Target
from gateway_entities.transports.tls import Tls

__all__ = ["AsyncConnectionPool", "ConnectionPool", "HttpRequest", "HttpResponse"]

# Concurrent requests beyond this limit wait for a free connection.
_MAX_CONNECTIONS = 100
# Servers close idle connections, uvicorn after 5 seconds. A request sent at that moment is lost, and only the client knows
# whether it may be repeated. So the pool closes idle connections earlier.
_KEEPALIVE_S = 4.0


class ConnectionPool:
    """A pool of blocking connections to one server. Thread-safe."""

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._route = Route(target)
        self._context = _ssl_context(target, tls)
        self._sockets = OpenSockets()
        self._available = threading.Condition()
        self._busy = 0
        self._idle: deque[tuple[float, HttpSocket]] = deque()
        self._streams: WeakSet[StreamedResponse] = WeakSet()
        self._closed = False
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Start without connections; see :meth:`gateway_entities.transports.fork.ForkAware.reset_after_fork`."""
        self._available = threading.Condition()
        self._busy = 0
        self._idle = deque()
        streams, self._streams = list(self._streams), WeakSet()
        for stream in streams:
            stream.reset_after_fork()
        self._sockets.reset_after_fork()
        self._route.reset_after_fork()

    def stream(self, request: HttpRequest, deadline: Deadline) -> StreamedResponse:
        """Return the response to a request, to be read in parts. It has a connection of its own, beyond those of the pool.

        Raises:
            GatewayError: CANCELLED if the pool is closed.
        """
        stream = StreamedResponse(self._route, self._context, self._route.encode(request), deadline)
        with self._available:
            if self._closed:
                raise closed()
            self._streams.add(stream)
        return stream

    def request(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        """Send a request and return the response, whatever its status.

        Raises:
            GatewayError: UNAVAILABLE; DEADLINE_EXCEEDED; INTERNAL for a response that is not HTTP; CANCELLED if the pool is
                closed before or during the request; FAILED_PRECONDITION if a proxy refuses.
        """
        deadline.remaining()
        data = self._route.encode(request)
        self._acquire(deadline)
        connection: HttpSocket | None = None
        try:
            connection = self._idle_connection() or HttpSocket(self._route, self._context, self._sockets, deadline)
            return self._route.check(connection.request(data, deadline))
        except (OSError, NotHttpError, GatewayError) as error:
            raise closed() if self._closed else to_gateway_error(error, self._route, connection) from None
        finally:
            self._release(connection)

    def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.Transport.close`."""
        with self._available:
            self._closed = True
            idle = list(self._idle)
            self._idle.clear()
            streams = list(self._streams)
            self._available.notify_all()
        for stream in streams:
            stream.close(closed())
        # Closing a socket does not wake a thread that reads it; shutting it down does. That thread then closes it.
        self._sockets.shut_down()
        for _, connection in idle:
            connection.close()

    def _acquire(self, deadline: Deadline) -> None:
        with self._available:
            try:
                while self._busy >= _MAX_CONNECTIONS and not self._closed:
                    self._available.wait(deadline.remaining())
            except BaseException:
                # This thread may have consumed a notification that another one waits for.
                self._available.notify()
                raise
            if self._closed:
                raise closed()
            self._busy += 1

    def _idle_connection(self) -> HttpSocket | None:
        """Return a usable idle connection, if any, and close the unusable ones."""
        unusable: list[HttpSocket] = []
        found: HttpSocket | None = None
        with self._available:
            now = time.monotonic()
            while self._idle and self._idle[0][0] < now:
                unusable.append(self._idle.popleft()[1])
            while self._idle and found is None:
                _, connection = self._idle.pop()
                if connection.is_alive():
                    found = connection
                else:
                    unusable.append(connection)
        for connection in unusable:
            connection.close()
        return found

    def _release(self, connection: HttpSocket | None) -> None:
        with self._available:
            self._busy -= 1
            reusable = connection is not None and connection.reusable and not self._closed
            if connection is not None and reusable:
                self._idle.append((time.monotonic() + _KEEPALIVE_S, connection))
            self._available.notify()
        if connection is not None and not reusable:
            connection.close()


class AsyncConnectionPool:
    """The asyncio counterpart. The connections belong to the event loop of the first request."""

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._route = Route(target)
        self._context = _ssl_context(target, tls)
        self._sockets = OpenSockets()
        self._available = asyncio.Semaphore(_MAX_CONNECTIONS)
        self._open: set[HttpStream] = set()
        self._idle: deque[tuple[float, HttpStream]] = deque()
        self._streams: WeakSet[AsyncStreamedResponse] = WeakSet()
        self._scopes: set[asyncio.Timeout] = set()
        self._loop = LoopAffinity()
        self._closed = False
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Start without connections, for any event loop; see :meth:`ConnectionPool.reset_after_fork`."""
        # The streams belong to a loop that the parent runs. To close one would change the loop's selector, which is shared.
        self._available = asyncio.Semaphore(_MAX_CONNECTIONS)
        self._open = set()
        self._idle = deque()
        streams, self._streams = list(self._streams), WeakSet()
        for stream in streams:
            stream.reset_after_fork()
        self._scopes = set()
        self._loop = LoopAffinity()
        self._sockets.reset_after_fork()
        self._route.reset_after_fork()

    def stream(self, request: HttpRequest, deadline: Deadline) -> AsyncStreamedResponse:
        """Return the response to a request, to be read in parts; see :meth:`ConnectionPool.stream`."""
        self._loop.check()
        if self._closed:
            raise closed()
        stream = AsyncStreamedResponse(self._route, self._context, self._route.encode(request), deadline)
        self._streams.add(stream)
        return stream

    async def request(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        """Send a request and return the response; see :meth:`ConnectionPool.request`."""
        left = deadline.remaining()
        self._loop.check()
        if self._closed:
            raise closed()
        data = self._route.encode(request)
        scope = asyncio.timeout(left)
        stream: HttpStream | None = None
        try:
            async with scope:
                self._scopes.add(scope)
                async with self._available:
                    try:
                        stream = self._idle_connection() or await self._connect()
                        return self._route.check(await stream.request(data))
                    finally:
                        self._release(stream)
        except (OSError, NotHttpError) as error:
            if self._closed:
                raise closed() from None
            raise (deadline_exceeded() if scope.expired() else to_gateway_error(error, self._route, stream)) from None
        finally:
            self._scopes.discard(scope)

    async def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.AsyncTransport.close`."""
        self._closed = True
        for scope in self._scopes:
            if not scope.expired():
                scope.reschedule(asyncio.get_running_loop().time())
        self._scopes.clear()
        self._idle.clear()
        responses = list(self._streams)
        for response in responses:
            response.close(closed())
        streams = list(self._open)
        for stream in streams:
            stream.close()
        for stream in streams:
            await stream.ended
        if responses:
            # The loop closes their connections in its next turn.
            await asyncio.sleep(0)

    async def _connect(self) -> HttpStream:
        stream = await HttpStream.connect(self._route, self._context, self._sockets)
        self._open.add(stream)
        stream.ended.add_done_callback(lambda _: self._open.discard(stream))
        return stream

    def _idle_connection(self) -> HttpStream | None:
        """Return a usable idle connection, if any, and close the unusable ones."""
        now = time.monotonic()
        while self._idle and self._idle[0][0] < now:
            self._idle.popleft()[1].close()
        while self._idle:
            _, stream = self._idle.pop()
            if stream.is_alive():
                return stream
            stream.close()
        return None

    def _release(self, stream: HttpStream | None) -> None:
        if stream is None:
            return
        if stream.reusable and not self._closed:
            self._idle.append((time.monotonic() + _KEEPALIVE_S, stream))
        else:
            stream.close()


def _ssl_context(target: Target, tls: Tls | None) -> ssl.SSLContext | None:
    if not target.secure:
        return None
    system = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls is None or tls.ca is None:
        system.load_default_certs()
    context = system if tls is None else tls.context(system)
    context.set_alpn_protocols(["http/1.1"])
    return context
