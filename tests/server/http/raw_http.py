"""HTTP/1.1 by hand: requests as bytes on a socket."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing
from typing import Any, NamedTuple

from gateway_entities import methods
from gateway_entities.methods import Method

LIST, CREATE = methods.LIST_GATEWAY_SECRET_INFOS, methods.CREATE_GATEWAY_SECRET

HEALTH = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Response(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connect(target: str, timeout: float = 20) -> socket.socket:
    host, _, port = target.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=timeout)


def head(method: Method[Any, Any] = LIST, *fields: str, host: str | None = "localhost", url: str | None = None) -> bytes:
    own = () if host is None else (f"host: {host}",)
    lines = [f"POST {url or method.path} HTTP/1.1", *own, "content-type: application/json", *fields, "", ""]
    return "\r\n".join(lines).encode()


def post(body: bytes = b"{}", *fields: str, method: Method[Any, Any] = LIST, **others: Any) -> bytes:
    return head(method, f"content-length: {len(body)}", *fields, **others) + body


def read(opened: socket.socket) -> Response:
    """Read one response."""
    with closing(http.client.HTTPResponse(opened, method="POST")) as response:
        response.begin()
        return Response(response.status, response.headers, response.read())


def is_closed(opened: socket.socket) -> bool:
    """Wait for the server to close a connection, which must send nothing more."""
    try:
        return opened.recv(1000) == b""
    except ConnectionResetError:
        return True


def is_alive(target: str) -> bool:
    with connect(target) as opened:
        opened.sendall(HEALTH)
        return read(opened).status == 200
