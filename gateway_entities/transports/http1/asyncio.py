"""An HTTP/1.1 connection on asyncio."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from functools import partial
from typing import cast

from gateway_entities.transports.http1.blocking import readable
from gateway_entities.transports.http1.dialer import dial_async
from gateway_entities.transports.http1.open_sockets import OpenSockets
from gateway_entities.transports.http1.response import HttpResponse, NotHttpError, ResponseParser
from gateway_entities.transports.http1.route import Route

_READ_BYTES = 64 * 1024


class HttpStream(asyncio.Protocol):
    """A connection for one request at a time. asyncio calls the methods of its Protocol interface.

    Attributes:
        reusable: whether the connection may carry another request.
        ended: resolved when the connection is closed.
    """

    def __init__(self, sock: socket.socket, sockets: OpenSockets) -> None:
        loop = asyncio.get_running_loop()
        self.reusable = False
        self._socket = sock
        self._sockets = sockets
        self.ended: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._transport: asyncio.Transport
        # Data received before the first request was sent; None after it.
        self._early: bytes | None = b""
        self._parser: ResponseParser | None = None
        self._response: asyncio.Future[HttpResponse]

    @classmethod
    async def connect(cls, route: Route, context: ssl.SSLContext | None, sockets: OpenSockets) -> HttpStream:
        """Connect.

        Raises:
            GatewayError: FAILED_PRECONDITION if a proxy refuses.
            OSError: the server cannot be reached, or its certificate is not trusted.
        """
        loop = asyncio.get_running_loop()
        name = None if context is None else route.target.host
        kind = _PlainStream if context is None else cls
        sock = await dial_async(route, sockets)
        # asyncio sets TCP_NODELAY.
        making = loop.create_task(
            loop.create_connection(lambda: kind(sock, sockets), sock=sock, ssl=context, server_hostname=name)
        )
        try:
            # When a TLS connection is cancelled just as it is made, asyncio waits for the peer's end and polls the socket
            # meanwhile, which must not be closed then.
            _, stream = await asyncio.shield(making)
        except BaseException:
            if making.done():
                _abandon(sock, sockets, making)
            else:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
                making.add_done_callback(partial(_abandon, sock, sockets))
            raise
        return stream

    async def request(self, data: bytes) -> HttpResponse:
        """Send an encoded request and return the response.

        Raises:
            OSError: the connection is lost.
            NotHttpError: the response is not HTTP.
        """
        self.reusable = False
        parser = self._parser = ResponseParser()
        self._response = self._loop.create_future()
        early, self._early = self._early, None
        try:
            if early:
                self.data_received(early)
            elif self.ended.done():
                raise ConnectionError("the server closed the connection")
            if not self._response.done():
                self._transport.write(data)
            response = await self._response
        finally:
            self._parser = None
        # The response may arrive before the whole request is sent.
        self.reusable = parser.reusable and not early and self._transport.get_write_buffer_size() == 0
        return response

    def is_alive(self) -> bool:
        """Return whether an idle connection is usable."""
        if self.ended.done() or self._transport.is_closing():
            return False
        # The loop may not have polled it yet.
        return not readable(self._transport.get_extra_info("socket").fileno())

    def close(self) -> None:
        """Close the connection without waiting for the peer."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the asyncio transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes | memoryview) -> None:
        """Parse received data."""
        if self._early is not None:
            self._early += data
            return
        if self._parser is None or self._response.done():
            # Unsolicited data: the next response on this connection would belong to no request.
            self._transport.abort()
            return
        try:
            response = self._parser.feed(data)
        except NotHttpError as error:
            self._response.set_exception(error)
        else:
            if response is not None:
                self._response.set_result(response)

    def eof_received(self) -> None:
        """Complete a response that ends with the connection."""
        if self._parser is None or self._response.done():
            return
        try:
            if not self._is_clean_end():
                raise ConnectionError("the TLS connection ended without close_notify")
            self._response.set_result(self._parser.end())
        except ConnectionError as error:
            self._response.set_exception(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the pending request."""
        self.ended.set_result(None)
        self._sockets.discard(self._socket)
        if self._parser is not None and not self._response.done():
            lost = exc if isinstance(exc, OSError) else ConnectionError(str(exc or "the connection is lost"))
            self._response.set_exception(lost)

    def _is_clean_end(self) -> bool:
        """Return whether the server itself ended the connection: over TLS, whether it sent close_notify."""
        secured: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        if secured is None:
            return True
        try:
            # After close_notify this reads nothing; without it, SSLWantReadError.
            return not secured.read(1)
        except ssl.SSLError:
            return False


def _abandon(sock: socket.socket, sockets: OpenSockets, making: asyncio.Task[tuple[asyncio.Transport, HttpStream]]) -> None:
    """Close a connection that no caller waits for any more."""
    if making.cancelled() or making.exception() is not None:
        sockets.close(sock)
    else:
        making.result()[0].abort()


class _PlainStream(HttpStream, asyncio.BufferedProtocol):
    """A connection without TLS. It reads into one buffer, where asyncio would otherwise allocate a large one per read.

    Not for TLS: asyncio loses data that does not fit into the buffer if the connection closes right after it.
    """

    def __init__(self, sock: socket.socket, sockets: OpenSockets) -> None:
        super().__init__(sock, sockets)
        self._buffer = memoryview(bytearray(_READ_BYTES))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio suggests a size.
        """Return the buffer to read into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Parse received data."""
        self.data_received(self._buffer[:nbytes])
