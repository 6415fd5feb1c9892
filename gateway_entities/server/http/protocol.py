"""HTTP/1.1 as the server speaks it: uvicorn's, with a limit for headers, the client's certificate, and no log lines.

What can be answered at once never becomes a request of uvicorn's, with a task and an app.
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
from gateway_entities.server.http.asgi import CERTIFICATE_NAME, CLIENT, WHOLE
from gateway_entities.server.http.fast_path import CachedResponder
from gateway_entities.server.rpc.auth import certificate_name
from gateway_entities.server.rpc.limits import MAX_HEADER_BYTES

_LAST_BYTES_SECONDS: Final = 1.0
"""How long a client whose request was refused may go on sending, to be thrown away, so that it comes to read the answer."""

_MOST_JOINED_BYTES: Final = 64 * 1024
"""More than this costs more to copy than a packet to send."""


class TooLargeError(Exception):
    """The headers of a request are over the limit."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. A request that is no HTTP, or has headers over the limit, is answered and ends it."""

    def __init__(self, *args: Any, at_once: CachedResponder | None = None, **settings: Any) -> None:
        """Take what uvicorn gives, and what is asked before the app."""
        super().__init__(*args, **settings)
        self._at_once = at_once
        # The body, so far, of a request that may be answered at once; None when there is none such.
        self._body: bytes | None = None
        self._extensions: dict[str, dict[object, object]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, without a log line for each request, and without a change to the logging of the process for that."""
        self.access_log = False
        # Bytes of headers so far; None while a body comes.
        self._head: int | None = 0
        # Bytes that came last, and all since then and there a request ended: its successor's headers are no longer.
        self._last, self._since_end = 0, 0
        self._too_large = False
        self._refused = False
        self._certificate_name = _certificate_name(transport.get_extra_info("peercert"))
        super().connection_made(cast("asyncio.Transport", _JoinedWrites(transport, self.loop)))

    def data_received(self, data: bytes) -> None:
        """Read on. Of headers that are not whole yet only the number of bytes is known."""
        if self._refused:
            return
        self._last = len(data)
        self._since_end += self._last
        self._head = None if self._head is None else self._head + self._last
        super().data_received(data)
        if self._body is not None and not self._refused:
            # More of it has yet to come. Whoever waits for that is the app.
            self._begin_cycle()
        if self._head is not None and self._head > MAX_HEADER_BYTES and not self._refused:
            self._too_large = True
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        name = self._certificate_name
        self._extensions = {} if name is None else {CLIENT: {CERTIFICATE_NAME: name}}
        self.scope["extensions"] = self._extensions

    def on_headers_complete(self) -> None:
        """Begin to answer a request, unless its headers are over the limit."""
        if self._since_end > MAX_HEADER_BYTES and self._size_of_head() > MAX_HEADER_BYTES:
            self._too_large = True
            # The parser ends, and has it answered as what it cannot take itself.
            raise TooLargeError
        self._head = None
        if self._is_for_at_once():
            self._body = b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a request's body."""
        if self._body is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """End a request; what comes next are the headers of another."""
        self._extensions[WHOLE] = {}
        if self._body is None or not self._answer_at_once(self._body):
            self._begin_cycle()
            super().on_message_complete()
        self._head = 0
        self._since_end = self._last

    def _is_for_at_once(self) -> bool:
        # uvicorn has none before the first request.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        parser = self.parser
        return (
            self._at_once is not None
            and self._at_once.may_know(self.url)
            and parser is not None
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            # The answers to those before it come first.
            and (cycle is None or cycle.response_complete)
        )

    def _answer_at_once(self, body: bytes) -> bool:
        assert self._at_once is not None  # noqa: S101 - _is_for_at_once has seen to it.
        reply = self._at_once.reply(self.url, cast("Scope", self.scope), body)
        if reply is None:
            return False
        self._body = None
        length = (b"content-length", b"%d" % len(reply.body))
        lines = [b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *reply.headers, length)]
        self.transport.writelines([b"HTTP/1.1 200 OK\r\n", *lines, b"\r\n", reply.body])
        self.on_response_complete()
        return True

    def _begin_cycle(self) -> None:
        """Let uvicorn hear of what was kept from it: a request for the app."""
        if self._body is None:
            return
        body, self._body = self._body, None
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature.
        """Answer what cannot be taken as a request, and end the connection."""
        if self._too_large:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            code, message = Code.RESOURCE_EXHAUSTED, f"the headers are larger than {MAX_HEADER_BYTES} bytes"
        else:
            status, code, message = HTTPStatus.BAD_REQUEST, Code.INVALID_ARGUMENT, "this is not an HTTP request"
        # The path may not be known, so the body is an error in Connect's form and in MLflow's.
        body = json.dumps({"code": code.connect, "error_code": code.mlflow, "message": message}).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        # A connection that is closed while the client still sends is reset, and the answer lost.
        self._refused = True
        self.loop.call_later(_LAST_BYTES_SECONDS, self.transport.close)


class _JoinedWrites:
    """A transport that sends the head of an answer, which uvicorn writes first, together with its body: in one packet.

    The first write is held back until the second, or until the event loop has nothing else to run.
    """

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        held = self._held
        if held:
            self._held = b""
            if len(data) <= _MOST_JOINED_BYTES:
                self._transport.write(held + data)
            else:
                self._transport.write(held)
                self._transport.write(data)
        elif len(data) <= _MOST_JOINED_BYTES:
            self._held = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def writelines(self, parts: Iterable[bytes]) -> None:
        """Send a whole answer."""
        self._flush()
        self._transport.writelines(parts)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            self._transport.write(self._held)
            self._held = b""


def _certificate_name(certificate: dict[str, Any] | None) -> str | None:
    """Return the name in what asyncio says of the client's certificate; None when there is none."""
    if not certificate:
        return None
    pairs = [pair for entry in certificate.get("subject", ()) for pair in entry]
    return certificate_name(value for kind, value in pairs if kind == "commonName")
