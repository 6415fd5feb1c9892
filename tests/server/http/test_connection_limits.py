"""Limits of HTTP connections: how many, of whom, how long they may be silent; and the limit of open files."""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_entities import methods
from gateway_entities.server.http.connections import Connections, OpenConnection, peer_of
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.server import Server
from tests.server.http.raw_http import HEALTH, LIST, connect, head, is_alive, is_closed, post, read
from tests.server.raw import write_lock
from tests.stores import serving, sqlite_place

CONNECTIONS = 6


@contextlib.contextmanager
def limited(folder: Path, **limits: float) -> Iterator[Server]:
    with serving(sqlite_place(folder / "gateway.sqlite", with_tables=True), limits=Limits(**limits)) as server:  # type: ignore[arg-type]
        yield server


@contextlib.contextmanager
def opening(target: str, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(connect(target)) for _ in range(count)]


@pytest.mark.parametrize("limit", ["http_connections", "http_connections_per_peer"])
def test_beyond_the_limit_the_connection_that_waits_longest_is_closed(tmp_path: Path, limit: str) -> None:
    with limited(tmp_path, **{limit: CONNECTIONS}) as server, opening(server.http_target, CONNECTIONS) as first:
        # All have been accepted when the last one is answered, and the first two have waited least.
        for opened in (first[-1], first[0], first[1]):
            opened.sendall(post())
            assert read(opened).status == 200
        with opening(server.http_target, 3) as further:
            for opened in (*further, first[0], first[1], first[-1]):
                opened.sendall(post())
                assert read(opened).status == 200
            for opened in first[2:-1]:
                assert is_closed(opened)


def test_a_connection_is_refused_while_all_others_work(tmp_path: Path) -> None:
    secret = b'{"secretName": "%d", "secretValue": {"api_key": "sk-0123456789abcdef"}}'
    with limited(tmp_path, http_connections=2) as server, opening(server.http_target, 2) as first:
        with write_lock(tmp_path / "gateway.sqlite"):
            for number, opened in enumerate(first):
                # With the first response the second request is in flight.
                opened.sendall(HEALTH + post(secret % number, method=methods.CREATE_GATEWAY_SECRET))
                assert read(opened).status == 200
            with connect(server.http_target) as further:
                refused = read(further)
                assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert [read(opened).status for opened in first] == [200, 200]
        assert is_alive(server.http_target)


def test_an_upload_that_does_not_go_on_makes_room(tmp_path: Path) -> None:
    with limited(tmp_path, http_connections=2) as server, opening(server.http_target, 2) as first:
        for opened in first:
            opened.sendall(head(LIST, "content-length: 100000") + b"{")
        for _ in range(3):
            assert is_alive(server.http_target)


@pytest.mark.parametrize("sent", [b"", head()[:-2], b"\r\n"], ids=["nothing", "half a head", "an empty line"])
def test_a_head_has_to_arrive_in_time(tmp_path: Path, sent: bytes) -> None:
    with limited(tmp_path, http_head_timeout_s=0.3) as server, connect(server.http_target) as opened:
        opened.sendall(sent)
        if len(sent) > 2:
            response = read(opened)
            assert (response.status, response.json["code"]) == (408, "deadline_exceeded")
        assert is_closed(opened)


def test_bytes_one_by_one_do_not_extend_the_time(tmp_path: Path) -> None:
    with limited(tmp_path, http_head_timeout_s=0.5) as server, connect(server.http_target) as opened:
        began = time.monotonic()
        with contextlib.suppress(ConnectionError, TimeoutError):
            opened.settimeout(0.05)
            for _ in range(200):
                opened.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    assert opened.recv(1000).startswith(b"HTTP/1.1 4")
                    break
        assert time.monotonic() - began < 5


def test_a_second_head_has_its_own_time(tmp_path: Path) -> None:
    with limited(tmp_path, http_head_timeout_s=0.3) as server, connect(server.http_target) as opened:
        opened.sendall(post() + head()[:-2])
        assert [read(opened).status, read(opened).status] == [200, 408]


def test_an_idle_connection_is_closed(tmp_path: Path) -> None:
    limits = {"http_idle_timeout_s": 0.3, "http_head_timeout_s": 30}
    with limited(tmp_path, **limits) as server, connect(server.http_target) as opened:
        for _ in range(2):
            opened.sendall(post())
            assert read(opened).status == 200
        assert is_closed(opened)


