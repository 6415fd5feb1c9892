"""A real MLflow server, in a process of its own."""

from __future__ import annotations

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
    environment = {**os.environ, "MLFLOW_CRYPTO_KEK_PASSPHRASE": "a passphrase of the tests", "DO_NOT_TRACK": "true"}
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


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"MLflow's server did not start: {log.read_text(errors='replace')[-2000:]}")
