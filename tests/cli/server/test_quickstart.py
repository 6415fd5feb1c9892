from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "gateway_entities.cli", "quickstart"]


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder for temporary files of the process, which must be empty in the end."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def start(temporary: Path, **environment: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    variables = {**os.environ, "TMPDIR": str(temporary), **environment}
    return subprocess.Popen(COMMAND, env=variables, cwd=temporary.parent, stdout=pipe, stderr=pipe, text=True)


def processes_in(folder: Path) -> dict[int, bytes]:
    """Return the command lines of processes with a working directory below the folder."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(process / "cwd").removesuffix(" (deleted)")).is_relative_to(folder):
                found[int(process.name)] = (process / "cmdline").read_bytes()
        except OSError:
            continue
    return found


def wait_for_server(folder: Path) -> tuple[int, bytes]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for number, command in processes_in(folder).items():
            if b"serve" in command:
                return number, command
        time.sleep(0.01)
    raise AssertionError("no server was started")


def test_output_and_clean_up(temporary: Path) -> None:
    with start(temporary) as process:
        _, command = wait_for_server(temporary)
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, "")
    assert command.count(b"\0") == 10
    assert b"sk-" not in command

    assert [int(n) for n in re.findall(r"^(\d)\. ", stdout, re.MULTILINE)] == [1, 2, 3, 4, 5, 6]
    assert re.search(r"grpc://127\.0\.0\.1:\d+ +http://127\.0\.0\.1:\d+", stdout)
    compared = re.findall(r"^ +(Gateway\w+) +(\d+) +([0-9a-f]{32}) +([0-9a-f]{32}) +(\w+)$", stdout, re.MULTILINE)
    assert [name for name, *_ in compared] == [
        "GatewaySecretInfo",
        *["GatewayModelDefinition"] * 3,
        "GatewayEndpoint",
        "GatewayEndpointBinding",
        "GatewayBudgetPolicy",
    ]
    assert all(over_grpc == over_http and equal == "yes" for _, _, over_grpc, over_http, equal in compared)
    assert f"{compared[4][1]} bytes on the wire" in stdout
    models = [line.split()[2:5] for line in stdout.splitlines() if "openai/" in line]
    assert [model for model in models if model[:1] in (["PRIMARY"], ["FALLBACK"])] == [
        ["PRIMARY", "0.7", "-"],
        ["PRIMARY", "0.3", "-"],
        ["FALLBACK", "1.0", "0"],
    ]
    # Only the masked key, and no escape sequences in a pipe.
    assert max(map(len, re.findall(r"sk-[\w.-]*", stdout)), default=0) <= len("sk-...abcd")
    assert "\x1b" not in stdout
    assert processes_in(temporary) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_its_server(temporary: Path, number: signal.Signals) -> None:
    with start(temporary) as process:
        wait_for_server(temporary)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=15)
    assert process.returncode not in {0, -number}
    assert "Traceback" not in stderr
    assert processes_in(temporary) == {}


def test_a_killed_server_is_one_error_line(temporary: Path) -> None:
    with start(temporary) as process:
        server, _ = wait_for_server(temporary)
        os.kill(server, signal.SIGKILL)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    assert stderr.startswith("error: UNAVAILABLE: ")
    assert stderr.count("\n") == 1
    assert processes_in(temporary) == {}


def test_a_server_that_cannot_start_is_one_error_line(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "starlette.py").write_text("raise ModuleNotFoundError('gone', name='starlette')\n")
    with start(temporary, PYTHONPATH=str(tmp_path / "modules")) as process:
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    assert stderr.count("\n") == 1
    assert "gateway-entities[server]" in stderr
