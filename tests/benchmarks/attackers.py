"""The attacks of ``python -m tests.benchmarks attack``, each in a process of its own on one core, at a bounded rate.

An attack is a generator: each step does a part of it, and yields how many of its units that were.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from gateway_entities import methods
from gateway_entities.methods import Method
from gateway_entities.server.rpc.limits import MAX_REQUEST_BYTES
from tests.server.http2 import END_HEADERS, HEADERS, RST_STREAM, Connection, frame, header_block, http2, message

MIB: Final = 1024 * 1024
BATCH: Final = 64 * 1024
"""Bytes of one step, and the bytes that a request counts as at least."""
CREATE: Final = methods.CREATE_GATEWAY_ENDPOINT
GET: Final = methods.GET_GATEWAY_ENDPOINT
LIST: Final = methods.LIST_GATEWAY_ENDPOINTS
_ERROR_BYTES: Final = 200
_CALLERS: Final = 32
_BURST_S: Final = 0.02
"""Seconds whose units may come together."""
_BOMB_BYTES: Final = 512 * MIB
_VALUES: Final = 1_300_000


@dataclass(frozen=True)
class Victim:
    """The server under attack.

    Attributes:
        http: its HTTP target.
        grpc: its gRPC target.
        is_echo: whether it is a bare echo.
        token: the attacker's token; None for none.
        page: a page token of the list of endpoints.
        list_bytes: the size of the first page of that list.
    """

    http: str
    grpc: str
    is_echo: bool
    token: str | None
    page: str
    list_bytes: int

    def path(self, method: Method[Any, Any], size: int = _ERROR_BYTES) -> str:
        """Return the path of an RPC; that of an echo of so many bytes if the victim is one."""
        return f"/bench/echo-{size}" if self.is_echo else method.path

    def head(self, path: str, *fields: str) -> bytes:
        """Return the headers of an HTTP request."""
        lines = [f"POST {path} HTTP/1.1", "host: localhost", "content-type: application/json", *fields, "", ""]
        return "\r\n".join(lines).encode()

    def authorization(self) -> Mapping[str, str]:
        """Return the header of the token."""
        return {} if self.token is None else {"authorization": f"Bearer {self.token}"}

    def connect(self, target: str) -> socket.socket:
        """Open a connection."""
        host, _, port = target.partition("://")[2].rpartition(":")
        return socket.create_connection((host, int(port)), timeout=20)


Steps = Iterator[int]


def trailers(victim: Victim) -> Steps:
    """Trailers without end."""
    head = victim.head(victim.path(LIST), "transfer-encoding: chunked")
    lines = b"x: y\r\n" * (BATCH // 6)
    while True:
        with contextlib.suppress(OSError), victim.connect(victim.http) as opened:
            opened.sendall(head + b"2\r\n{}\r\n0\r\n")
            while not select.select([opened], [], [], 0)[0]:
                opened.sendall(lines)
                yield len(lines)
        yield BATCH


def silent(victim: Victim) -> Steps:
    """Connections that send nothing, held open on both ports."""
    held: list[socket.socket] = []
    while True:
        for target in (victim.http, victim.grpc):
            with contextlib.suppress(OSError):
                held.append(victim.connect(target))
            yield 1


def grpc_bodies(victim: Victim) -> Steps:
    """gRPC messages of 4 MiB without a token and without their last byte, 200 at a time on a connection."""
    body = bytes(BATCH)
    while True:
        with contextlib.suppress(OSError), http2(victim.grpc) as connection:
            left: dict[int, int] = {}
            while not (connection.closed or connection.going_away):
                connection.poll(0 if left else 0.01)
                left = {each: size for each, size in left.items() if size and not _has_ended(connection, each)}
                if len(left) < 200:
                    stream = connection.open(victim.path(CREATE))
                    connection.send(stream, message(MAX_REQUEST_BYTES))
                    left[stream] = MAX_REQUEST_BYTES - 1
                    yield BATCH
                for stream, size in left.items():
                    left[stream] -= (sent := connection.send(stream, body[:size]))
                    yield sent
        yield BATCH


def _has_ended(connection: Connection, stream: int) -> bool:
    return stream in connection.status or stream in connection.resets


def http_bodies(victim: Victim) -> Steps:
    """HTTP bodies of 4 MiB without a token and without their last byte, 100 at a time."""
    head = victim.head(victim.path(CREATE), f"content-length: {MAX_REQUEST_BYTES}")
    body = bytes(BATCH)
    left: dict[socket.socket, int] = {}
    while True:
        if len(left) >= 100 and not any(left.values()):
            oldest = next(iter(left))
            del left[oldest]
            oldest.close()
        while len(left) < 100:
            with contextlib.suppress(OSError):
                opened = victim.connect(victim.http)
                opened.sendall(head)
                opened.setblocking(False)
                left[opened] = MAX_REQUEST_BYTES - 1
            yield BATCH
        for opened, size in list(left.items()):
            sent = 0
            try:
                sent = opened.send(body[:size]) if size else 0
            except BlockingIOError:
                pass
            except OSError:
                del left[opened]
                opened.close()
            else:
                left[opened] -= sent
            if select.select([opened], [], [], 0)[0] if opened in left else False:
                # It has been refused.
                del left[opened]
                opened.close()
            yield sent


def gzip_bombs(victim: Victim) -> Steps:
    """512 MiB as half a MiB of gzip, over both transports, with a token."""
    # Made in parts, because the whole would be most of this process.
    bomb = _bomb()
    yield 0
    http, headers = _Http(victim), {"content-type": "application/json", "content-encoding": "gzip"}
    while True:
        http.send(victim.path(CREATE), bomb, headers)
        yield 1
        with contextlib.suppress(OSError), http2(victim.grpc) as connection:
            fields = {**victim.authorization(), "grpc-encoding": "gzip"}
            stream = connection.open(victim.path(CREATE), *fields.items())
            data, end = b"\1" + message(len(bomb))[1:] + bomb, time.monotonic() + 5
            while data and not _has_ended(connection, stream) and not connection.closed and time.monotonic() < end:
                data = data[connection.send(stream, data, end=True) :]
                connection.poll(0.01)
            while not _has_ended(connection, stream) and not connection.closed and time.monotonic() < end:
                connection.poll(0.01)
        yield 1


def _bomb() -> bytes:
    import io

    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6) as file:
        for _ in range(_BOMB_BYTES // MIB):
            file.write(bytes(MIB))
    return packed.getvalue()


def page_tokens(victim: Victim) -> Steps:
    """Lists with made-up page tokens at revision 1, over both transports, with a read token."""
    request = LIST.request_type(page_token=_made_up(victim.page)).SerializeToString()
    http, grpc, headers = _Http(victim), _Grpc(victim), {"content-type": "application/proto"}
    while True:
        http.send(victim.path(LIST), request, headers)
        yield 1
        grpc.send(victim.path(LIST), request)
        yield 1


def _made_up(page: str) -> str:
    """Return a page token with its revision set to 1."""
    data = base64.urlsafe_b64decode(page + "=" * (-len(page) % 4))
    digest, content = data[:16], data[16:].split(b":")
    content[2] = b"1"
    return base64.urlsafe_b64encode(digest + b":".join(content)).decode().rstrip("=")


def many_values(victim: Victim) -> Steps:
    """Requests with 1.3 million empty messages in 4 MB of JSON, and two million in 4 MB of protobuf, with a write token."""
    values = b'{"name": "q", "modelConfigs": [' + b"{}," * _VALUES + b"{}]}"
    fields = b"\x12\x00" * (MAX_REQUEST_BYTES // 2 - 64)
    http, grpc, headers = _Http(victim), _Grpc(victim), {"content-type": "application/json"}
    yield 0
    while True:
        http.send(victim.path(CREATE), values, headers)
        yield 1
        grpc.send(victim.path(CREATE), fields)
        yield 1


def lists(victim: Victim) -> Steps:
    """Lists of 50,001 endpoints without a page size, by 32 callers over both transports, with a read token."""
    http, grpc, headers = _Http(victim), _Grpc(victim), {"content-type": "application/proto"}
    path = victim.path(LIST, victim.list_bytes)
    yield 0
    while True:
        http.send(path, b"", headers)
        yield 1
        grpc.send(path, b"")
        yield 1


def rest_lists(victim: Victim) -> Steps:
    """The same in MLflow's dialect, which has no pages, so that each is the whole list and too large, with a read token."""
    http = _Http(victim)
    yield 0
    while True:
        if victim.is_echo:
            http.send(victim.path(LIST), b"", {})
        else:
            http.send("/api/3.0/mlflow/gateway/endpoints/list", b"", {}, "GET")
        yield 1


