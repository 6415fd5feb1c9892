from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway_entities.cli.app import cli
from gateway_entities.client import GatewayClient

COMMAND = [sys.executable, "-m", "gateway_entities.cli", "serve"]
FREE = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *arguments], cwd=folder, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline(), process.stdout.readline()
        finally:
            process.kill()


def start_error(*arguments: str) -> str:
    """Run serve, which must exit with one line on stderr, and return that line."""
    result = CliRunner().invoke(cli, ["serve", *arguments])
    assert result.exit_code in {1, 2}, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("error: ")
    return result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_prints_its_addresses_serves_and_exits_with_0(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path, *FREE, "--log-level", "warning") as (process, grpc_line, http_line):
        assert re.fullmatch(r"grpc://127\.0\.0\.1:[1-9]\d*\n", grpc_line)
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*\n", http_line)
        for line in (grpc_line, http_line):
            with GatewayClient(line.strip()) as client:
                assert client.list_endpoints() == []
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=15)
    assert (process.returncode, stdout, stderr) == (0, "", "")
    assert (tmp_path / "gateway.sqlite").is_file()
    assert stat.S_IMODE((tmp_path / "gateway.sqlite.key").stat().st_mode) == 0o600


def test_it_uses_the_given_ports_store_and_key(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ["--store", f"sqlite:///{tmp_path}/my.db", "--grpc", "localhost:0", "--http", "[::1]:0"]
    if not socket.has_ipv6:
        arguments[-1] = "127.0.0.1:0"
    with serving(tmp_path / "empty", *arguments) as (process, grpc_line, http_line):
        assert grpc_line.startswith("grpc://")
        assert http_line.startswith("http://")
        process.terminate()
        process.communicate(timeout=15)
    assert process.returncode == 0
    assert (tmp_path / "my.db").is_file()
    assert list((tmp_path / "empty").iterdir()) == []


def test_providers_are_allowed_by_option_and_by_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_ENTITIES_ALLOW_API_BASE", "localhost:11434 10.0.0.7")
    for options, hosts in (
        ((), ("localhost:11434", "10.0.0.7")),
        (("--allow-api-base", "[::1]:8000", "--allow-api-base", "vllm"), ("[::1]:8000", "vllm")),
    ):
        with serving(tmp_path, *FREE, *options) as (process, grpc_line, _), GatewayClient(grpc_line.strip()) as client:
            for host in hosts:
                client.create_secret(host, {"k": "v"}, auth_config={"api_base": f"http://{host}/v1"})
            process.terminate()
            process.communicate(timeout=15)
    assert "'a b' is not a host" in start_error("--allow-api-base", "a b", *FREE)


@pytest.mark.parametrize("option", ["--grpc", "--http"])
def test_a_port_in_use(tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        other = "--http" if option == "--grpc" else "--grpc"
        # In a child process, because gRPC's core bypasses Python's standard error.
        command = [*COMMAND, option, address, other, "127.0.0.1:0"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert done.stderr.startswith("error: ")
    assert address in done.stderr


@pytest.mark.parametrize("option", ["--grpc", "--http"])
def test_an_address_beyond_loopback(option: str) -> None:
    other = "--http" if option == "--grpc" else "--grpc"
    assert "0.0.0.0" in start_error(option, "0.0.0.0:0", other, "127.0.0.1:0")


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:http", "127.0.0.1:70000", ""])
def test_an_invalid_address(address: str) -> None:
    start_error("--grpc", address, "--http", "127.0.0.1:0")


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////no/such/folder/gateway.sqlite", "oracle://host/db", ""])
def test_a_store_that_cannot_be_opened(url: str) -> None:
    start_error(*FREE, "--store", url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "gateway.sqlite").write_bytes(b"this is no database, but it is long enough to look at" * 40)
    start_error(*FREE, "--store", f"sqlite:///{tmp_path}/gateway.sqlite")


def test_a_key_file_that_holds_no_key(tmp_path: Path) -> None:
    key_file = tmp_path / "bad.key"
    key_file.write_text("nothing of the right length")
    key_file.chmod(0o600)
    error = start_error(*FREE, "--store", f"sqlite:///{tmp_path}/gateway.sqlite", "--key-file", str(key_file))
    assert str(key_file) in error
    assert "nothing of" not in error


def test_the_store_and_the_key_survive_a_restart(tmp_path: Path) -> None:
    ids = set[str]()
    for attempt in range(2):
        with serving(tmp_path, *FREE) as (process, grpc_line, _):
            with GatewayClient(grpc_line.strip()) as client:
                if attempt == 0:
                    client.create_secret("kept", {"api_key": "sk-0123456789abcdef"})
                ids.add(client.get_secret(secret_name="kept").secret_id)
            process.terminate()
            process.communicate(timeout=15)
    assert len(ids) == 1


def test_without_the_server_extra_the_error_has_the_pip_command(tmp_path: Path) -> None:
    (tmp_path / "starlette.py").write_text("raise ModuleNotFoundError(\"No module named 'starlette'\", name='starlette')\n")
    done = subprocess.run(
        [*COMMAND, *FREE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "starlette" in done.stderr
    assert "gateway-entities[server]" in done.stderr