def test_a_connection_in_use_is_not_idle(tmp_path: Path) -> None:
    secret = b'{"secretName": "s", "secretValue": {"api_key": "sk-0123456789abcdef"}}'
    limits = {"http_idle_timeout_s": 0.2, "http_head_timeout_s": 0.2, "http_body_timeout_s": 0.2}
    with limited(tmp_path, **limits) as server, connect(server.http_target) as opened:
        with write_lock(tmp_path / "gateway.sqlite"):
            opened.sendall(post(secret, method=methods.CREATE_GATEWAY_SECRET))
            opened.settimeout(1.2)
            with pytest.raises(TimeoutError):
                opened.recv(1)
        opened.settimeout(20)
        assert read(opened).status == 200


def test_addresses_of_one_site_are_one_peer() -> None:
    assert peer_of("192.0.2.1") != peer_of("192.0.2.2")
    assert peer_of("2001:db8::1") == peer_of("2001:db8::ffff:1")
    assert peer_of("2001:db8::1") != peer_of("2001:db8:0:1::1")
    assert peer_of("fe80::1%eth0") == peer_of("fe80::2")


class Fake:
    deadline = 0.0

    def waits_for_request(self) -> bool:
        return True

    def waits_for_peer(self) -> bool:
        return True

    def time_out(self) -> None:
        raise AssertionError


def test_room_is_made_among_the_connections_of_the_peer_with_most() -> None:
    connections, evicted = Connections(Limits(http_connections=4), descriptors=100), list[OpenConnection]()
    own = [Fake() for _ in range(4)]
    for each, peer in zip(own, ["few", "most", "most", "most"], strict=True):
        connections.add(each, peer)
    connections.begin_waiting(own[1])
    assert connections.make_room("another", evicted.append)
    assert evicted == [own[2]]
    assert len(connections) == 3


def test_connections_are_fewer_than_descriptors() -> None:
    connections, evicted = Connections(Limits(), descriptors=2), list[OpenConnection]()
    for _ in range(2):
        assert connections.make_room("peer", evicted.append)
        connections.add(Fake(), "peer")
    assert connections.make_room("peer", evicted.append)
    assert len(evicted) == 1


SERVE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from gateway_entities.cli.app import cli
cli(["serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log-format", "text", *sys.argv[1:]])
"""


@contextlib.contextmanager
def serve(folder: Path, soft: int, hard: int, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run a server in a process of its own with a limit of open files; yield it with its targets."""
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-c", SERVE.format(soft=soft, hard=hard), *options]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True) as process:
            assert process.stdout
            try:
                yield process, process.stdout.readline().strip(), process.stdout.readline().strip()
            finally:
                process.terminate()
                process.wait(20)


@pytest.mark.parametrize("port", ["http", "grpc"])
def test_health_answers_beside_silent_connections_that_use_up_the_descriptors(tmp_path: Path, port: str) -> None:
    # This process needs as many.
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 2000:
        pytest.skip("the limit of open files is too low for this test")
    with serve(tmp_path, 1024, 1024) as (_, grpc, http):
        silent = http if port == "http" else grpc.replace("grpc://", "http://")
        with opening(silent, 1100):
            for _ in range(20):
                assert is_alive(http)
        assert is_alive(http)
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert len(log) < 10_000, log[:1000]


def test_the_limit_of_open_files_is_raised(tmp_path: Path) -> None:
    with serve(tmp_path, 256, 2048) as (process, _, _http):
        limits = Path(f"/proc/{process.pid}/limits")
        if not limits.exists():
            pytest.skip("the limits of another process are read from /proc")
        [line] = [line for line in limits.read_text().splitlines() if line.startswith("Max open files")]
        assert line.split()[3:5] == ["2048", "2048"]


def test_an_operator_sets_the_limits(tmp_path: Path) -> None:
    options = ("--http-connections", "3", "--http-idle-timeout", "0.3")
    with serve(tmp_path, 1024, 1024, *options) as (_, _grpc, http), opening(http, 3) as first:
        assert is_alive(http)
        assert is_closed(first[0])
        first[1].sendall(post())
        assert read(first[1]).status == 200
        assert is_closed(first[1])
