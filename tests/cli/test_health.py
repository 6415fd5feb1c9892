"""The command for probes that run a command."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway_entities.cli.app import cli
from gateway_entities.server.server import Server
from gateway_entities.server.tls import Tls
from gateway_entities.testing import Gateway, gateway
from tests.certificates import Authority
from tests.server.test_tls import serving
from tests.transports.raw_server import OK, raw_server, read_request


def probe(target: str, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["health", "--target", target, *arguments])
    assert result.exit_code in {0, 1, 2}, result.output
    assert result.exit_code == 2 or result.output.count("\n") == 1, result.output
    return result


@pytest.fixture(scope="module")
def running():
    with gateway() as running:
        yield running


def test_a_running_gateway_answers_and_is_ready(running: Gateway) -> None:
    for target in (running.grpc_target, running.http_target):
        assert probe(target).stdout == f"{target} answers\n"
        assert probe(target, "--ready").stdout == f"{target} is ready\n"
    assert probe(f"mlflow+{running.http_target}").exit_code == 0
    assert "MLflow reports no readiness" in probe(f"mlflow+{running.http_target}", "--ready").output


def test_it_takes_the_target_of_the_other_commands(running: Gateway) -> None:
    given = {"GATEWAY_ENTITIES_TARGET": running.grpc_target}
    assert CliRunner(env=given).invoke(cli, ["health", "--ready"]).exit_code == 0


async def test_a_gateway_that_is_not_ready_still_answers(tmp_path: Path) -> None:
    addresses = dict.fromkeys(("grpc", "http", "health"), "127.0.0.1:0")
    server = Server(f"sqlite:///{tmp_path}/gateway.sqlite", drain_delay=60.0, **addresses)
    await server.start()
    stopping = asyncio.create_task(server.stop(1))
    await asyncio.sleep(0)
    try:
        for target in filter(None, (server.grpc_target, server.http_target, server.health_target)):
            assert (await asyncio.to_thread(probe, target)).exit_code == 0
            failed = await asyncio.to_thread(probe, target, "--ready")
            assert failed.exit_code == 1
            assert failed.stderr.startswith("error: UNAVAILABLE: ")
            assert ("the server is stopping" in failed.stderr) == target.startswith("http")
    finally:
        await server.stop(0)
        await stopping


def test_nothing_that_listens_or_answers_is_a_failure_within_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        for scheme in ("grpc", "http"):
            began = time.monotonic()
            assert probe(f"{scheme}://{address}", "--timeout", "0.3").exit_code == 1
            assert time.monotonic() - began < 3
    for scheme in ("grpc", "http"):
        assert probe(f"{scheme}://{address}", "--timeout", "0.5").exit_code == 1


def test_it_uses_tls_files(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    pair = authority.sign("server", "gateway", "127.0.0.1")
    with serving(tmp_path, tls=Tls(*pair)) as server:
        for target in (server.grpc_target, server.http_target):
            assert probe(target, "--ready", "--tls-ca", str(authority.cert)).exit_code == 0
            assert probe(target, "--ready").exit_code == 1


def test_an_invalid_target_is_an_error() -> None:
    result = probe("nonsense")
    assert (result.exit_code, "is not a target" in result.stderr) == (2, True)


def test_a_base_path_is_part_of_the_probe() -> None:
    requests: list[bytes] = []

    def talk(sock: socket.socket) -> None:
        requests.append(read_request(sock) or b"")
        sock.sendall(OK)

    with raw_server(talk) as target:
        assert probe(f"{target}/llm", "--ready").exit_code == 0
    assert requests[0].startswith(b"GET /llm/readyz HTTP/1.1\r\n")
