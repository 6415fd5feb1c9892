"""HTTP/1.1 as the server speaks it: uvicorn's, with a limit for headers, the client's certificate, and no log lines."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway_entities.errors import Code
from gateway_entities.server.access import certificate_name
from gateway_entities.server.asgi import CERTIFICATE_NAME, CLIENT
from gateway_entities.server.limits import MAX_HEADER_BYTES

_LAST_BYTES_SECONDS: Final = 1.0
"""How long a client whose request was refused may go on sending, to be thrown away, so that it comes to read the answer."""


class TooLargeError(Exception):
    """The headers of a request are over the limit."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. A request that is no HTTP, or has headers over the limit, is answered and ends it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, without a log line for each request, and without a change to the logging of the process for that."""
        self.access_log = False
        # Bytes of headers so far; None while a body comes.
        self._head: int | None = 0
        self._too_large = False
        self._refused = False
        self._certificate_name = _certificate_name(transport.get_extra_info("peercert"))
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Read on. Of headers that are not whole yet only the number of bytes is known."""
        if self._refused:
            return
        self._head = None if self._head is None else self._head + len(data)
        super().data_received(data)
        if self._head is not None and self._head > MAX_HEADER_BYTES and not self._refused:
            self._too_large = True
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        if self._certificate_name is not None:
            self.scope["extensions"] = {CLIENT: {CERTIFICATE_NAME: self._certificate_name}}

    def on_headers_complete(self) -> None:
        """Begin to answer a request, unless its headers are over the limit."""
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEADER_BYTES:
            self._too_large = True
            # The parser ends, and has it answered as what it cannot take itself.
            raise TooLargeError
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request; what comes next are the headers of another."""
        super().on_message_complete()
        self._head = 0

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


def _certificate_name(certificate: dict[str, Any] | None) -> str | None:
    """Return the name in what asyncio says of the client's certificate; None when there is none."""
    if not certificate:
        return None
    pairs = [pair for entry in certificate.get("subject", ()) for pair in entry]
    return certificate_name(value for kind, value in pairs if kind == "commonName")
