"""Incremental parser of HTTP/1.1 responses. No I/O."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import NamedTuple

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

# Without a limit, a server could exhaust the memory.
_MAX_HEAD_BYTES = 100 * 1024


class NotHttpError(Exception):
    """The peer sent something that is not HTTP, or HTTP that was not requested."""


class HttpResponse(NamedTuple):
    """An HTTP response.

    Attributes:
        status: the HTTP status, 200 or more.
        headers: the headers.
        body: the content.
    """

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes


class ResponseParser:
    """Parses one response. httptools calls the methods that begin with on_.

    Attributes:
        reusable: whether the connection may carry another request; valid once the response is complete.
    """

    __slots__ = ("_body", "_complete", "_fault", "_head_bytes", "_headers", "_in_body", "_parser", "_status", "reusable")

    def __init__(self) -> None:
        self.reusable = False
        self._parser = HttpResponseParser(self)
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        # Its value is not copied.
        self._body = io.BytesIO()
        self._head_bytes = 0
        self._in_body = False
        self._complete = False
        self._fault = ""

    def feed(self, data: bytes | memoryview) -> HttpResponse | None:
        """Parse received data; return the response if it is complete.

        Raises:
            NotHttpError: the data is not an HTTP response.
        """
        try:
            self._parser.feed_data(data)
        except HttpParserCallbackError as error:
            # An interrupt during a callback.
            raise error.__context__ or error from None
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self._complete:
                raise NotHttpError(self._fault or str(error)) from None
            # The error is in the data after the response.
            self.reusable = False
        if not self._in_body:
            # Each chunk is small, so this bounds the memory. The chunk that completes the headers is not counted.
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                self._fault = f"the response headers are longer than {_MAX_HEAD_BYTES} bytes"
        if self._fault:
            raise NotHttpError(self._fault)
        return self._response() if self._complete else None

    def end(self) -> HttpResponse:
        """Return a response that ends with the connection.

        Raises:
            ConnectionError: the response is not complete.
        """
        self.reusable = False
        delimited = {b"content-length", b"transfer-encoding"}
        if self._in_body and not any(name.lower() in delimited for name, _ in self._headers):
            return self._response()
        raise ConnectionError("the server closed the connection before the end of the response")

    def on_message_begin(self) -> None:
        """Handle the start of a response, informational ones (1xx) included."""
        if self._complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header; ignore trailers."""
        if not self._in_body:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Check the framing of the response."""
        if self._complete:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._headers.clear()
            if status == 101:
                self._fault = "the server switched protocols without a request to"
            return
        self._status = status
        self._in_body = True
        self.reusable = self._parser.should_keep_alive()
        codings = [value.strip().lower() for name, value in self._headers if name.lower() == b"transfer-encoding"]
        if codings not in ([], [b"chunked"]):
            self._fault = "the response has a transfer encoding other than chunked"

    def on_body(self, body: bytes) -> None:
        """Store a part of the content."""
        if not self._complete:
            self._body.write(body)

    def on_message_complete(self) -> None:
        """Handle the end of a response, informational ones (1xx) included."""
        self._complete = self._in_body

    def _response(self) -> HttpResponse:
        # Break the reference cycle with the parser, so that both are freed without garbage collection.
        del self._parser
        return HttpResponse(self._status, self._headers, self._body.getvalue())


class BodyParser(ResponseParser):
    """Parses one response whose body is taken while it arrives.

    Attributes:
        is_complete: whether the response is complete; the end of its body may not have been taken yet.
    """

    __slots__ = ("is_complete",)

    def __init__(self) -> None:
        super().__init__()
        self.is_complete = False

    @property
    def head(self) -> tuple[int, list[tuple[bytes, bytes]]] | None:
        """The status and the headers; None until they have arrived."""
        return (self._status, self._headers) if self._in_body else None

    def take(self) -> bytes:
        """Return the part of the body that has arrived since the last call."""
        part = self._body.getvalue()
        if part:
            self._body = io.BytesIO()
        return part

    def _response(self) -> HttpResponse:
        self.is_complete = True
        return super()._response()
