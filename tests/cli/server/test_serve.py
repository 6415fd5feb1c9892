from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway_entities import BudgetDuration, GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.cli.app import cli
from gateway_entities.client import GatewayClient
from gateway_entities.errors import GatewayError
from tests.certificates import Authority
from tests.documentation import block

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


def start_error(*arguments: str, codes: tuple[int, ...] = (1, 2)) -> str:
    """Run serve, which must exit with one line on stderr, and return that line."""
    result = CliRunner().invoke(cli, ["serve", *arguments])
    assert result.exit_code in codes, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("error: ")
    return result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
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


def test_a_file_of_providers_is_read_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    assert f"the file of providers {path} cannot be used: No such file" in start_error(
        "--provider-catalog", str(path), *FREE
    )
    path.write_text('{"source": "tests", "date": "2026-11-27", "providers": {"mine": {}}}', encoding="utf-8")
    with serving(tmp_path, *FREE, "--provider-catalog", str(path)) as (process, _, http_line):
        url = f"{http_line.strip()}/ajax-api/3.0/mlflow/gateway/supported-providers"
        with urllib.request.urlopen(url, timeout=15) as response:
            assert json.load(response) == {"providers": ["mine"]}
        process.terminate()
        process.communicate(timeout=15)


def log_of(stderr: str) -> list[str]:
    """Return the messages of a JSON log, each line of which must be JSON."""
    return [str(line["message"]) for line in map(json.loads, stderr.splitlines()) if "message" in line]


def test_it_logs_how_it_starts_and_ends(tmp_path: Path) -> None:
    with serving(tmp_path, *FREE, "--health-listen", "127.0.0.1:0", "--log-format", "json") as (
        process,
        grpc_line,
        http_line,
    ):
        assert process.stdout is not None
        health_line = process.stdout.readline()
        with GatewayClient(grpc_line.strip()) as client:
            client.list_endpoints()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=15)
    started, key, addresses, access, received, draining, stopped = log_of(stderr)
    assert started == f"gateway-entities {version('gateway-entities')} serves the store {tmp_path}/gateway.sqlite"
    assert key.startswith(f"created the key file {tmp_path}/gateway.sqlite.key;")
    assert addresses == f"listening on {', '.join(line.strip() for line in (grpc_line, http_line, health_line))}"
    hint = f"gateway-entities token create NAME --scope admin --store sqlite:///{tmp_path}/gateway.sqlite"
    assert access == f"open to every user of this machine, until the store has a token: {hint}"
    assert received == "received SIGINT"
    assert draining.startswith("draining: ")
    assert stopped == "stopped"


def test_the_shares_of_alerts_are_options(tmp_path: Path) -> None:
    shares = ("--alert-share", "30", "--alert-share", "110")
    with serving(tmp_path, *FREE, *shares, "--log-format", "json") as (process, grpc_line, http_line):
        with GatewayClient(grpc_line.strip()) as client:
            secret = client.create_secret("k", {"api_key": "sk-canary-5fb0c2d9e6a14b7c"}, provider="openai")
            model = client.create_model_definition("m", secret_id=secret.secret_id, provider="openai", model_name="m")
            primary = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
            endpoint = client.create_endpoint("e", [primary])
            policy = client.create_budget_policy(
                budget_unit="USD",
                budget_amount=1,
                duration=BudgetDuration("MONTHS", 1200),  # type: ignore[arg-type]
                target_scope="GLOBAL",
                budget_action="REJECT",
            )
            raised = [client.record_spend(endpoint.endpoint_id, amount="0.6").alerts for _ in range(3)]
        with urllib.request.urlopen(f"{http_line.strip()}/metrics") as response:
            metrics = response.read().decode()
        process.terminate()
        _, stderr = process.communicate(timeout=15)
    assert [[alert.share_percent for alert in each] for each in raised] == [[30], [110], []]
    lines = [json.loads(line) for line in stderr.splitlines()]
    alerts = [line for line in lines if line.get("message", "").startswith("budget alert")]
    assert [(line["level"], line["logger"]) for line in alerts] == [
        ("warning", "gateway_entities.server.service.spending.ledger")
    ] * 2
    assert all(policy.budget_policy_id in line["message"] for line in alerts)
    for share in (30, 110):
        assert f'gateway_budget_alerts_total{{share="{share}"}} 1.0\n' in metrics


