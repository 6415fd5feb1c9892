"""A real MLflow server, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

_START_SECONDS = 120


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Run ``mlflow server`` on a fresh SQLite database; yield its HOST:PORT.

    Skips where MLflow is not installed, and where ``GATEWAY_ENTITIES_TEST_MLFLOW`` is ``off``: it takes half a minute.
    """
    if os.environ.get("GATEWAY_ENTITIES_TEST_MLFLOW") == "off":
        pytest.skip("GATEWAY_ENTITIES_TEST_MLFLOW is off")
    # mlflow-skinny has the command but not the parts that a server needs.
    if find_spec("mlflow") is None or find_spec("flask") is None:
        pytest.skip("MLflow's server is not installed: pip install -e '.[mlflow]'")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", str(folder)]
    environment = {
        # With the key of a provider its responses are others.
        **{name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")},
        "MLFLOW_CRYPTO_KEK_PASSPHRASE": "a passphrase of the tests",
        "DO_NOT_TRACK": "true",
        # It fetches lists of models otherwise.
        "MLFLOW_MODEL_CATALOG_URI": "",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/health", process, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        # The server has children; they are in its session.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def register_scorer(target: str, name: str) -> dict[str, Any]:
    """Register a scorer with a server at ``mlflow+http://HOST:PORT``; return its id and version, as guardrails name them."""
    body = {"experiment_id": "0", "name": name, "serialized_scorer": "{}"}
    url = f"{target.removeprefix('mlflow+')}/api/3.0/mlflow/scorers/register"
    sent = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(sent, timeout=30) as response:
        made = json.load(response)
    return {"scorer_id": made["scorer_id"], "scorer_version": made["version"]}


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"MLflow's server did not start: {log.read_text(errors='replace')[-2000:]}")
