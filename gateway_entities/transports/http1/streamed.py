"""HTTP/1.1 responses that are read in parts while they arrive, each on a connection of its own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.deadline import Deadline, deadline_exceeded
from gateway_entities.transports.http1.blocking import HttpSocket
from gateway_entities.transports.http1.dialer import dial_async, keep_alive
from gateway_entities.transports.http1.errors import to_gateway_error
from gateway_entities.transports.http1.open_sockets import OpenSockets
from gateway_entities.transports.http1.response import BodyParser, NotHttpError
from gateway_entities.transports.http1.route import Route

_READ_BYTES = 64 * 1024
# In a forked child. asyncio aborts the connection of a reader that is garbage, which would change the selector that the
# parent shares.
_INHERITED: list[object] = []


class Head(NamedTuple):
    """The beginning of a response.

    Attributes:
        status: the HTTP status, 200 or more.
        headers: the headers.
    """

    status: int
    headers: list[tuple[bytes, bytes]]


class StreamedResponse:
    """The response to one request, for one thread; any thread may close it."""

    def __init__(self, route: Route, context: ssl.SSLContext | None, data: bytes, deadline: Deadline) -> None:
        """Prepare a request. ``open`` sends it.

        Args:
            route: the way to the server.
            context: for TLS; None for none.
            data: the encoded request.
            deadline: of the whole response.
        """
        self._route, self._context, self._data, self._deadline = route, context, data, deadline
        self._sockets = OpenSockets()
        self._parser = BodyParser()
        self._connection: HttpSocket | None = None
        self._lock = threading.Lock()
        self._is_reading = False
        self._ended: GatewayError | None = None

    def open(self) -> Head:
        """Connect, send the request, and return the head of the response.

        Raises:
            GatewayError: as of ``read``.
        """
        self._enter()
        try:
            self._connection = connection = HttpSocket(self._route, self._context, self._sockets, self._deadline)
            connection.keep_alive()
            connection.send(self._data, self._deadline)
            while self._parser.head is None:
                self._receive(connection)
            self._route.check_status(self._parser.head[0])
            return Head(*self._parser.head)
        except (OSError, NotHttpError, GatewayError) as error:
            raise self._error(error) from None
        finally:
            self._leave()

    def read(self) -> bytes:
        """Return the next bytes of the body; none at its end.

        Raises:
            GatewayError: UNAVAILABLE if the connection is lost; DEADLINE_EXCEEDED; INTERNAL for what is not HTTP; the error
                of ``close``.
        """
        self._enter()
        try:
            assert self._connection is not None  # noqa: S101 - open comes first.
            while not (part := self._parser.take()) and not self._parser.is_complete:
                self._receive(self._connection)
            return part
        except (OSError, NotHttpError, GatewayError) as error:
            raise self._error(error) from None
        finally:
            self._leave()

    def close(self, error: GatewayError) -> None:
        """Close the connection. A thread that reads, or reads later, gets the error. A second close does nothing."""
        with self._lock:
            if self._ended is not None:
                return
            self._ended = error
            is_reading = self._is_reading
        # Closing a socket does not wake a thread that reads it; shutting it down does. That thread then closes it.
        self._sockets.shut_down()
        if not is_reading:
            self._close_connection()

    def reset_after_fork(self) -> None:
        """Leave the connection to the parent process."""
        self._lock = threading.Lock()
        self._is_reading = False
        self._ended = self._ended or forked()
        self._sockets.reset_after_fork()

    def _receive(self, connection: HttpSocket) -> None:
        part = connection.receive(self._deadline)
        if part:
            self._parser.feed(part)
        else:
            self._parser.end()

    def _enter(self) -> None:
        with self._lock:
            if self._ended is not None:
                raise self._ended
            self._is_reading = True

    def _leave(self) -> None:
        with self._lock:
            self._is_reading = False
            has_ended = self._ended is not None
        if has_ended:
            self._close_connection()

    def _close_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _error(self, error: Exception) -> GatewayError:
        return self._ended or to_gateway_error(error, self._route, self._connection)


class AsyncStreamedResponse:
    """The asyncio counterpart, for one task; any task of the loop may close it."""

    def __init__(self, route: Route, context: ssl.SSLContext | None, data: bytes, deadline: Deadline) -> None:
        """Prepare a request; see :class:`StreamedResponse`."""
        self._route, self._context, self._data, self._deadline = route, context, data, deadline
        self._sockets = OpenSockets()
        self._parser = BodyParser()
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._scope: asyncio.Timeout | None = None
        self._ended: GatewayError | None = None

    async def open(self) -> Head:
        """Connect, send the request, and return the head of the response; see :meth:`StreamedResponse.open`."""
        async with self._limited():
            reader = await self._connect()
            while self._parser.head is None:
                await self._receive(reader)
            self._route.check_status(self._parser.head[0])
            return Head(*self._parser.head)

    async def read(self) -> bytes:
        """Return the next bytes of the body; see :meth:`StreamedResponse.read`."""
        async with self._limited():
            assert self._connection is not None  # noqa: S101 - open comes first.
            while not (part := self._parser.take()) and not self._parser.is_complete:
                await self._receive(self._connection[0])
            return part

    def close(self, error: GatewayError) -> None:
        """Close the connection; see :meth:`StreamedResponse.close`."""
        if self._ended is not None:
            return
        self._ended = error
        if self._scope is not None and not self._scope.expired():
            self._scope.reschedule(asyncio.get_running_loop().time())
        if self._connection is not None:
            self._connection[1].transport.abort()

    def reset_after_fork(self) -> None:
        """Leave the connection to the parent process, and to its event loop."""
        self._ended = self._ended or forked()
        if self._connection is not None:
            _INHERITED.append(self._connection)
        self._connection = self._scope = None
        self._sockets.reset_after_fork()

    async def _connect(self) -> asyncio.StreamReader:
        name = None if self._context is None else self._route.target.host
        sock = await dial_async(self._route, self._sockets)
        try:
            keep_alive(sock)
            reader, writer = await asyncio.open_connection(
                sock=sock, ssl=self._context, server_hostname=name, limit=_READ_BYTES
            )
        except BaseException:
            self._sockets.close(sock)
            raise
        self._connection = reader, writer
        writer.write(self._data)
        return reader

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        part = await reader.read(_READ_BYTES)
        if part:
            self._parser.feed(part)
        else:
            self._parser.end()

    @asynccontextmanager
    async def _limited(self) -> AsyncGenerator[None]:
        """Limit what the block waits for by the deadline and ``close``, and map its errors."""
        if self._ended is not None:
            raise self._ended
        self._scope = scope = asyncio.timeout(self._deadline.remaining())
        try:
            async with scope:
                yield
        except (OSError, NotHttpError) as error:
            if self._ended is not None:
                raise self._ended from None
            raise (
                deadline_exceeded() if scope.expired() else to_gateway_error(error, self._route, self._connection)
            ) from None
        finally:
            self._scope = None


def forked() -> GatewayError:
    """Return the error of a stream that another process has."""
    return GatewayError(Code.CANCELLED, "the stream belongs to the process that began it", reason="FORKED")
