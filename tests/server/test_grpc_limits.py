"""The limits of the gRPC server against callers that gRPC's own client cannot be."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway_entities import GatewayClient, methods
from gateway_entities.errors import Code
from gateway_entities.server.rpc.limits import MAX_REQUEST_BYTES, MAX_STREAMS, Limits
from tests.server.http2 import Connection, http2, message
from tests.server.raw import call, channel, request
from tests.stores import serving, sqlite_place

CHECK, WATCH, REFLECTION = (
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
CREATE, LIST = methods.CREATE_GATEWAY_SECRET, methods.LIST_GATEWAY_SECRET_INFOS
MIB = 1024 * 1024


class Process(NamedTuple):
    """A server in a process of its own."""

    grpc: str
    http: str
    pid: int

    @property
    def peak_memory(self) -> int:
        """Bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@contextmanager
def serve(folder: Path, *options: str, files: int | None = None) -> Iterator[Process]:
    command = [sys.executable, "-m", "gateway_entities.cli", "serve", "--log-level", "error", *options]
    if files is not None:
        command = ["prlimit", f"--nofile={files}:{files}", *command]
    with subprocess.Popen(
        [*command, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield Process(process.stdout.readline().strip(), process.stdout.readline().strip(), process.pid)
        finally:
            process.kill()


@contextmanager
def limited(folder: Path, limits: Limits) -> Iterator[str]:
    """Run a server in this process, and return its gRPC target."""
    with serving(sqlite_place(folder / "gateway.sqlite", with_tables=True), limits=limits) as server:
        yield server.grpc_target


@pytest.fixture
def many_files() -> Iterator[None]:
    """This process may open enough sockets for the attack."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def wait_until(connection: Connection, condition: str, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not getattr(connection, condition):
        assert time.monotonic() < end, condition
        connection.poll(0.1)


def wait_for_status(connection: Connection, stream: int, seconds: float = 10) -> int:
    end = time.monotonic() + seconds
    while stream not in connection.status:
        assert time.monotonic() < end
        connection.poll(0.1)
    return connection.status[stream]


def is_healthy(target: str) -> bool:
    with channel(target) as opened:
        check = health_pb2_grpc.HealthStub(opened).Check(health_pb2.HealthCheckRequest(), timeout=5)
    return check.status == health_pb2.HealthCheckResponse.SERVING


def send_unfinished_messages(connection: Connection, count: int, seconds: float, path: str = CREATE.path) -> None:
    """Send messages of the largest size without their last byte, as far as the server lets them come."""
    left = {}
    for _ in range(count):
        stream = connection.open(path)
        connection.send(stream, message(MAX_REQUEST_BYTES))
        left[stream] = MAX_REQUEST_BYTES - 1
    body = bytes(MAX_REQUEST_BYTES)
    end = time.monotonic() + seconds
    while time.monotonic() < end and not connection.closed:
        left = {stream: size for stream, size in left.items() if size and stream not in connection.status}
        sent = 0
        for stream, size in left.items():
            part = connection.send(stream, body[:size])
            left[stream] -= part
            sent += part
        if not left:
            return
        connection.poll(0 if sent else 0.05)


@pytest.mark.usefixtures("many_files")
def test_silent_connections_hold_neither_port(tmp_path):
    with serve(tmp_path, "--grpc-handshake-timeout", "2", files=1024) as server, ExitStack() as stack:
        host, _, port = server.grpc.removeprefix("grpc://").rpartition(":")
        silent = [stack.enter_context(socket.create_connection((host, int(port)), timeout=5)) for _ in range(1100)]
        assert request(server.http, "GET", "/healthz").status == 200
        assert len(list(Path(f"/proc/{server.pid}/fd").iterdir())) < 700
        # Its client connects again when the server has given up the handshakes.
        with channel(server.grpc) as opened:
            assert not call_when_connected(opened, seconds=15).secrets
        assert len(silent) == 1100
        assert server.peak_memory < 300 * MIB


def call_when_connected(opened: grpc.Channel, seconds: float):
    list_secrets = opened.unary_unary(LIST.path, response_deserializer=LIST.response_type.FromString)
    return list_secrets(b"", timeout=seconds, wait_for_ready=True)


def test_connections_over_the_limit_are_closed(tmp_path):
    with limited(tmp_path, Limits(grpc_connections=2)) as target, http2(target) as first, http2(target) as second:
        with http2(target) as third:
            wait_until(third, "closed")
        first.poll()
        assert not first.closed
        second.close()
        # It has room when the server has noticed.
        with channel(target) as opened:
            call_when_connected(opened, seconds=10)


def test_a_client_that_does_not_answer_is_disconnected(tmp_path):
    with limited(tmp_path, Limits(grpc_keepalive_s=1)) as target, http2(target) as dead, http2(target) as alive:
        for connection in (dead, alive):
            stream = connection.open("/grpc.health.v1.Health/Watch")
            connection.send(stream, message(0), end=True)
        dead.answers_pings = False
        end = time.monotonic() + 20
        while not dead.closed:
            assert time.monotonic() < end
            dead.poll(0.1)
            alive.poll(0.1)
        assert not alive.closed


def test_a_client_that_is_gone_is_noticed_without_a_call(tmp_path):
    with limited(tmp_path, Limits(grpc_keepalive_s=0.3)) as target, http2(target) as dead, http2(target) as alive:
        dead.answers_pings = False
        end = time.monotonic() + 10
        while not dead.closed:
            assert time.monotonic() < end
            dead.poll(0.1)
            alive.poll(0.1)
        assert not alive.closed


def ping_every(connection: Connection, seconds: float, times: int) -> None:
    for _ in range(times):
        connection.ping()
        connection.poll()
        time.sleep(seconds)
    connection.poll(0.2)


def test_an_idle_client_may_probe_the_server(tmp_path):
    # Most gRPC libraries allow keepalive pings every 10 seconds.
    assert Limits().grpc_ping_interval_s <= 5
    with limited(tmp_path, Limits(grpc_ping_interval_s=0.05)) as target, http2(target) as patient, http2(target) as hasty:
        ping_every(patient, 0.1, times=10)
        assert (patient.pings_answered, patient.going_away, patient.closed) == (10, False, False)
        ping_every(hasty, 0, times=10)
        wait_until(hasty, "going_away")


def test_a_connection_without_a_handshake_is_closed(tmp_path):
    with limited(tmp_path, Limits(grpc_handshake_timeout_s=0.3)) as target:
        host, _, port = target.removeprefix("grpc://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as silent:
            while silent.recv(65536):
                pass


def test_an_idle_connection_is_closed_and_its_client_does_not_notice(tmp_path):
    with limited(tmp_path, Limits(grpc_idle_timeout_s=0.5)) as target, channel(target) as opened:
        call(opened, LIST, b"")
        with http2(target) as idle:
            wait_until(idle, "going_away")
        call(opened, LIST, b"")


def test_an_old_connection_is_closed_and_its_client_does_not_notice(tmp_path):
    with limited(tmp_path, Limits(grpc_connection_age_s=0.5)) as target, channel(target) as opened, http2(target) as old:
        end = time.monotonic() + 20
        while not old.going_away:
            assert time.monotonic() < end
            call(opened, LIST, b"")
            old.poll(0.05)
        call(opened, LIST, b"")


def test_a_message_without_a_token_is_not_received(tmp_path):
    with serve(tmp_path, "--require-token") as server, http2(server.grpc) as connection:
        before = server.peak_memory
        send_unfinished_messages(connection, MAX_STREAMS, seconds=10)
        connection.poll(1)
        assert set(connection.status.values()) == {Code.UNAUTHENTICATED.number}
        assert len(connection.status) == MAX_STREAMS
        assert is_healthy(server.grpc)
        assert server.peak_memory - before < 50 * MIB


def test_calls_of_many_connections_wait_within_the_memory(tmp_path):
    large = [(f"x-{number:04}", "y" * 100) for number in range(90)]
    with serve(tmp_path, "--require-token") as server, ExitStack() as stack:
        connections = [stack.enter_context(http2(server.grpc)) for _ in range(16)]
        for _ in range(300):
            for connection in connections:
                stream = connection.open(CREATE.path, *large)
                connection.send(stream, message(MAX_REQUEST_BYTES) + bytes(16_000))
        for connection in connections:
            connection.poll(1)
        assert {status for each in connections for status in each.status.values()} <= {
            Code.UNAUTHENTICATED.number,
            Code.CANCELLED.number,
        }
        assert is_healthy(server.grpc)
        assert server.peak_memory < 300 * MIB


def test_messages_that_never_end_are_received_a_few_at_a_time(tmp_path):
    with serve(tmp_path) as server, http2(server.grpc) as connection:
        attack = threading.Thread(target=send_unfinished_messages, args=(connection, 200, 3))
        attack.start()
        try:
            with channel(server.grpc) as opened:
                for _ in range(3):
                    call(opened, LIST, b"", timeout=10)
            assert is_healthy(server.grpc)
        finally:
            attack.join()
        assert Counter(connection.status.values())[Code.DEADLINE_EXCEEDED.number] >= 8
        assert server.peak_memory < 300 * MIB


@pytest.mark.parametrize("path", [CHECK, WATCH, "/grpc.health.v1.Health/List", REFLECTION])
def test_messages_for_health_and_reflection_are_received_a_few_at_a_time(tmp_path, path):
    with serve(tmp_path, "--require-token") as server, http2(server.grpc) as connection:
        attack = threading.Thread(target=send_unfinished_messages, args=(connection, 200, 3, path))
        attack.start()
        try:
            assert is_healthy(server.grpc)
        finally:
            attack.join()
        assert server.peak_memory < 300 * MIB


@pytest.mark.parametrize("path", [CHECK, WATCH, REFLECTION])
def test_a_large_message_for_health_and_reflection_is_refused(tmp_path, path):
    # Of either service: a name in field 1 for health, a symbol in field 4 for reflection.
    name = b"x" * 5000
    with limited(tmp_path, Limits()) as target, http2(target) as connection:
        stream = connection.open(path)
        body = (b"\x22" if path == REFLECTION else b"\x0a") + b"\x88\x27" + name
        connection.send(stream, message(len(body)) + body, end=True)
        assert wait_for_status(connection, stream) == Code.RESOURCE_EXHAUSTED.number


def test_watchers_are_limited_and_checks_are_not(tmp_path):
    with limited(tmp_path, Limits()) as target, ExitStack() as stack:
        connections = [stack.enter_context(http2(target)) for _ in range(11)]
        for connection in connections:
            for _ in range(100):
                connection.send(connection.open(WATCH), message(0), end=True)
                connection.poll()
        end = time.monotonic() + 10
        while Code.RESOURCE_EXHAUSTED.number not in {status for each in connections for status in each.status.values()}:
            assert time.monotonic() < end
            for connection in connections:
                connection.poll(0.1)
        assert is_healthy(target)


def test_the_health_of_all_services_is_listed(tmp_path):
    with limited(tmp_path, Limits()) as target, channel(target) as opened:
        stub = health_pb2_grpc.HealthStub(opened)
        if not hasattr(stub, "List"):  # An older grpcio-health-checking has no such RPC, and neither has a server on it.
            with pytest.raises(grpc.RpcError) as error:
                opened.unary_unary("/grpc.health.v1.Health/List")(b"", timeout=5)
            assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
            return
        statuses = stub.List(health_pb2.HealthListRequest(), timeout=5).statuses
    assert {"", CREATE.service} < set(statuses)
    assert {each.status for each in statuses.values()} == {health_pb2.HealthCheckResponse.SERVING}


def test_a_watcher_that_reads_nothing_delays_no_other_and_no_shutdown(tmp_path):
    with (
        limited(tmp_path, Limits()) as target,
        http2(target, receive_window=0) as stuck,
        channel(target) as opened,
    ):
        stuck.send(stuck.open(WATCH), message(0), end=True)
        stuck.poll(0.5)
        watched = health_pb2_grpc.HealthStub(opened).Watch(health_pb2.HealthCheckRequest(), timeout=10)
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        watched.cancel()


def test_a_message_that_does_not_arrive_exceeds_the_deadline(tmp_path):
    with limited(tmp_path, Limits(grpc_request_timeout_s=0.3)) as target, http2(target) as connection:
        without, partial = connection.open(LIST.path), connection.open(LIST.path)
        connection.send(partial, message(10) + b"123")
        assert wait_for_status(connection, without) == Code.DEADLINE_EXCEEDED.number
        assert wait_for_status(connection, partial) == Code.DEADLINE_EXCEEDED.number


def test_a_call_without_a_message_is_an_invalid_argument(tmp_path):
    with limited(tmp_path, Limits()) as target, http2(target) as connection:
        assert wait_for_status(connection, connection.open(LIST.path, end=True)) == Code.INVALID_ARGUMENT.number


def test_a_compressed_message_is_expanded_to_the_limit_only(tmp_path):
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(compressor.compress(bytes(MIB)) for _ in range(256)), compressor.flush()])
    with serve(tmp_path) as server, http2(server.grpc) as connection:
        before = server.peak_memory
        stream = connection.open(CREATE.path, ("grpc-encoding", "gzip"))
        data = b"\1" + len(bomb).to_bytes(4, "big") + bomb
        while data and stream not in connection.status:
            data = data[connection.send(stream, data, end=True) :]
            connection.poll(0.1)
        assert wait_for_status(connection, stream) == Code.RESOURCE_EXHAUSTED.number
        assert is_healthy(server.grpc)
        assert server.peak_memory - before < 64 * MIB


def test_cancelled_calls_count_until_the_server_has_noticed(tmp_path):
    with limited(tmp_path, Limits()) as target, http2(target) as connection, channel(target) as opened:
        call(opened, LIST, b"")
        for _ in range(20 * MAX_STREAMS):
            connection.reset(connection.open(LIST.path))
        connection.poll()
        # It waits for the calls of one connection at most.
        call(opened, LIST, b"", timeout=10)
        connection.poll(1)
        refused_stream = 7
        assert Counter(connection.resets.values())[refused_stream] > 10 * MAX_STREAMS
        call(opened, LIST, b"")


def test_a_client_that_receives_nothing_gets_no_more_responses_and_others_do(tmp_path):
    with (
        limited(tmp_path, Limits(response_bytes_in_flight=64 * 1024)) as target,
        GatewayClient(target) as client,
        http2(target, receive_window=0) as stuck,
    ):
        for number in range(40):
            client.create_secret(f"secret {number:0100}", {"api_key": "sk-0123456789"})
        first = stuck.open(LIST.path)
        stuck.send(first, message(0), end=True)
        end = time.monotonic() + 20
        while Code.RESOURCE_EXHAUSTED.number not in stuck.status.values():
            assert time.monotonic() < end
            stuck.send(stuck.open(LIST.path), message(0), end=True)
            time.sleep(0.1)
            stuck.poll()
        assert first not in stuck.status
        assert len(client.list_secrets()) == 40
