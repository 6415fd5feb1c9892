"""HTTP/1.1: uvicorn's protocol with a header limit, the client's certificate, no access log, and a fast path.

A request whose response is in the cache never becomes an ASGI task.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway_entities.errors import Code
from gateway_entities.server.http.asgi import (
    CERTIFICATE_NAME,
    CLIENT,
    COMPLETE,
    CONNECTION,
    PARSED,
    Connection,
    HttpResponse,
)
from gateway_entities.server.http.fast_path import CachedResponder
from gateway_entities.server.rpc.auth import certificate_name
from gateway_entities.server.rpc.limits import MAX_HEADER_BYTES

_LINGER_S: Final = 1.0
"""Seconds that a client whose request was refused may still send, so that it comes to read the response."""

_MAX_JOINED_BYTES: Final = 64 * 1024
"""Copying more than this costs more than a second packet."""


class HeadersTooLargeError(Exception):
    """The headers of a request are over the limit."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. A malformed request, or one with headers over the limit, gets an error and closes it."""

    def __init__(self, *args: Any, responder: CachedResponder | None = None, **settings: Any) -> None:
        """Create it with uvicorn's arguments and the fast path's responder."""
        super().__init__(*args, **settings)
        self._responder = responder
        # The body, so far, of a request on the fast path; None for any other.
        self._body: bytes | None = None
        self._extensions: dict[str, object] = {}
        self._connection = Connection()
        self._parsed_headers: list[tuple[bytes, bytes]] = []
        self._parsed: dict[object, object] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, without uvicorn's access log: this does not change the logging of the process."""
        self.access_log = False
        # Bytes of headers so far; None within a body.
        self._head: int | None = 0
        # Bytes of the last packet, and of all packets from the one that a request ended in: at least the next one's headers.
        self._last, self._since_end = 0, 0
        self._too_large = False
        self._refused = False
        self._certificate_name = _certificate_name(transport.get_extra_info("peercert"))
        super().connection_made(cast("asyncio.Transport", _JoinedWrites(transport, self.loop)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the calls that are in flight."""
        self._connection.close()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser. Incomplete headers are limited by the number of bytes received."""
        if self._refused:
            return
        self._last = len(data)
        self._since_end += self._last
        self._head = None if self._head is None else self._head + self._last
        super().data_received(data)
        if self._body is not None and not self._refused:
            # The body is incomplete: the app waits for the rest.
            self._begin_cycle()
        if self._head is not None and self._head > MAX_HEADER_BYTES and not self._refused:
            self._too_large = True
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        name = self._certificate_name
        self._extensions = {CONNECTION: self._connection}
        if name is not None:
            self._extensions[CLIENT] = {CERTIFICATE_NAME: name}
        self.scope["extensions"] = cast("dict[str, dict[object, object]]", self._extensions)

    def on_headers_complete(self) -> None:
        """Start a request, unless its headers are over the limit."""
        if self._since_end > MAX_HEADER_BYTES and self._size_of_head() > MAX_HEADER_BYTES:
            self._too_large = True
            # The parser stops and reports a bad request.
            raise HeadersTooLargeError
        self._head = None
        if self.headers != self._parsed_headers:
            # A copy, because trailers are appended to the list.
            self._parsed_headers, self._parsed = list(self.headers), {}
        self._extensions[PARSED] = self._parsed
        if self._is_for_fast_path():
            self._body = b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Receive a part of a request's body."""
        if self._body is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """End a request."""
        self._extensions[COMPLETE] = {}
        if self._body is None or not self._try_fast_path(self._body):
            self._begin_cycle()
            super().on_message_complete()
        self._head = 0
        self._since_end = self._last

    def _is_for_fast_path(self) -> bool:
        # uvicorn has none before the first request.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        parser = self.parser
        return (
            self._responder is not None
            and self._responder.handles(self.url)
            and parser is not None
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            # Pipelined requests are answered in order.
            and (cycle is None or cycle.response_complete)
        )

    def _try_fast_path(self, body: bytes) -> bool:
        assert self._responder is not None  # noqa: S101 - _is_for_fast_path has checked it.
        if not self._responder.try_respond(self.url, cast("Scope", self.scope), body, self._send):
            return False
        self._body = None
        return True

    def _send(self, response: HttpResponse) -> None:
        length = (b"content-length", b"%d" % len(response.body))
        lines = [b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *response.headers, length)]
        self.transport.writelines([b"HTTP/1.1 200 OK\r\n", *lines, b"\r\n", response.body])
        self.on_response_complete()

    def _begin_cycle(self) -> None:
        """Hand a request of the fast path to uvicorn, and so to the app."""
        if self._body is None:
            return
        body, self._body = self._body, None
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature.
        """Refuse a malformed request, and end the connection."""
        if self._too_large:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            code, message = Code.RESOURCE_EXHAUSTED, f"the headers are larger than {MAX_HEADER_BYTES} bytes"
        else:
            status, code, message = HTTPStatus.BAD_REQUEST, Code.INVALID_ARGUMENT, "this is not an HTTP request"
        # The path may be unknown, so the body is an error of Connect and of MLflow.
        body = json.dumps({"code": code.connect, "error_code": code.mlflow, "message": message}).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        # If a connection is closed while the client still sends, it is reset and the response is lost.
        self._refused = True
        self.loop.call_later(_LINGER_S, self.transport.close)


class _JoinedWrites:
    """A transport that sends the head and the body of a response, which uvicorn writes separately, in one packet.

    The first write is buffered until the second, or until the event loop is idle.
    """

    __slots__ = ("_buffer", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._buffer = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        buffered = self._buffer
        if buffered:
            self._buffer = b""
            if len(data) <= _MAX_JOINED_BYTES:
                self._transport.write(buffered + data)
            else:
                self._transport.write(buffered)
                self._transport.write(data)
        elif len(data) <= _MAX_JOINED_BYTES:
            self._buffer = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def writelines(self, parts: Iterable[bytes]) -> None:
        """Send a whole response."""
        self._flush()
        self._transport.writelines(parts)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._buffer:
            self._transport.write(self._buffer)
            self._buffer = b""


def _certificate_name(certificate: dict[str, Any] | None) -> str | None:
    """Return the name in a client certificate as asyncio gives it; None without one."""
    if not certificate:
        return None
    pairs = [pair for entry in certificate.get("subject", ()) for pair in entry]
    return certificate_name(value for kind, value in pairs if kind == "commonName")
