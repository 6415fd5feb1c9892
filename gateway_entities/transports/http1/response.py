"""What an HTTP/1.1 server answers, read from bytes as they come. No I/O."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import NamedTuple

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

# Nobody sends so much; without an end to it, a server could fill the memory.
_MAX_HEAD_BYTES = 100 * 1024


class NotHttpError(Exception):
    """The peer sent what is no HTTP, or HTTP that was not asked for."""


class HttpResponse(NamedTuple):
    """An answer as it came over the wire.

    Attributes:
        status: the HTTP status, 200 or more.
        headers: the headers.
        body: the content.
    """

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes


class ResponseParser:
    """Reads one answer. The methods with on_ are for the parser to call.

    Attributes:
        reusable: whether the connection may carry another request; to be asked once the answer is there.
    """

    __slots__ = ("_body", "_complete", "_fault", "_head_bytes", "_headers", "_in_body", "_parser", "_status", "reusable")

    def __init__(self) -> None:
        self.reusable = False
        self._parser = HttpResponseParser(self)
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        # It gives its bytes away without another copy.
        self._body = io.BytesIO()
        self._head_bytes = 0
        self._in_body = False
        self._complete = False
        self._fault = ""

    def feed(self, data: bytes | memoryview) -> HttpResponse | None:
        """Take what came next, and return the answer if this was its end.

        Raises:
            NotHttpError: it is no answer.
        """
        try:
            self._parser.feed_data(data)
        except HttpParserCallbackError as error:
            # An interrupt that came while a method below ran.
            raise error.__context__ or error from None
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self._complete:
                raise NotHttpError(self._fault or str(error)) from None
            # What follows the answer is at fault, not the answer.
            self.reusable = False
        if not self._in_body:
            # What is given at once is never long, so this bounds the memory. What came with the last headers is not counted.
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                self._fault = f"the headers of the answer are longer than {_MAX_HEAD_BYTES} bytes"
        if self._fault:
            raise NotHttpError(self._fault)
        return self._answer() if self._complete else None

    def end(self) -> HttpResponse:
        """Return the answer, as there will be no more bytes.

        Raises:
            ConnectionError: it has not come to its end.
        """
        self.reusable = False
        delimited = {b"content-length", b"transfer-encoding"}
        if self._in_body and not any(name.lower() in delimited for name, _ in self._headers):
            return self._answer()
        raise ConnectionError("the server closed the connection before the end of its answer")

    def on_message_begin(self) -> None:
        """Take the start of an answer, be it a provisional one."""
        if self._complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or what stands after the last chunk."""
        # Nobody asked for trailers.
        if not self._in_body:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the end of the headers."""
        if self._complete:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._headers.clear()
            if status == 101:
                self._fault = "the server changes the protocol, which nobody asked for"
            return
        self._status = status
        self._in_body = True
        self.reusable = self._parser.should_keep_alive()
        codings = [value.strip().lower() for name, value in self._headers if name.lower() == b"transfer-encoding"]
        if codings not in ([], [b"chunked"]):
            self._fault = "the answer's transfer encoding is one that nobody asked for"

    def on_body(self, body: bytes) -> None:
        """Take a part of the content."""
        if not self._complete:
            self._body.write(body)

    def on_message_complete(self) -> None:
        """Take the end of an answer, be it a provisional one."""
        self._complete = self._in_body

    def _answer(self) -> HttpResponse:
        # The parser knows this object; without the circle both go at once, and not when the garbage is collected.
        del self._parser
        return HttpResponse(self._status, self._headers, self._body.getvalue())
