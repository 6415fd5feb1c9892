"""A watcher that reads nothing delays no other one, and is dropped."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway_entities import GatewayClient
from gateway_entities.methods import WATCH_GATEWAY
from gateway_entities.mirror import GatewayMirror
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.server import Server
from tests.server import http2
from tests.server.raw import request
from tests.stores import serving, sqlite_place

LIMITS = Limits(http_write_timeout_s=1.0, stream_write_timeout_s=1.0)
SETTINGS = {f"key{each}": "x" * 9_000 for each in range(7)}
"""Of 63 kB, so that a few updates fill all buffers on the way."""
BODY = struct.pack(">BI", 0, 0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(sqlite_place(tmp_path / "store.sqlite", with_tables=True), limits=LIMITS) as running:
        yield running


def stuck_http(server: Server, stack: ExitStack) -> None:
    host, _, port = server.http_target.removeprefix("http://").rpartition(":")
    sock = stack.enter_context(socket.socket())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((host, int(port)))
    head = f"POST {WATCH_GATEWAY.path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/connect+proto\r\n"
    sock.sendall(f"{head}content-length: {len(BODY)}\r\n\r\n".encode() + BODY)


def stuck_grpc(server: Server, stack: ExitStack) -> None:
    connection = http2.Connection(server.grpc_target, receive_window=1024)
    stack.callback(connection.close)
    stream = connection.open(WATCH_GATEWAY.path)
    # Then nothing is received: not even a window is given back.
    connection.send(stream, BODY, end=True)


def metric(server: Server, name: str) -> float:
    text = request(server.http_target, "GET", "/metrics").body.decode()
    found = re.search(rf"^gateway_entities_{name} (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("stick", [stuck_http, stuck_grpc])
def test_a_stuck_watcher_delays_no_other_one_and_is_dropped(
    server: Server, stick: Callable[[Server, ExitStack], None]
) -> None:
    with ExitStack() as stack:
        client = stack.enter_context(GatewayClient(server.grpc_target))
        mirror = stack.enter_context(GatewayMirror(stack.enter_context(GatewayClient(server.http_target))))
        for _ in range(3):
            stick(server, stack)
        until(lambda: metric(server, "watchers") == 4)
        secret_id = client.create_secret("s", {"api_key": "sk-0123456789"}).secret_id
        delays: list[float] = []
        # More than Linux buffers for a connection by itself.
        for number in range(100):
            client.update_secret(secret_id, auth_config={**SETTINGS, "number": str(number)})
            began = time.monotonic()
            mirror.wait_for(number + 2, 5)
            delays.append(time.monotonic() - began)
        assert sorted(delays)[len(delays) // 2] < 0.5
        until(lambda: metric(server, "watchers") == 1)
        assert mirror.error is None
        assert mirror.secrets[secret_id].auth_config["number"] == "99"
