"""A TCP proxy that loses responses, repeats and delays requests, and cuts connections.

It parses just enough of HTTP/1.1 and gRPC to delimit requests and match responses. A lost response belongs to a request that
took effect. A repeated request is sent again, byte for byte, over a second connection whose responses are discarded. A cut
connection has lost the request. Of another protocol it delays bytes and cuts connections between any two of them.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Literal, NamedTuple

_PREFACE: Final = 24
_FRAME_HEAD: Final = 9
_DATA, _HEADERS = 0, 1
_END_STREAM: Final = 1
_CHUNK: Final = 1 << 16


class Losses(NamedTuple):
    """What a proxy does, as fractions of the requests; of other protocols, of the pieces that it reads.

    Attributes:
        lose: their response is lost.
        repeat: they are sent twice.
        cut: they are lost, and their connection.
        delay: they are delayed.
        longest_delay: the longest delay, in seconds.
    """

    lose: float = 0.0
    repeat: float = 0.0
    cut: float = 0.0
    delay: float = 0.0
    longest_delay: float = 0.05


_NO_LOSSES: Final = Losses()


class LossyProxy:
    """A proxy on a free port of 127.0.0.1.

    Attributes:
        port: its port.
        losses: what it does; may be replaced.
        lost: the number of lost responses.
        repeated: the number of repeated requests.
        requests: the number of received requests.
    """

    def __init__(
        self, upstream: int, protocol: Literal["http", "grpc", "other"], losses: Losses = _NO_LOSSES, *, seed: int = 0
    ) -> None:
        """Create a proxy for a server's port."""
        self._upstream = upstream
        self._serve = {"http": self._http1, "grpc": self._http2, "other": self._other}[protocol]
        self.losses = losses
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()
        self._closed = False
        self.requests = self.lost = self.repeated = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @contextmanager
    def running(self) -> Iterator[LossyProxy]:
        """Serve until the block ends."""
        self._start(self._accept)
        try:
            yield self
        finally:
            self._closed = True
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self.cut()
            for thread in self._threads:
                thread.join()

    def cut(self) -> None:
        """Cut all connections."""
        for sock in list(self._sockets):
            _cut(sock)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._run, client)

    def _run(self, client: socket.socket) -> None:
        try:
            with self._closing(client), self._closing(self._connect()) as server, suppress(OSError):
                self._serve(client, server)
        except OSError:
            pass

    def _connect(self) -> socket.socket:
        server = socket.create_connection(("127.0.0.1", self._upstream))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return server

    @contextmanager
    def _closing(self, sock: socket.socket) -> Iterator[socket.socket]:
        self._sockets.add(sock)
        try:
            yield sock
        finally:
            self._sockets.discard(sock)
            _cut(sock)
            sock.close()

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args)
        self._threads.append(thread)
        thread.start()

    def _choose(self) -> str:
        """Choose at random what happens to a request; a delay is over when it returns."""
        losses = self.losses
        with self._lock:
            self.requests += 1
            thrown, pause = self._random.random(), self._random.uniform(0, losses.longest_delay)
            for action in ("lose", "repeat", "cut", "delay"):
                thrown -= getattr(losses, action)
                if thrown < 0:
                    break
            else:
                return "pass"
            self.lost += action == "lose"
            self.repeated += action == "repeat"
        if action == "delay":
            time.sleep(pause)
        return action

    def _repeat_request(self, sent: bytes) -> None:
        """Send bytes over another connection, and discard the responses until the server is idle."""
        with suppress(OSError), self._closing(self._connect()) as server:
            server.sendall(sent)
            server.settimeout(2)
            while server.recv(_CHUNK):
                pass

    def _http1(self, client: socket.socket, server: socket.socket) -> None:
        from_client, from_server = _Reader(client), _Reader(server)
        while request := from_client.message():
            action = self._choose()
            if action == "cut":
                return
            if action == "repeat":
                self._start(self._repeat_request, request)
            server.sendall(request)
            response = from_server.message()
            if not response:
                return
            if action == "lose":
                # A part of it may arrive.
                client.sendall(response[: self._random.choice([0, len(response) // 2])])
                return
            client.sendall(response)

    def _http2(self, client: socket.socket, server: socket.socket) -> None:
        lost: set[int] = set()
        self._start(self._http2_responses, client, server, lost)
        from_client = _Reader(client)
        sent = from_client.exactly(_PREFACE)
        server.sendall(sent)
        while frame := from_client.frame():
            kind, flags, stream = _head(frame)
            sent += frame
            if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
                action = self._choose()
                if action == "cut":
                    return
                if action == "lose":
                    lost.add(stream)
                elif action == "repeat":
                    # With all earlier requests of the connection, which HTTP/2 header compression depends on.
                    self._start(self._repeat_request, sent)
            server.sendall(frame)

    def _http2_responses(self, client: socket.socket, server: socket.socket, lost: set[int]) -> None:
        with suppress(OSError):
            from_server = _Reader(server)
            while frame := from_server.frame():
                kind, flags, stream = _head(frame)
                if stream not in lost:
                    client.sendall(frame)
                elif kind in (_DATA, _HEADERS) and flags & _END_STREAM:
                    break
        _cut(client)
        _cut(server)

    def _other(self, client: socket.socket, server: socket.socket) -> None:
        self._start(self._pump, server, client)
        self._pump(client, server)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if self._choose() == "cut":
                    break
                sink.sendall(data)
        _cut(source)
        _cut(sink)


class _Reader:
    """Reads complete messages and frames of a connection; returns b"" at its end."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._read = b""

    def exactly(self, size: int) -> bytes:
        while len(self._read) < size:
            more = self._sock.recv(_CHUNK)
            if not more:
                return b""
            self._read += more
        found, self._read = self._read[:size], self._read[size:]
        return found

    def frame(self) -> bytes:
        head = self.exactly(_FRAME_HEAD)
        return head + self.exactly(int.from_bytes(head[:3])) if head else b""

    def message(self) -> bytes:
        """Return an HTTP/1.1 request or response, delimited by content-length."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = self.exactly(1)
            if not more:
                return b""
            head += more
        fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
        length = next((int(value) for name, _, value in fields if name == b"content-length"), 0)
        return head + self.exactly(length)


def _head(frame: bytes) -> tuple[int, int, int]:
    """Return the type, flags and stream of a frame."""
    return frame[3], frame[4], int.from_bytes(frame[5:9]) & 0x7FFFFFFF


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