def resets(victim: Victim) -> Steps:
    """Calls that are reset as soon as they begin, on one gRPC connection, with a read token."""
    block = header_block(victim.path(GET), *victim.authorization().items())
    while True:
        with contextlib.suppress(OSError), http2(victim.grpc) as connection:
            stream = 1
            while not (connection.closed or connection.going_away) and stream < 1 << 30:
                parts: list[bytes] = []
                for each in range(stream, stream + 2 * 50, 2):
                    parts.append(frame(HEADERS, END_HEADERS, each, block))
                    parts.append(frame(RST_STREAM, 0, each, b"\0\0\0\x08"))
                connection.write(b"".join(parts))
                connection.poll()
                stream += 2 * 50
                yield 50
        yield 1


class Attack(NamedTuple):
    """An attack and its bound.

    Attributes:
        steps: the attack.
        rate: its units a second, at most.
        unit: what they are, such as ``MiB`` or ``requests``.
        size: how many of the yielded units make one of these.
        callers: the number of threads that share the rate.
        scope: of its token; None if it has none.
    """

    steps: Callable[[Victim], Steps]
    rate: float
    unit: str
    size: int = 1
    callers: int = 1
    scope: str | None = None

    @property
    def what(self) -> str:
        """Its description."""
        return (self.steps.__doc__ or "").rstrip(".")


