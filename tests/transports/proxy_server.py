"""A small HTTP proxy on loopback: tunnels by CONNECT, requests in absolute form, basic authentication.

It resolves every name to 127.0.0.1, so that targets can have names that no resolver knows.
"""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from contextlib import contextmanager, suppress

from tests.transports.raw_server import raw_server, read_request


class ProxyServer:
    """The behaviour of the proxy and what it has received: each head, up to the empty line."""

    def __init__(self, credentials: str | None = None):
        self.heads: list[bytes] = []
        self._expected = credentials and b"proxy-authorization: Basic " + b64encode(credentials.encode())

    def __call__(self, client: socket.socket) -> None:
        while received := read_request(client):
            head, _, body = received.partition(b"\r\n\r\n")
            self.heads.append(head)
            if self._expected and self._expected not in head.split(b"\r\n"):
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
                continue
            verb, url, _ = head.split(b"\r\n")[0].split(b" ")
            if verb == b"CONNECT":
                self._tunnel(client, int(url.rpartition(b":")[2]))
                return
            self._forward(client, head, body, url)

    def _tunnel(self, client: socket.socket, port: int) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", port))
        except OSError:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 Connection Established\r\nvia: 1.1 test\r\n\r\n")
        back = threading.Thread(target=_copy, args=(server, client))
        back.start()
        _copy(client, server)
        back.join()
        server.close()

    def _forward(self, client: socket.socket, head: bytes, body: bytes, url: bytes) -> None:
        lines = head.split(b"\r\n")
        body = _body(client, lines, body)
        _, _, rest = url.partition(b"://")
        authority, slash, path = rest.partition(b"/")
        lines[0] = lines[0].replace(url, slash + path)
        kept = [line for line in lines if not line.startswith(b"proxy-")]
        with socket.create_connection(("127.0.0.1", int(authority.rpartition(b":")[2]))) as server:
            server.sendall(b"\r\n".join([*kept, b"", b""]) + body)
            client.sendall(_message(server))


def _message(sock: socket.socket) -> bytes:
    head, _, body = read_request(sock).partition(b"\r\n\r\n")
    return head + b"\r\n\r\n" + _body(sock, head.split(b"\r\n"), body)


def _body(sock: socket.socket, lines: list[bytes], body: bytes) -> bytes:
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    while len(body) < length and (more := sock.recv(65536)):
        body += more
    return body


def _copy(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    for sock in (source, to):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_server(credentials: str | None = None):
    """Run a proxy; yield it and its URL without credentials."""
    proxy = ProxyServer(credentials)
    with raw_server(proxy) as url:
        yield proxy, url
