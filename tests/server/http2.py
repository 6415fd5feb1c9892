"""A small writer and reader of HTTP/2 frames, for callers that gRPC's own client cannot be."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE = 1, 4
_MAX_FRAME: Final = 16384
_STATUS: Final = b"\x0bgrpc-status"


class Connection:
    """One HTTP/2 connection. Nothing is received but by ``poll``.

    Attributes:
        status: the gRPC status of each ended call, by stream.
        resets: the HTTP/2 error code of each stream that the server reset.
        received: the bytes of data of each stream.
        closed: whether the server has closed the connection.
        going_away: whether the server has announced that.
        answers_pings: whether ``poll`` answers the server's pings.
        pings_answered: how many of its own pings the server has answered.
    """

    def __init__(self, target: str, *, receive_window: int = 65535) -> None:
        host, _, port = target.removeprefix("grpc://").rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=20)
        # Otherwise small frames wait for an acknowledgement, up to 40 ms, and arrive together.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._incoming = b""
        self._next = 1
        self._window = self._initial_window = 65535
        self._windows: dict[int, int] = {}
        self.status: dict[int, int] = {}
        self.resets: dict[int, int] = {}
        self.received: dict[int, int] = {}
        self.closed = self.going_away = False
        self.answers_pings = True
        self.pings_answered = 0
        # Without a dynamic table every header of a response is spelled out.
        settings = struct.pack(">HIHI", HEADER_TABLE_SIZE, 0, INITIAL_WINDOW_SIZE, receive_window)
        self.write(PREFACE + frame(SETTINGS, 0, 0, settings) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)))

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        try:
            self._socket.sendall(data)
        except OSError:
            self.closed = True

    def open(self, path: str, *headers: tuple[str, str], end: bool = False) -> int:
        """Begin a call and return its stream."""
        stream, self._next = self._next, self._next + 2
        self._windows[stream] = self._initial_window
        self.write(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, header_block(path, *headers)))
        return stream

    def send(self, stream: int, data: bytes, *, end: bool = False) -> int:
        """Send as much of the data as flow control allows, and return how much that was."""
        size = max(0, min(len(data), self._window, self._windows[stream]))
        for begin in range(0, size, _MAX_FRAME):
            part = data[begin : min(begin + _MAX_FRAME, size)]
            last = end and begin + len(part) == len(data)
            self.write(frame(DATA, END_STREAM if last else 0, stream, part))
        self._window -= size
        self._windows[stream] -= size
        return size

    def reset(self, stream: int) -> None:
        """Cancel a call."""
        self.write(frame(RST_STREAM, 0, stream, struct.pack(">I", 8)))

    def ping(self) -> None:
        """Send a ping."""
        self.write(frame(PING, 0, 0, bytes(8)))

    def poll(self, timeout: float = 0) -> None:
        """Wait for frames, for at most so many seconds, and handle those that have arrived."""
        while not self.closed and select.select([self._socket], [], [], timeout)[0]:
            timeout = 0
            try:
                data = self._socket.recv(1 << 20)
            except OSError:
                data = b""
            self.closed = not data
            self._incoming += data
            self._parse()

    def _parse(self) -> None:
        while len(self._incoming) >= 9:
            size = int.from_bytes(self._incoming[:3], "big")
            if len(self._incoming) < 9 + size:
                return
            kind, flags, stream = struct.unpack(">BBI", self._incoming[3:9])
            payload, self._incoming = self._incoming[9 : 9 + size], self._incoming[9 + size :]
            self._handle(kind, flags, stream, payload)

    def _handle(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            for name, value in struct.iter_unpack(">HI", payload):
                if name == INITIAL_WINDOW_SIZE:
                    for each in self._windows:
                        self._windows[each] += value - self._initial_window
                    self._initial_window = value
            self.write(frame(SETTINGS, ACK, 0, b""))
        elif kind == PING and not flags & ACK and self.answers_pings:
            self.write(frame(PING, ACK, 0, payload))
        elif kind == PING and flags & ACK:
            self.pings_answered += 1
        elif kind == WINDOW_UPDATE and stream == 0:
            self._window += int.from_bytes(payload, "big")
        elif kind == WINDOW_UPDATE:
            self._windows[stream] += int.from_bytes(payload, "big")
        elif kind == RST_STREAM:
            self.resets[stream] = int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            self.going_away = True
        elif kind == DATA:
            self.received[stream] = self.received.get(stream, 0) + len(payload)
        elif kind == HEADERS and _STATUS in payload:
            size, *digits = payload.partition(_STATUS)[2]
            self.status[stream] = int(bytes(digits[:size]))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


@contextmanager
def http2(target: str, *, receive_window: int = 65535) -> Iterator[Connection]:
    """Open a connection to a server, with the window that each of its responses gets."""
    connection = Connection(target, receive_window=receive_window)
    try:
        # The server's settings decide how much may be sent.
        connection.poll(5)
        yield connection
    finally:
        connection.close()


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return an encoded frame."""
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def message(size: int) -> bytes:
    """Return the prefix of a gRPC message of so many bytes."""
    return struct.pack(">BI", 0, size)


def header_block(path: str, *headers: tuple[str, str]) -> bytes:
    """Return the encoded headers of a gRPC call: each literal, none indexed, none compressed."""
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        *headers,
    ]
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)


def _text(value: str) -> bytes:
    assert len(value) < 127
    return bytes([len(value)]) + value.encode()