ATTACKS: Final = {
    "trailers": Attack(trailers, 16, "MiB", MIB),
    "silent": Attack(silent, 200, "connections"),
    "bodies-grpc": Attack(grpc_bodies, 32, "MiB", MIB),
    "bodies-http": Attack(http_bodies, 32, "MiB", MIB),
    "gzip": Attack(gzip_bombs, 10, "requests", scope="write"),
    "page-tokens": Attack(page_tokens, 200, "requests", scope="read"),
    "values": Attack(many_values, 2, "requests", scope="write"),
    "lists": Attack(lists, 20, "requests", callers=_CALLERS, scope="read"),
    "rest-lists": Attack(rest_lists, 5, "requests", callers=_CALLERS, scope="read"),
    "resets": Attack(resets, 5000, "resets", scope="read"),
    "more-resets": Attack(resets, 13_400, "resets", scope="read"),
}


class _Http:
    """One HTTP connection, opened again when the server has closed it."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim
        self._connection: Any = None

    def send(self, path: str, body: bytes, headers: Mapping[str, str], verb: str = "POST") -> None:
        import http.client

        if self._connection is None:
            authority = self._victim.http.partition("://")[2]
            self._connection = http.client.HTTPConnection(authority, timeout=20)
        try:
            self._connection.request(verb, path, body, {**headers, **self._victim.authorization()})
            self._connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None


class _Grpc:
    """One gRPC channel. Each has a connection of its own."""

    def __init__(self, victim: Victim) -> None:
        import grpc

        self._metadata = tuple(victim.authorization().items())
        options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1))
        self._channel = grpc.insecure_channel(victim.grpc.partition("://")[2], options)
        self._error = grpc.RpcError

    def send(self, path: str, body: bytes) -> None:
        with contextlib.suppress(self._error):
            self._channel.unary_unary(path)(body, timeout=20, metadata=self._metadata)


class Pace:
    """A rate that threads share. Of a delay only the last part is made up for."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._next = time.monotonic()
        self.count = 0

    def wait(self, units: int) -> None:
        """Wait after units until more are due."""
        with self._lock:
            self._next = max(self._next, time.monotonic() - _BURST_S) + units / self._rate
            due = self._next
        if (left := due - time.monotonic()) > 0:
            time.sleep(left)


def main() -> None:
    """Attack from the first line of standard input, which has the arguments, until its end."""
    given = json.loads(sys.stdin.readline())
    os.sched_setaffinity(0, {given["core"]})
    attack, victim = ATTACKS[given["attack"]], Victim(**given["victim"])
    pace = Pace(attack.rate * attack.size)
    every = [attack.steps(victim) for _ in range(attack.callers)]
    # Their preparation, and the first connections.
    first = [next(steps) for steps in every]

    def run(steps: Steps, units: int) -> None:
        # Callers begin one after another.
        pace.wait(max(units, attack.size if attack.callers > 1 else 0))
        for units in steps:
            pace.count += units
            pace.wait(units)

    print("ready", flush=True)
    began = time.monotonic()
    for each in zip(every, first, strict=True):
        threading.Thread(target=run, args=each, daemon=True).start()
    sys.stdin.read()
    print(json.dumps({"rate": pace.count / attack.size / (time.monotonic() - began)}), flush=True)
    # Without waiting for threads, whose requests may not be answered.
    os._exit(0)


if __name__ == "__main__":
    main()
