"""Pools of HTTP/1.1 connections to one server: what the transports over HTTP share."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections import deque
from typing import NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.deadline import Deadline, LoopAffinity, closed, deadline_exceeded
from gateway_entities.transports.http1.asyncio import HttpStream
from gateway_entities.transports.http1.blocking import HttpSocket, OpenSockets
from gateway_entities.transports.http1.response import HttpResponse, NotHttpError
from gateway_entities.transports.target import Target
from gateway_entities.transports.tls import Tls

__all__ = ["AsyncConnectionPool", "ConnectionPool", "HttpRequest", "HttpResponse"]

# One more call than this waits for a connection to be free: sockets are not endless.
_MAX_CONNECTIONS = 100
# Servers drop idle connections, uvicorn after 5 seconds. A request that crosses with the drop is lost, and only one that is
# idempotent may be sent again, which is for the client to decide; so this side lets go first.
_KEEPALIVE_S = 4.0


class HttpRequest(NamedTuple):
    """A request as it goes over the wire.

    Attributes:
        verb: the HTTP method.
        path: the path, with the query if there is one.
        headers: all headers but content-length; host first.
        body: the content.
    """

    verb: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def encode(self) -> bytes:
        """Return all of its bytes.

        Raises:
            GatewayError: INTERNAL if they would be read as something else.
        """
        lines = [f"{self.verb} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        head = "\r\n".join([*lines, f"content-length: {len(self.body)}", "", ""])
        # Whoever made the parts has checked them. If not: a line more is a header that nobody meant, or a second request.
        if (
            head.count("\n") != len(lines) + 2
            or head.count("\r") != len(lines) + 2
            or lines[0].count(" ") != 2
            or not head.isascii()
        ):
            raise GatewayError(Code.INTERNAL, "a request's path or headers are not fit to be sent")
        return head.encode("ascii") + self.body


class ConnectionPool:
    """A pool of connections to one server. Threads may share it."""

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._target = target
        self._context = _ssl_context(target, tls)
        self._sockets = OpenSockets()
        self._turn = threading.Condition()
        self._busy = 0
        self._idle: deque[tuple[float, HttpSocket]] = deque()
        self._closed = False

    def exchange(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        """Send a request and return the answer, whatever its status.

        Raises:
            GatewayError: UNAVAILABLE; DEADLINE_EXCEEDED; INTERNAL for what is no HTTP; CANCELLED when the pool is closed,
                before or during it.
        """
        deadline.remaining()
        data = request.encode()
        self._wait_for_turn(deadline)
        connection: HttpSocket | None = None
        try:
            connection = self._kept() or HttpSocket(self._target, self._context, self._sockets, deadline)
            return connection.exchange(data, deadline)
        except (OSError, NotHttpError, GatewayError) as error:
            raise closed() if self._closed else _fault(error, self._target, connection) from None
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.Transport.close`."""
        with self._turn:
            self._closed = True
            idle = list(self._idle)
            self._idle.clear()
            self._turn.notify_all()
        # Closing a socket does not wake the thread that reads it; breaking it does. That thread then closes it.
        self._sockets.break_all()
        for _, connection in idle:
            connection.close()

    def _wait_for_turn(self, deadline: Deadline) -> None:
        with self._turn:
            try:
                while self._busy >= _MAX_CONNECTIONS and not self._closed:
                    self._turn.wait(deadline.remaining())
            except BaseException:
                # It may have been told that it is its turn, and another waits.
                self._turn.notify()
                raise
            if self._closed:
                raise closed()
            self._busy += 1

    def _kept(self) -> HttpSocket | None:
        """Return an idle connection that can be used, and close those that cannot."""
        old: list[HttpSocket] = []
        found: HttpSocket | None = None
        with self._turn:
            now = time.monotonic()
            while self._idle and self._idle[0][0] < now:
                old.append(self._idle.popleft()[1])
            while self._idle and found is None:
                _, connection = self._idle.pop()
                if connection.is_alive():
                    found = connection
                else:
                    old.append(connection)
        for connection in old:
            connection.close()
        return found

    def _give_back(self, connection: HttpSocket | None) -> None:
        with self._turn:
            self._busy -= 1
            kept = connection is not None and connection.reusable and not self._closed
            if connection is not None and kept:
                self._idle.append((time.monotonic() + _KEEPALIVE_S, connection))
            self._turn.notify()
        if connection is not None and not kept:
            connection.close()


class AsyncConnectionPool:
    """The same on asyncio. The connections belong to the event loop of the first exchange."""

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._target = target
        self._context = _ssl_context(target, tls)
        self._turn = asyncio.Semaphore(_MAX_CONNECTIONS)
        self._open: set[HttpStream] = set()
        self._idle: deque[tuple[float, HttpStream]] = deque()
        self._scopes: set[asyncio.Timeout] = set()
        self._loop = LoopAffinity()
        self._closed = False

    async def exchange(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        """Send a request and return the answer; see :meth:`ConnectionPool.exchange`."""
        left = deadline.remaining()
        self._loop.check()
        if self._closed:
            raise closed()
        data = request.encode()
        scope = asyncio.timeout(left)
        stream: HttpStream | None = None
        try:
            async with scope:
                self._scopes.add(scope)
                async with self._turn:
                    try:
                        stream = self._kept() or await self._connected()
                        return await stream.exchange(data)
                    finally:
                        self._give_back(stream)
        except (OSError, NotHttpError) as error:
            if self._closed:
                raise closed() from None
            raise (deadline_exceeded() if scope.expired() else _fault(error, self._target, stream)) from None
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
        streams = list(self._open)
        for stream in streams:
            stream.close()
        for stream in streams:
            await stream.ended

    async def _connected(self) -> HttpStream:
        stream = await HttpStream.connect(self._target, self._context)
        self._open.add(stream)
        stream.ended.add_done_callback(lambda _: self._open.discard(stream))
        return stream

    def _kept(self) -> HttpStream | None:
        """Return an idle connection that can be used, and close those that cannot."""
        now = time.monotonic()
        while self._idle and self._idle[0][0] < now:
            self._idle.popleft()[1].close()
        while self._idle:
            _, stream = self._idle.pop()
            if stream.is_alive():
                return stream
            stream.close()
        return None

    def _give_back(self, stream: HttpStream | None) -> None:
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


def _fault(error: Exception, target: Target, connection: object | None) -> GatewayError:
    if isinstance(error, GatewayError):
        return error
    # The deadline is a time-out without a number; the kernel, when it gives up on a peer, gives one.
    if isinstance(error, TimeoutError) and error.errno is None:
        return deadline_exceeded()
    if isinstance(error, NotHttpError):
        return GatewayError(Code.INTERNAL, f"what answers at {target} does not speak HTTP as it should: {error}")
    if connection is None:
        return GatewayError(Code.UNAVAILABLE, f"cannot connect to {target}: {error}")
    return GatewayError(Code.UNAVAILABLE, f"no complete answer from {target}: {error}")