def test_sighup_never_ends_it_and_renews_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    first, second = (authority.sign(name, "gateway", "127.0.0.1") for name in ("first", "second"))
    for source, name in ((first.cert, "tls.crt"), (first.key, "tls.key")):
        shutil.copy(source, tmp_path / name)
    options = ["--tls-cert", "tls.crt", "--tls-key", "tls.key", "--log-format", "json"]
    with serving(tmp_path, *FREE, *options) as (process, grpc_line, _):
        with GatewayClient(grpc_line.strip(), ca_file=authority.cert) as client:
            assert client.list_endpoints() == []
        shutil.copy(second.cert, tmp_path / "tls.crt")
        shutil.copy(second.key, tmp_path / "tls.key")
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        log = "".join(itertools.takewhile(lambda line: "received SIGHUP" not in line, lines))
        assert sum("TLS certificate tls.crt in use, valid until " in each for each in log_of(log)) == 1
        assert next(line for line in lines if "TLS certificate tls.crt in use" in line)
        with GatewayClient(grpc_line.strip(), ca_file=authority.cert) as client:
            assert client.list_endpoints() == []
        process.send_signal(signal.SIGHUP)
        process.terminate()
        process.communicate(timeout=15)
    assert process.returncode == 0


def test_behind_a_proxy_that_ends_tls_it_listens_everywhere_and_requires_tokens(tmp_path: Path) -> None:
    everywhere = ["--grpc", "0.0.0.0:0", "--http", "0.0.0.0:0", "--tls-terminated-upstream"]
    store = ["--store", f"sqlite:///{tmp_path}/gateway.sqlite"]
    assert "has no token" in start_error(*everywhere, *store)
    with serving(tmp_path, *everywhere, *store, "--require-token", "--log-format", "json") as (
        process,
        grpc_line,
        http_line,
    ):
        for target in (grpc_line, http_line):
            with (
                GatewayClient(target.strip().replace("0.0.0.0", "127.0.0.1"), retry_timeout=0) as client,
                pytest.raises(GatewayError) as caught,
            ):
                client.list_endpoints()
            assert caught.value.reason == "TOKEN_MISSING"
        process.terminate()
        _, stderr = process.communicate(timeout=15)
    levels = {str(line["message"])[:17]: line["level"] for line in map(json.loads, stderr.splitlines()) if "message" in line}
    assert levels["TLS ends upstream"] == "warning"
    assert "every call needs a token" in log_of(stderr)
    # The store and its key file were made by the first start.
    assert "created the key file" not in stderr


def test_the_command_of_the_documented_pod_is_accepted() -> None:
    pod = block("docs/guides/containers.md", "A pod", "yaml")
    program, *arguments = re.findall(r"^ {12}- (?!name)(\S+)$", pod, re.MULTILINE)
    assert (program, arguments[0], len(arguments)) == ("gateway-entities", "serve", 9)
    result = CliRunner().invoke(cli, [*arguments, "--help"])
    assert result.exit_code == 0, result.output
    probes = re.findall(r"httpGet: \{path: (\S+), port: health\}", pod)
    assert probes == ["/readyz", "/healthz", "/readyz"]


def test_the_help_names_what_the_health_listener_shows_without_a_token() -> None:
    result = CliRunner().invoke(cli, ["serve", "--help"])
    assert "the sums of each budget in /metrics" in " ".join(result.output.split())


def test_tls_ends_in_one_place(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["serve", "--tls-terminated-upstream", "--tls-cert", f"{tmp_path}/c", "--tls-key", f"{tmp_path}/k"]
    )
    assert (result.exit_code, "TLS ends in one place" in result.stderr) == (2, True)


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
    start_error("--grpc", address, "--http", "127.0.0.1:0", codes=(2,))


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
