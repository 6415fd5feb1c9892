"""Many watchers on bare sockets in one process: ``python -m tests.benchmarks.watch_readers TARGET COUNT``.

It prints ``ready`` when each watcher has its first update, and then ``update REVISION SECONDS`` when the last of them has an
update, by the monotonic clock. With ``--endpoint ID`` each resolves it after an update, over another connection, and
``resolved REVISION SECONDS`` is printed when the last has its response. With ``--acknowledge`` each acknowledges its
updates, over another connection and as often as a mirror does. The token is in the environment.

It reads just enough of HTTP/1.1, HTTP/2 and the messages: a client would take more time than the server.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import os
import selectors
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.message import Message

from gateway_entities.methods import ACKNOWLEDGE_GATEWAY_REVISION, RESOLVE_GATEWAY_ENDPOINT, WATCH_GATEWAY, Method
from gateway_entities.mirror import MirrorCore
from gateway_entities.mirror.acknowledgement import INTERVAL_S, REPEAT_S
from gatewayentities.v1 import change_pb2, convergence_pb2, resolution_pb2
from tests.server import http2

TOKEN: Final = "GATEWAY_ENTITIES_TOKEN"
_CHUNK: Final = 1 << 18
_AT_ONCE: Final = 100
"""Connections before the first updates of the others are awaited."""
_SOON_S: Final = 0.05
_MAX_DIGESTS: Final = 1000
_revisions: dict[bytes, int | None] = {}


def revision_of(message: bytes) -> int | None:
    """Return the revision of an encoded message; None for one with a part of an update. All watchers get the same ones."""
    if message not in _revisions:
        if len(_revisions) > 100:
            _revisions.clear()
        read = change_pb2.WatchGatewayResponse.FromString(message)
        _revisions[message] = None if read.is_partial else read.revision
    return _revisions[message]


def address(target: str) -> tuple[str, int]:
    """Return host and port of a target."""
    host, _, port = target.partition("://")[2].rpartition(":")
    return host, int(port)


class Messages:
    """Cuts bytes into messages, each after a byte of flags and four of its length."""

    def __init__(self) -> None:
        self._data = b""

    def add(self, data: bytes) -> list[bytes]:
        """Return the messages that these bytes complete."""
        self._data += data
        found: list[bytes] = []
        start = 0
        while len(self._data) - start >= 5:
            flags, length = struct.unpack_from(">BI", self._data, start)
            if len(self._data) - start < 5 + length:
                break
            if flags:
                raise SystemExit(f"the stream has ended: {self._data[start + 5 : start + 5 + length]!r}")
            found.append(self._data[start + 5 : start + 5 + length])
            start += 5 + length
        self._data = self._data[start:]
        return found


class HttpStream:
    """A Connect stream."""

    def __init__(self, target: str, request: bytes, token: str | None) -> None:
        self.socket = socket.create_connection(address(target))
        body = struct.pack(">BI", 0, len(request)) + request
        self.socket.sendall(_post(WATCH_GATEWAY.path, "application/connect+proto", body, token))
        self._messages = Messages()
        self._data = b""
        self._has_head = False

    def receive(self) -> list[bytes]:
        """Return the messages that have come."""
        data = self.socket.recv(_CHUNK)
        if not data:
            raise SystemExit(f"the server has closed a connection {self._data!r}")
        self._data += data
        if not self._has_head:
            head, end, rest = self._data.partition(b"\r\n\r\n")
            if not end:
                return []
            if b" 200 " not in head[:20]:
                raise SystemExit(f"refused: {self._data!r}")
            self._has_head, self._data = True, rest
        found: list[bytes] = []
        while (end := self._data.find(b"\r\n")) >= 0:
            size = int(self._data[:end], 16)
            if len(self._data) < end + 4 + size:
                break
            found += self._messages.add(self._data[end + 2 : end + 2 + size])
            self._data = self._data[end + 4 + size :]
        return found


class GrpcStream:
    """A gRPC stream on a connection of its own."""

    def __init__(self, target: str, request: bytes, token: str | None) -> None:
        self.socket = socket.create_connection(address(target))
        settings = struct.pack(">HIHI", http2.HEADER_TABLE_SIZE, 0, http2.INITIAL_WINDOW_SIZE, 1 << 30)
        window = http2.frame(http2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30))
        headers = [] if token is None else [("authorization", f"Bearer {token}")]
        head = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, http2.header_block(WATCH_GATEWAY.path, *headers))
        body = http2.frame(http2.DATA, http2.END_STREAM, 1, struct.pack(">BI", 0, len(request)) + request)
        self.socket.sendall(http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0, settings) + window + head + body)
        self._messages = Messages()
        self._data = b""

    def receive(self) -> list[bytes]:
        """Return the messages that have come."""
        data = self.socket.recv(_CHUNK)
        if not data:
            raise SystemExit("the server has closed a connection")
        self._data += data
        found: list[bytes] = []
        start = 0
        while len(self._data) - start >= 9:
            size = int.from_bytes(self._data[start : start + 3], "big")
            if len(self._data) - start < 9 + size:
                break
            kind, flags = self._data[start + 3], self._data[start + 4]
            payload = self._data[start + 9 : start + 9 + size]
            start += 9 + size
            if kind == http2.DATA:
                found += self._messages.add(payload)
            elif kind == http2.HEADERS and flags & http2.END_STREAM:
                raise SystemExit(f"the stream has ended: {payload!r}")
            elif kind in (http2.SETTINGS, http2.PING) and not flags & http2.ACK:
                self.socket.sendall(http2.frame(kind, http2.ACK, 0, payload if kind == http2.PING else b""))
        self._data = self._data[start:]
        return found


class Caller:
    """Calls one RPC over one connection."""

    def __init__(self, target: str, method: Method[Any, Any], token: str | None) -> None:
        self.socket = socket.create_connection(address(target))
        self._path = method.path
        self._token = token
        self._data = b""

    def send(self, request: Message) -> None:
        """Send a request."""
        self.socket.sendall(_post(self._path, "application/proto", request.SerializeToString(), self._token))

    def receive(self) -> bool:
        """Return whether the response has come."""
        data = self.socket.recv(_CHUNK)
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not data or (end and b" 200 " not in head[:20]):
            raise SystemExit(f"refused: {self._data!r}")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        if not end or len(body) < length:
            return False
        self._data = b""
        return True


def _post(path: str, content_type: str, body: bytes, token: str | None) -> bytes:
    credentials = "" if token is None else f"authorization: Bearer {token}\r\n"
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\n{credentials}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class Acknowledger:
    """Acknowledges the updates of one watcher, as often as a mirror does.

    Attributes:
        caller: its connection.
        due: the ``time.monotonic`` of its next call.
    """

    def __init__(self, caller: Caller, instance: str) -> None:
        self.caller = caller
        self.due = math.inf
        self._instance = instance
        self._sent_at = -math.inf
        self._is_busy = False

    def note(self) -> bool:
        """Note that the watcher has an update; return whether it is due earlier than before."""
        before = self.due
        self.due = min(before, max(time.monotonic(), self._sent_at + INTERVAL_S))
        return self.due < before

    def send(self, revision: int, digests: Mapping[int, str], store_id: str) -> None:
        """Acknowledge a revision, if its digest is known and the last response has come; otherwise soon."""
        now = time.monotonic()
        if self._is_busy or revision not in digests:
            self.due = now + _SOON_S
            return
        self._is_busy, self._sent_at, self.due = True, now, now + REPEAT_S
        self.caller.send(
            convergence_pb2.AcknowledgeGatewayRevisionRequest(
                store_id=store_id, revision=revision, digest=digests[revision], instance=self._instance
            )
        )

    def receive(self) -> None:
        """Receive a part of a response."""
        self._is_busy = not self.caller.receive()


class Watchers:
    """All watchers of this process."""

    def __init__(self, *, acknowledge: bool) -> None:
        self._selector = selectors.DefaultSelector()
        self._at: Counter[int] = Counter()
        self._count = 0
        self._resolved: Counter[int] = Counter()
        self._acknowledge = acknowledge
        # All have the same state at a revision, so one of them computes the digests.
        self._core = MirrorCore()
        self._digests: dict[int, str] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def open(self, target: str, count: int, endpoint_id: str | None, token: str | None) -> None:
        """Open the watchers, and wait for their first updates."""
        make: Callable[[str, bytes, str | None], HttpStream | GrpcStream]
        make = GrpcStream if target.startswith("grpc://") else HttpStream
        request = change_pb2.WatchGatewayRequest().SerializeToString()
        while self._count < count:
            for _ in range(min(_AT_ONCE, count - self._count)):
                resolver = None if endpoint_id is None else Caller(target, RESOLVE_GATEWAY_ENDPOINT, token)
                self._add(make(target, request, token), resolver, endpoint_id, self._acknowledger(target, token))
            while self._at.total() < self._count:
                self._turn()

    def run(self) -> None:
        """Follow until the process is killed."""
        while True:
            self._turn()

    def _acknowledger(self, target: str, token: str | None) -> Acknowledger | None:
        if not self._acknowledge:
            return None
        return Acknowledger(Caller(target, ACKNOWLEDGE_GATEWAY_REVISION, token), f"{os.getpid()}-{self._count}")

    def _add(
        self,
        stream: HttpStream | GrpcStream,
        resolver: Caller | None,
        endpoint_id: str | None,
        acknowledger: Acknowledger | None,
    ) -> None:
        is_first = self._count == 0
        self._count += 1
        at = -1
        resolution = resolution_pb2.ResolveGatewayEndpointRequest(endpoint_ids=[endpoint_id or ""])

        def stream_ready() -> None:
            nonlocal at
            for message in stream.receive():
                if is_first and self._acknowledge:
                    self._note_digest(message)
                revision = revision_of(message)
                if revision is None or revision == at:
                    continue
                if at >= 0 and resolver is not None:
                    resolver.send(resolution)
                if at >= 0:
                    self._at[at] -= 1
                self._at[revision] += 1
                at = revision
                if acknowledger is not None and acknowledger.note():
                    self._plan(acknowledger.due, acknowledge)
                if self._at[revision] == self._count:
                    self._at = Counter({revision: self._count})
                    print("update", revision, time.monotonic(), flush=True)

        def resolver_ready() -> None:
            if resolver is not None and resolver.receive():
                self._resolved[at] += 1
                if self._resolved[at] == self._count:
                    self._resolved.clear()
                    print("resolved", at, time.monotonic(), flush=True)

        def acknowledge() -> None:
            # It may have been planned for an earlier moment since.
            if acknowledger is not None and acknowledger.due <= time.monotonic():
                acknowledger.send(at, self._digests, self._core.state.store_id or "")
                self._plan(acknowledger.due, acknowledge)

        self._selector.register(stream.socket, selectors.EVENT_READ, stream_ready)
        if resolver is not None:
            self._selector.register(resolver.socket, selectors.EVENT_READ, resolver_ready)
        if acknowledger is not None:
            self._selector.register(acknowledger.caller.socket, selectors.EVENT_READ, acknowledger.receive)

    def _note_digest(self, message: bytes) -> None:
        if self._core.apply(message) is not None:
            self._digests[self._core.state.revision] = self._core.digest()
            if len(self._digests) > _MAX_DIGESTS:
                del self._digests[min(self._digests)]

    def _plan(self, moment: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._due, (moment, next(self._numbers), call))

    def _turn(self) -> None:
        timeout = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
        for key, _ in self._selector.select(timeout):
            key.data()
        while self._due and self._due[0][0] <= time.monotonic():
            heapq.heappop(self._due)[2]()


def main() -> None:
    """Watch until the process is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("count", type=int)
    parser.add_argument("--endpoint")
    parser.add_argument("--acknowledge", action="store_true")
    options = parser.parse_args()
    watchers = Watchers(acknowledge=options.acknowledge)
    watchers.open(options.target, options.count, options.endpoint, os.environ.get(TOKEN))
    print("ready", flush=True)
    watchers.run()


if __name__ == "__main__":
    main()
