"""One connection on asyncio that speaks HTTP/1.1."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from gateway_entities.transports.http1.blocking import readable
from gateway_entities.transports.http1.response import HttpResponse, NotHttpError, ResponseParser
from gateway_entities.transports.target import Target

_READ_BYTES = 64 * 1024


class HttpStream(asyncio.Protocol):
    """One connection, for one request at a time. The methods that asyncio names are for its transport to call.

    Attributes:
        reusable: whether it may carry another request.
        ended: done when the connection is closed.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.reusable = False
        self.ended: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._transport: asyncio.Transport
        # What came before the first request was sent; None after it.
        self._early: bytes | None = b""
        self._reader: ResponseParser | None = None
        self._answer: asyncio.Future[HttpResponse]

    @classmethod
    async def connect(cls, target: Target, context: ssl.SSLContext | None) -> HttpStream:
        """Connect.

        Raises:
            OSError: there is no such server, or it is not trusted.
        """
        loop = asyncio.get_running_loop()
        name = None if context is None else target.host
        # The loop switches Nagle's delay off by itself.
        kind = _PlainStream if context is None else cls
        _, stream = await loop.create_connection(kind, target.host, target.port, ssl=context, server_hostname=name)
        return stream

    async def exchange(self, data: bytes) -> HttpResponse:
        """Send a request and return the answer.

        Raises:
            OSError: the connection is lost.
            NotHttpError: what came is no answer.
        """
        self.reusable = False
        reader = self._reader = ResponseParser()
        self._answer = self._loop.create_future()
        early, self._early = self._early, None
        try:
            if early:
                self.data_received(early)
            elif self.ended.done():
                raise ConnectionError("the server closed the connection")
            if not self._answer.done():
                self._transport.write(data)
            answer = await self._answer
        finally:
            self._reader = None
        # An answer may come before the server has taken the whole request.
        self.reusable = reader.reusable and not early and self._transport.get_write_buffer_size() == 0
        return answer

    def is_alive(self) -> bool:
        """Tell whether an idle connection can be used."""
        if self.ended.done() or self._transport.is_closing():
            return False
        # The loop may not have looked at it yet.
        return not readable(self._transport.get_extra_info("socket").fileno())

    def close(self) -> None:
        """Close the connection. No goodbye is said to a peer that may not answer it."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes | memoryview) -> None:
        """Take bytes of the answer."""
        if self._early is not None:
            self._early += data
            return
        if self._reader is None or self._answer.done():
            # Nobody asked: what is next on this connection would not be the answer to the next request.
            self._transport.abort()
            return
        try:
            answer = self._reader.feed(data)
        except NotHttpError as error:
            self._answer.set_exception(error)
        else:
            if answer is not None:
                self._answer.set_result(answer)

    def eof_received(self) -> None:
        """Take the end of what the server sends."""
        if self._reader is None or self._answer.done():
            return
        try:
            if not self._is_true_end():
                raise ConnectionError("the connection ended without TLS's goodbye")
            self._answer.set_result(self._reader.end())
        except ConnectionError as error:
            self._answer.set_exception(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        self.ended.set_result(None)
        if self._reader is not None and not self._answer.done():
            lost = exc if isinstance(exc, OSError) else ConnectionError(str(exc or "the connection is lost"))
            self._answer.set_exception(lost)

    def _is_true_end(self) -> bool:
        """Tell whether the server ended the connection. Over TLS, anyone in between can end it in its stead."""
        secured: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        if secured is None:
            return True
        try:
            # After the goodbye there is nothing; without it, TLS waits for more.
            return not secured.read(1)
        except ssl.SSLError:
            return False


class _PlainStream(HttpStream, asyncio.BufferedProtocol):
    """One without TLS. It reads into one buffer again and again, where asyncio else makes a new and large one for each read.

    Not for TLS: asyncio loses the end of what does not fit into the buffer if the connection closes right after it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._buffer = memoryview(bytearray(_READ_BYTES))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - It is how large asyncio thinks one should be.
        """Return what to read into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take bytes of the answer."""
        self.data_received(self._buffer[:nbytes])
