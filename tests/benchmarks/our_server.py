"""Our server as in production: ``gateway-entities serve`` in a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.row import MissingError

INSTALL = "the server is not installed: pip install -e '.[bench]'"


def require_server() -> None:
    """Raise MissingError unless the server's libraries are installed."""
    if any(find_spec(module) is None for module in ("uvicorn", "starlette", "sqlalchemy", "alembic", "cryptography")):
        raise MissingError(INSTALL)


@dataclass(frozen=True)
class OurServer:
    """A running server.

    Attributes:
        grpc_target: its gRPC address.
        http_target: its HTTP address.
        pid: its process id.
        started_in: seconds from process start to its readiness message.
    """

    grpc_target: str
    http_target: str
    pid: int
    started_in: float

    def target(self, transport: str) -> str:
        """Return its address for a transport, ``grpc`` or ``http``."""
        return self.grpc_target if transport == "grpc" else self.http_target


@contextmanager
def our_server(folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[OurServer]:
    """Run a server on free ports, with its store in the folder unless the environment overrides it."""
    require_server()
    serve = [sys.executable, "-m", "gateway_entities.cli", "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    variables = {**os.environ, "GATEWAY_ENTITIES_STORE": f"sqlite:///{folder}/gateway.sqlite", **(environment or {})}
    start = time.perf_counter()
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*serve, *options],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        try:
            yield _when_ready(process, start, folder / "server.log")
        finally:
            process.kill()


def _when_ready(process: subprocess.Popen[str], start: float, log: Path) -> OurServer:
    targets: dict[str, str] = {}
    assert process.stdout is not None
    while len(targets) < 2:
        line = process.stdout.readline()
        if not line:
            words = log.read_text(errors="replace").splitlines()
            raise RuntimeError(f"our server does not start: {words[-1] if words else 'no output'}")
        targets[line.partition("://")[0]] = line.strip()
    return OurServer(targets["grpc"], targets["http"], process.pid, time.perf_counter() - start)
