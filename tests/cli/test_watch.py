"""The ``watch`` command, as a process: it follows, resumes, and ends with its user, its reader or its token."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_entities import (
    BudgetDuration,
    BudgetDurationUnit,
    GatewayClient,
    GatewayEndpointModelConfig,
    GatewayModelLinkageType,
)
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.testing import Gateway, gateway
from tests.mirror.mirrors import create_token, eventually
from tests.stores import serving, sqlite_place

VALUE = {"api_key": "sk-canary-5fb0c2d9e6a14b7c"}
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the command, and wait until it watches."""
    started: list[subprocess.Popen[str]] = []

    def start(target: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway_entities.cli", "watch", "--target", target, *arguments],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stderr is not None
        assert re.fullmatch(r"Watching from revision \d+\. Ctrl-C ends\.\n", process.stderr.readline())
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().rstrip("\n") for _ in range(count)]


def interrupt(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C: it ends without an error, silently."""
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_one_line_per_change(running: Gateway, start: Start, kind: str) -> None:
    target = running.grpc_target if kind == "grpc" else running.http_target
    with GatewayClient(target) as client:
        client.create_secret(f"before-{kind}", VALUE)
        process = start(target)
        secret = client.create_secret(f"watched-{kind}", VALUE)
        changed = client.update_secret(secret.secret_id, secret_value=VALUE)
        client.delete_secret(secret.secret_id)
        revision = client.list_changes().revision
    found = [line.split("  ") for line in lines(process, 3)]
    assert [line[2:] for line in found] == [
        [what, "secret", secret.secret_name, secret.secret_id[:10]] for what in ("added", "changed", "removed")
    ]
    assert [int(line[0]) for line in found] == [revision - 2, revision - 1, revision]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found[1][1])
    assert changed.last_updated_at
    assert found[2][1] == "-"
    interrupt(process)


def test_json_lines_since_a_revision(running: Gateway, start: Start) -> None:
    with GatewayClient(running.http_target) as client:
        since = client.create_secret("a-beginning", VALUE) and client.list_changes().revision
        secret = client.create_secret("since", VALUE, provider="openai")
        model = client.create_model_definition("since", secret_id=secret.secret_id, provider="openai", model_name="m")
        changes = client.list_changes(since_revision=since)
        process = start(running.http_target, "--since", str(since), "--json")
        client.update_model_definition(model.model_definition_id, model_name="n")
    found = [json.loads(line) for line in lines(process, 3)]
    times = [change.changed_at for change in changes]
    expected: list[dict[str, Any]] = [
        {"what": "added", "noun": "secret", "name": "since", "id": secret.secret_id, "changed_at": times[0]},
        {
            "what": "added",
            "noun": "model_definition",
            "name": "since",
            "id": model.model_definition_id,
            "changed_at": times[1],
        },
        {"what": "changed", "noun": "model_definition", "name": "since", "id": model.model_definition_id},
    ]
    assert found[2].pop("changed_at") >= times[1]
    assert found == [{"revision": since + number, **each} for number, each in enumerate(expected, 1)]
    interrupt(process)


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_alert_has_a_line(running: Gateway, start: Start, form: str) -> None:
    with GatewayClient(running.http_target) as client:
        secret = client.create_secret(f"alerts-{form}", VALUE, provider="openai")
        model = client.create_model_definition(
            f"alerts-{form}", secret_id=secret.secret_id, provider="openai", model_name="m"
        )
        endpoint = client.create_endpoint(
            f"alerts-{form}", [GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)]
        )
        policy = client.create_budget_policy(
            budget_unit="USD",
            budget_amount=1.5,
            duration=BudgetDuration(BudgetDurationUnit.MONTHS, 1200),
            target_scope="ENDPOINT",
            target_value=endpoint.endpoint_id,
            budget_action="ALERT",
        )
        client.record_spend(endpoint.endpoint_id, amount="0.75")
        revision = client.list_changes().revision
        # The share of 50 is reached before the command watches.
        process = start(running.http_target, *(("--json",) if form == "json" else ()))
        client.record_spend(endpoint.endpoint_id, amount="0.75")
    found = lines(process, 2)
    if form == "json":
        first, second = (json.loads(line) for line in found)
        assert (first["revision"], first["what"], first["noun"]) == (revision, "alert", "budget_policy")
        assert first["id"] == second["id"] == policy.budget_policy_id
        assert [each["alert"]["share_percent"] for each in (first, second)] == [80, 100]
        assert first["alert"]["balance"]["recorded_nanos"] == 1_500_000_000
        assert first["changed_at"] == first["alert"]["raised_at"]
    else:
        words = [line.split("  ") for line in found]
        assert [each[0] for each in words] == [str(revision)] * 2
        assert [each[2:] for each in words] == [
            ["alert", "budget_policy", f"{share}% of 1.5 USD", policy.budget_policy_id[:11]] for share in (80, 100)
        ]
    interrupt(process)


def test_it_resumes_and_ends_when_its_token_is_revoked(tmp_path: Path, start: Start) -> None:
    place = sqlite_place(tmp_path / "store.sqlite", with_tables=True)
    with serving(place) as server:
        admin, reader = create_token(place.url, "boss", "ADMIN"), create_token(place.url, "reader", "READ")
        address = server.http_target.removeprefix("http://")
        process = start(server.http_target, GATEWAY_ENTITIES_TOKEN=reader)
        with GatewayClient(server.http_target, token=admin) as client:
            client.create_secret("one", VALUE)
        assert lines(process, 1)[0].split("  ")[4] == "one"
    assert process.stderr is not None
    assert "stream ended" in process.stderr.readline()
    with serving(place, http=address) as server, GatewayClient(server.http_target, token=admin) as client:
        client.create_secret("two", VALUE)
        assert [line.split("  ")[4] for line in lines(process, 1)] == ["two"]
        with open_tokens(place.url) as tokens:
            tokens.revoke("reader")
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "")
    assert "UNAUTHENTICATED" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_when_its_reader_is_gone(running: Gateway, start: Start, busy: bool) -> None:
    process = start(running.http_target)
    assert process.stdout is not None
    process.stdout.close()
    if busy:
        with GatewayClient(running.http_target) as client:
            client.create_secret("unread", VALUE)
    assert process.wait(20) == 1
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_what_cannot_be_watched_is_an_error_immediately(running: Gateway) -> None:
    for target, code in (("grpc://127.0.0.1:1", "UNAVAILABLE"), ("mlflow+" + running.http_target, "UNIMPLEMENTED")):
        command = [sys.executable, "-m", "gateway_entities.cli", "watch", "--target", target]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert (done.returncode, done.stdout) == (1, "")
        assert code in done.stderr
        assert "Traceback" not in done.stderr


def test_a_revision_that_does_not_exist_yet_is_an_error(running: Gateway) -> None:
    with GatewayClient(running.http_target) as client:
        client.create_secret("the-last", VALUE)
        last = client.list_changes().revision
    command = [sys.executable, "-m", "gateway_entities.cli", "watch", "--target", running.http_target]
    done = subprocess.run([*command, "--since", str(last + 1)], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--since: revision {last + 1} does not exist yet, the last one is {last}" in done.stderr


def test_a_reader_that_pauses_misses_nothing(running: Gateway, start: Start) -> None:
    with GatewayClient(running.http_target) as client:
        process = start(running.http_target, "-o", "wide")
        made = [client.create_secret(f"many-{number}", VALUE) for number in range(30)]
        lines(process, len(made))
        os.kill(process.pid, signal.SIGSTOP)
        for secret in made:
            client.delete_secret(secret.secret_id)
        os.kill(process.pid, signal.SIGCONT)
    ended: set[str] = set()

    def all_ended() -> bool:
        (line,) = lines(process, 1)
        if line.split("  ")[2] == "removed":
            ended.add(line.split("  ")[5])
        return len(ended) == len(made)

    eventually(all_ended, "all are removed")
    assert ended == {secret.secret_id for secret in made}
