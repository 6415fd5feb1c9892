"""A signal loses no accepted call: the stored calls are the acknowledged ones, and refused callers can tell."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway_entities import methods
from gateway_entities.server.store import open_store
from gatewayentities.v1 import secret_pb2
from tests.server.raw import channel, http_failure, post_proto, request

CREATE, LIST = methods.CREATE_GATEWAY_SECRET, methods.LIST_GATEWAY_SECRET_INFOS
EDITORS = 4
"""On each transport."""


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    command = [sys.executable, "-W", "error", "-m", "gateway_entities.cli", "serve", "--log-level", "warning", *options]
    addresses = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, *addresses], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip(), process.stdout.readline().strip()
        finally:
            process.kill()


def create(name: str) -> secret_pb2.CreateGatewaySecretRequest:
    return secret_pb2.CreateGatewaySecretRequest(secret_name=name, secret_value={"k": "sk-0123456789"})


class Load:
    """Callers that create secrets one after the other until they are refused."""

    def __init__(self, grpc_target: str, http_target: str) -> None:
        self.answered: set[str] = set()
        self.ends: Counter[str] = Counter()
        self._grpc_target = grpc_target
        self._http_target = http_target
        self._threads = [
            threading.Thread(target=call, args=(f"{call.__name__}-{number}",))
            for call in (self._over_grpc, self._over_http)
            for number in range(EDITORS)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        deadline = time.monotonic() + 30
        while len(self.answered) < 40:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _over_grpc(self, prefix: str) -> None:
        with channel(self._grpc_target) as opened:
            make = opened.unary_unary(CREATE.path)

            def call(name: str) -> str:
                try:
                    make(create(name).SerializeToString(), timeout=60)
                except grpc.RpcError as error:
                    return f"grpc {error.code().name}"
                return ""

            self._repeat(prefix, call)

    def _over_http(self, prefix: str) -> None:
        def call(name: str) -> str:
            try:
                response = post_proto(self._http_target, CREATE, create(name))
            except (OSError, http.client.HTTPException):
                return "http gone"
            return "" if response.status == 200 else f"http {http_failure(response).reason}"

        self._repeat(prefix, call)

    def _repeat(self, prefix: str, call: Callable[[str], str]) -> None:
        number = 0
        while not (end := call(f"{prefix}-{number}")):
            self.answered.add(f"{prefix}-{number}")
            number += 1
        self.ends[end] += 1


@pytest.mark.parametrize("options", [(), ("--drain-delay", "0.5")], ids=["at-once", "with-delay"])
def test_the_stored_calls_are_the_acknowledged_ones(tmp_path, options):
    with serve(tmp_path, *options) as (process, grpc_target, http_target):
        with Load(grpc_target, http_target) as load:
            process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    # Refused, or too late to be accepted: none was aborted, which would be CANCELLED, UNKNOWN or INTERNAL.
    assert set(load.ends) <= {"grpc UNAVAILABLE", "http STOPPING", "http gone"}
    store = open_store(f"sqlite:///{tmp_path}/gateway.sqlite")
    with store.read() as transaction:
        stored = {secret.secret_name for secret in transaction.secrets.list()}
    store.close()
    assert stored == load.answered


def test_it_is_not_ready_before_it_refuses(tmp_path):
    with serve(tmp_path, "--drain-delay", "2") as (process, grpc_target, http_target), channel(grpc_target) as opened:
        watched = health_pb2_grpc.HealthStub(opened).Watch(health_pb2.HealthCheckRequest())
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        process.send_signal(signal.SIGTERM)
        assert next(watched).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert request(http_target, "GET", "/readyz").status == 503
        assert request(http_target, "GET", "/healthz").status == 200
        assert post_proto(http_target, LIST, b"").status == 200
        opened.unary_unary(LIST.path)(b"")
        _, errors = process.communicate(timeout=30)
        with pytest.raises(grpc.RpcError):
            opened.unary_unary(LIST.path)(b"")
    assert (process.returncode, errors) == (0, "")


def test_a_second_signal_does_not_wait_for_the_delay(tmp_path):
    with serve(tmp_path, "--drain-delay", "600") as (process, _, http_target):
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        while request(http_target, "GET", "/readyz").status != 503:
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
