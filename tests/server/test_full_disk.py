"""A full disk: writes are refused with the cause in the response, the log and the readiness, until there is room again."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.client import GatewayClient
from gateway_entities.errors import Code, GatewayError
from tests.server.raw import request


def set_limit(process: subprocess.Popen[str], size: int) -> None:
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))


def create(client: GatewayClient, name: str) -> Any:
    return client.create_secret(name, {"k": "sk-0123456789"})


def await_ready(target: str, wanted: int) -> str:
    deadline = time.monotonic() + 15
    while (response := request(target, "GET", "/readyz")).status != wanted:
        assert time.monotonic() < deadline, response
        time.sleep(0.05)
    return str(response.json.get("message", ""))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the limit of a running process cannot be set here")
def test_a_full_disk_is_reported_and_recovered_from(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway_entities.cli", "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, "--log-format", "json"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            grpc, http = process.stdout.readline().strip(), process.stdout.readline().strip()
            with GatewayClient(grpc, retry_timeout=0) as client, GatewayClient(http, retry_timeout=0) as over_http:
                create(client, "first")
                set_limit(process, (tmp_path / "gateway.sqlite-wal").stat().st_size)
                for caller in (client, over_http):
                    with pytest.raises(GatewayError) as caught:
                        create(caller, "refused")
                    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "STORE_UNAVAILABLE")
                    assert "disk" in caught.value.message
                message = await_ready(http, 503)
                assert "write" in message
                assert "disk" in message
                assert request(http, "GET", "/healthz").status == 200
                assert [secret.secret_name for secret in client.list_secrets()] == ["first"]
                set_limit(process, resource.RLIM_INFINITY)
                await_ready(http, 200)
                create(client, "refused")
                assert [secret.secret_name for secret in client.list_secrets()] == ["first", "refused"]
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=15)
            assert process.returncode == 0
        finally:
            process.kill()
    lines = [json.loads(line) for line in log.splitlines()]
    refused = [line for line in lines if line.get("code") == "UNAVAILABLE" and line["method"] != "/readyz"]
    assert {line["transport"] for line in refused} == {"grpc", "connect"}
    assert {(line["level"], "disk" in line["cause"]) for line in refused} == {("error", True)}
    messages = [(line["level"], line["message"]) for line in lines if "readiness" in line["logger"]]
    assert [level for level, _ in messages] == ["error", "info"]
    assert "disk" in messages[0][1]
