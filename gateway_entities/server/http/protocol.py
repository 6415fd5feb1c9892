"""HTTP/1.1: uvicorn's protocol with limits, the client's certificate, no access log, and a fast path.

A request whose response is in the cache never becomes an ASGI task.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
from enum import Enum
from typing import Any, Final, NoReturn, cast

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.http.asgi import (
    CERTIFICATE_NAME,
    CLIENT,
    COMPLETE,
    CONNECTION,
    PARSED,
    Connection,
    HttpResponse,
)
from gateway_entities.server.http.connections import Connections
from gateway_entities.server.http.early_response import early_response, headers_too_large
from gateway_entities.server.http.fast_path import CachedResponder
from gateway_entities.server.http.joined_writes import JoinedWrites
from gateway_entities.server.rpc.auth import certificate_name
from gateway_entities.server.rpc.limits import MAX_HEADER_BYTES, MAX_REQUEST_BYTES, Limits

_LINGER_S: Final = 1.0
"""Seconds that a client whose request was refused may still send, so that it comes to read the response."""

_MAX_DISCARDED_BYTES: Final = 4 * MAX_REQUEST_BYTES
"""Bytes of the body of a refused request that are read and dropped."""

_MAX_PIPELINED: Final = 16
"""Requests of one connection that wait for the response to another."""

_UPGRADE_HEADERS: Final = (b"upgrade", b"http2-settings")


class _Wait(Enum):
    """What a connection waits for."""

    HEAD = "the headers of a request"
    BODY = "the body of a request"
    NEXT = "the first byte of the next request"
    WRITE = "the client to read"
    LINGER = "the client to close, after a refused request"
    NOTHING = "the app"


class HttpProtocol(HttpToolsProtocol, asyncio.BufferedProtocol):
    """One connection. A malformed request, or one over a limit, gets an error and closes it.

    Attributes:
        deadline: the time on the loop's clock when ``time_out`` is due.
    """

    def __init__(
        self,
        *args: Any,
        limits: Limits,
        connections: Connections,
        buffer: memoryview,
        responder: CachedResponder | None = None,
        **settings: Any,
    ) -> None:
        """Create it with uvicorn's arguments.

        Args:
            *args: uvicorn's.
            limits: the time limits.
            connections: the open connections, which the new one is among.
            buffer: receives what the peer sends. The connections of one event loop share it.
            responder: sends cached responses; None for none.
            **settings: uvicorn's.
        """
        super().__init__(*args, **settings)
        self._responder = responder
        self._connections = connections
        self._buffer = buffer
        self._timeouts: dict[_Wait, float] = {
            _Wait.HEAD: limits.http_head_timeout_s,
            # The app refuses the request first.
            _Wait.BODY: limits.http_body_timeout_s + _LINGER_S,
            _Wait.NEXT: limits.http_idle_timeout_s,
            _Wait.WRITE: limits.http_write_timeout_s,
            _Wait.LINGER: _LINGER_S,
            _Wait.NOTHING: math.inf,
        }
        self._wait: _Wait = _Wait.NOTHING
        self.deadline: float = math.inf
        # Connections that began together must not end together.
        self._last_until = self.loop.time() + limits.http_connection_age_s * random.uniform(0.9, 1.1)  # noqa: S311
        # The body, so far, of a request on the fast path; None for any other.
        self._body: bytes | None = None
        self._extensions: dict[str, object] = {}
        self._connection = Connection(self._abort_response)
        self._parsed_headers: list[tuple[bytes, bytes]] | None = None
        self._parsed: dict[object, object] = {}
        self._in_head, self._in_body = False, False
        # Bytes since the start of a head, or since the last part of a body: headers, framing of chunks, trailers.
        self._overhead = 0
        # Bytes of the last packet, and of all packets from the one that a request ended in: at least the next one's headers.
        self._last, self._since_end = 0, 0
        # Bytes of a body that no reader wants.
        self._discarded = 0
        self._refused = False
        self._error: GatewayError | None = None
        self._certificate_name: str | None = None

    @property
    def has_begun(self) -> bool:
        """Whether ``connection_made`` has been called."""
        return cast("asyncio.Transport | None", self.transport) is not None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, without uvicorn's access log: this does not change the logging of the process."""
        self.access_log = False
        self._certificate_name = _certificate_name(transport.get_extra_info("peercert"))
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
        self._await(_Wait.HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the calls that are in flight."""
        self._connections.discard(self)
        self._connection.close()
        super().connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature.
        """Return the buffer to receive into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Receive a packet."""
        self.data_received(self._buffer[:nbytes])

    def data_received(self, data: bytes | memoryview) -> None:
        """Feed the parser. Incomplete headers are limited by the number of bytes received."""
        if self._refused:
            return
        self._last = len(data)
        self._since_end += self._last
        self._overhead += self._last
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            self._ignore_upgrade(bytes(data[error.args[0] :]))
            return
        except httptools.HttpParserError:
            self._refuse(self._error or GatewayError(Code.INVALID_ARGUMENT, "this is not an HTTP request"))
            return
        if self._body is not None:
            # The body is incomplete: the app waits for the rest.
            self._begin_cycle()
        if self._overhead > MAX_HEADER_BYTES:
            self._refuse(headers_too_large())
        elif self._in_body and self.cycle.body and not self.cycle.response_complete:
            # The app reads on when it has taken this part, which is after it has checked the headers.
            self.flow.pause_reading()
        self._await(self._next_wait())

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Feed the parser the request without its wish for another protocol, which would leave its body unread."""
        if self.parser.get_method() == b"CONNECT":
            self._refuse(GatewayError(Code.INVALID_ARGUMENT, "CONNECT is for proxies, and this is none"))
            return
        lines = b"".join(
            b"%b: %b\r\n" % (name, _without_upgrade(value) if name == b"connection" else value)
            for name, value in self.headers
            if name not in _UPGRADE_HEADERS
        )
        version = self.parser.get_http_version().encode()
        head = b"%b %b HTTP/%b\r\n%b\r\n" % (self.parser.get_method(), self.url, version, lines)
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn does.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(head + rest)

    def waits_for_request(self) -> bool:
        """Whether it waits for a request, with none in flight."""
        return not self.has_begun or self._wait in (_Wait.HEAD, _Wait.NEXT, _Wait.LINGER)

    def waits_for_peer(self) -> bool:
        """Whether it waits for its peer to send or to read."""
        return not self.has_begun or self._wait is not _Wait.NOTHING

    def time_out(self) -> None:
        """End the connection, because its peer has done nothing for too long."""
        if self._wait is _Wait.HEAD and self._in_head:
            self._refuse(GatewayError(Code.DEADLINE_EXCEEDED, "the headers have not arrived in time"))
        elif self._wait is _Wait.NEXT and not self.transport.get_write_buffer_size():
            self.transport.close()
        else:
            self.transport.abort()

    def _await(self, wait: _Wait) -> None:
        """Set the deadline, unless it has been set for this wait."""
        if wait is not self._wait:
            self._wait = wait
            self.deadline = self.loop.time() + self._timeouts[wait]

    def _next_wait(self) -> _Wait:
        # uvicorn has no flow before the connection, and no cycle before the first request.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if self._refused:
            return self._wait
        if self.flow.write_paused:
            return _Wait.WRITE
        if self._in_body:
            return _Wait.BODY
        if cycle is not None and not cycle.response_complete:
            return _Wait.NOTHING
        if self._in_head or self._wait is _Wait.HEAD:
            return _Wait.HEAD
        return _Wait.NEXT

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._await(_Wait.WRITE)

    def resume_writing(self) -> None:
        """Go on after the client has read."""
        super().resume_writing()
        self._await(self._next_wait())

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head = True
        name = self._certificate_name
        self._extensions = {CONNECTION: self._connection}
        if name is not None:
            self._extensions[CLIENT] = {CERTIFICATE_NAME: name}
        self.scope["extensions"] = cast("dict[str, dict[object, object]]", self._extensions)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Receive a header. Trailers are ignored: they come too late to be headers."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start a request, unless its headers are over the limit or do not name one host.

        Raises:
            GatewayError: to the parser, which stops.
        """
        if self._since_end > MAX_HEADER_BYTES and self._size_of_head() > MAX_HEADER_BYTES:
            self._stop(headers_too_large())
        self._in_head = False
        self._overhead = 0
        if self.parser.should_upgrade():
            # The parser stops after this, and gets the request again.
            return
        if self.headers != self._parsed_headers:
            if sum(name == b"host" for name, _ in self.headers) != 1:
                self._stop(GatewayError(Code.INVALID_ARGUMENT, "a request has one Host header"))
            if any(name == b"transfer-encoding" and value.strip().lower() != b"chunked" for name, value in self.headers):
                self._stop(GatewayError(Code.UNIMPLEMENTED, "the only transfer-encoding is chunked"))
            self._parsed_headers, self._parsed = self.headers, {}
        if not self.url.startswith(b"/"):
            self._check_absolute_url()
        if len(self.pipeline) >= _MAX_PIPELINED:
            self._stop(GatewayError(Code.RESOURCE_EXHAUSTED, "too many requests wait on one connection"))
        self._in_body = True
        self._extensions[PARSED] = self._parsed
        if self._is_for_fast_path():
            self._body = b""
        else:
            self._create_cycle()

    def _check_absolute_url(self) -> None:
        """Refuse a URL of another host: an app that reads the Host header would not notice."""
        scheme, separator, rest = self.url.partition(b"://")
        authority = re.split(b"[/?#]", rest, maxsplit=1)[0]
        host = next(value for name, value in self.headers if name == b"host")
        if not separator or scheme.lower() not in (b"http", b"https") or authority.lower() != host.lower():
            self._stop(GatewayError(Code.INVALID_ARGUMENT, "the request line and the Host header name different hosts"))

    def _stop(self, error: GatewayError) -> NoReturn:
        """Stop the parser, which reports that its callback has failed."""
        self._error = error
        raise error

    def on_body(self, body: bytes) -> None:
        """Receive a part of a request's body."""
        self._overhead = 0
        if self._body is None:
            if self.cycle.response_complete:
                self._discard(len(body))
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """End a request."""
        self._in_body = False
        self._overhead = self._discarded = 0
        if self.parser.should_upgrade():
            return
        # The next request has its own time.
        self._await(_Wait.NOTHING)
        self._extensions[COMPLETE] = {}
        if self._body is None or not self._try_fast_path(self._body):
            self._begin_cycle()
            super().on_message_complete()
        self._since_end = self._last

    def on_response_complete(self) -> None:
        """Start the next request, or wait for it: uvicorn's method without its timer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._connections.begin_waiting(self)
        self._await(self._next_wait())

    def _abort_response(self) -> None:
        """End the connection in the middle of a response."""
        self.cycle.disconnected = True
        self.transport.abort()

    def _discard(self, count: int) -> None:
        """Drop a part of a body after the response, which a client may read only when it has sent everything."""
        self._discarded += count
        if self._discarded > _MAX_DISCARDED_BYTES:
            self.transport.close()

    def _is_for_fast_path(self) -> bool:
        # uvicorn has none before the first request.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        parser = self.parser
        return (
            self._responder is not None
            and self._responder.handles(self.url)
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            # Pipelined requests are answered in order.
            and (cycle is None or cycle.response_complete)
            and self.loop.time() < self._last_until
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
        self._create_cycle()
        if body:
            super().on_body(body)

    def _create_cycle(self) -> None:
        super().on_headers_complete()
        if self.loop.time() >= self._last_until:
            self.cycle.default_headers = [*self.cycle.default_headers, (b"connection", b"close")]

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse(self, error: GatewayError) -> None:
        """Refuse a request that does not reach the app, and end the connection."""
        self._refused = True
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and not cycle.response_complete:
            if not self._in_body:
                # Responses come in order, so it ends after those to the requests before.
                cycle.keep_alive = False
                return
            if self.pipeline or cycle.response_started:
                self.transport.abort()
                return
            # The app's response would be a second one.
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(early_response(error))
        self.transport.write_eof()
        # If a connection is closed while the client still sends, it is reset and the response is lost.
        self._await(_Wait.LINGER)
        self.flow.resume_reading()


def _without_upgrade(connection: bytes) -> bytes:
    """Return the value of a Connection header without the options of an upgrade."""
    options = connection.split(b",")
    return b",".join(option for option in options if option.strip().lower() not in _UPGRADE_HEADERS)


def _certificate_name(certificate: dict[str, Any] | None) -> str | None:
    """Return the name in a client certificate as asyncio gives it; None without one."""
    if not certificate:
        return None
    pairs = [pair for entry in certificate.get("subject", ()) for pair in entry]
    return certificate_name(value for kind, value in pairs if kind == "commonName")
