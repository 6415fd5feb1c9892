"""``endpoint resolve`` and ``secret accesses``."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway_entities.cli.app import cli
from gateway_entities.client import GatewayClient
from gateway_entities.entities import GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.testing import Gateway, gateway

CANARY = "sk-canary-61b7f3a20d9c"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Gateway, dict[str, str]]]:
    with gateway() as running:
        with GatewayClient(running.grpc_target) as client:
            settings = {"region": "eu"}
            secret = client.create_secret("key", {"api_key": CANARY}, provider="openai", auth_config=settings)
            model = client.create_model_definition("m", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
            config = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
            client.create_endpoint("chat", [config])
        tokens = {"admin": running.create_token("boss", "admin"), "gateway": running.create_token("gw", "read", "resolve")}
        yield running, tokens


@pytest.fixture
def run(served: tuple[Gateway, dict[str, str]]) -> Run:
    """Run a command with a token; check that it does not show the value."""
    running, tokens = served

    def run(token: str, *arguments: str, code: int = 0) -> Result:
        environment = {"GATEWAY_ENTITIES_TARGET": running.grpc_target, "GATEWAY_ENTITIES_TOKEN": tokens[token]}
        result = CliRunner(env=environment).invoke(cli, arguments)
        assert result.exit_code == code, result.output
        assert CANARY not in result.output
        return result

    return run


def accesses(run: Run) -> list[dict[str, Any]]:
    return json.loads(run("admin", "secret", "accesses", "--json").stdout)


def test_values_are_masked(run: Run) -> None:
    shown = run("gateway", "endpoint", "resolve", "chat").stdout.splitlines()
    assert shown[0].split() == ["PROVIDER", "MODEL_NAME", "AUTH_CONFIG", "SECRET_VALUE", "SECRET_ID"]
    row = shown[1].split()
    assert row[:4] == ["openai", "gpt-4o", "region=eu", "api_key=***"]
    document = json.loads(run("gateway", "endpoint", "resolve", "chat", "--json").stdout)
    (model,) = document["models"]
    assert (model["secret_value"], model["secret_id"][:10]) == ({"api_key": "***"}, row[4])
    assert run("gateway", "endpoint", "resolve", document["endpoint"]["endpoint_id"], "--json").stdout


def test_values_are_not_written_to_a_pipe(run: Run) -> None:
    before = accesses(run)
    for form in ((), ("--json",)):
        refused = run("gateway", "endpoint", "resolve", "chat", "--show-values", *form, code=2)
        assert "standard output is not a terminal" in refused.stderr
    # Nothing was resolved.
    assert accesses(run) == before


def test_a_file_of_values_is_private_and_new(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "resolved.json"
    previous = os.umask(0)
    try:
        run("gateway", "endpoint", "resolve", "chat", "--show-values", "--into", str(path))
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["models"][0]["secret_value"] == {"api_key": CANARY}
    before = accesses(run)
    again = run("gateway", "endpoint", "resolve", "chat", "--show-values", "--into", str(path), code=2)
    assert "File exists" in again.stderr
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    run("gateway", "endpoint", "resolve", "chat", "--show-values", "--into", str(link), code=2)
    assert not (tmp_path / "elsewhere").exists()
    assert "--show-values too" in run("gateway", "endpoint", "resolve", "chat", "--into", "x", code=2).stderr
    for place in ("-", "/dev/stdout"):
        refused = run("gateway", "endpoint", "resolve", "chat", "--show-values", "--into", place, code=2)
        assert "not to standard output" in refused.stderr
    assert not Path("-").exists()
    assert accesses(run) == before


def test_a_failed_resolution_leaves_no_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "resolved.json"
    run("gateway", "endpoint", "resolve", "nope", "--show-values", "--into", str(path), code=1)
    assert "scope resolve" in run("admin", "endpoint", "resolve", "chat", code=1).stderr
    assert not path.exists()


def test_values_are_shown_on_a_terminal(served: tuple[Gateway, dict[str, str]]) -> None:
    running, tokens = served
    environment = {
        **os.environ,
        "GATEWAY_ENTITIES_TARGET": running.grpc_target,
        "GATEWAY_ENTITIES_TOKEN": tokens["gateway"],
    }
    command = [sys.executable, "-m", "gateway_entities", "endpoint", "resolve", "chat", "--show-values"]
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, env=environment, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert f"api_key={CANARY}" in os.read(ours, 1 << 16).decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_accesses_are_listed_latest_first(run: Run) -> None:
    run("gateway", "endpoint", "resolve", "chat")
    lines = run("admin", "secret", "accesses").stdout.splitlines()
    assert lines[0].split() == ["ACCESSED_AT", "ACTOR", "SECRET", "ENDPOINT"]
    found = accesses(run)
    assert (found[0]["actor"], len(lines)) == ("gw", len(found) + 1)
    everything = ("key", "--endpoint", "chat", "--actor", "gw", "--since", "2020-01-31")
    assert json.loads(run("admin", "secret", "accesses", *everything, "--json").stdout) == found
    assert json.loads(run("admin", "secret", "accesses", found[0]["secret_id"], "--json").stdout) == found
    for none in (("--actor", "nobody"), ("--since", "2999-01-01T00:00:00Z"), ("s-" + "0" * 32,)):
        assert run("admin", "secret", "accesses", *none).stdout == "(none)\n"
    run("admin", "secret", "accesses", "--since", "yesterday", code=2)
    assert "PERMISSION_DENIED" in run("gateway", "secret", "accesses", code=1).stderr
