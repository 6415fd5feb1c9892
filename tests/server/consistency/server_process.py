"""The real server in a process of its own, which a test kills and starts again on the same ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway_entities.client import GatewayClient
from tests.client.recording_transports import MessageTransport
from tests.stores import Place


class ServerProcess:
    """A server on fixed ports of 127.0.0.1; not yet started.

    Attributes:
        targets: where it takes calls, by scheme: grpc and http.
    """

    def __init__(self, place: Place, log: Path) -> None:
        self._log = log
        ports = {scheme: _free_port() for scheme in ("grpc", "http")}
        self.targets = {scheme: f"{scheme}://127.0.0.1:{port}" for scheme, port in ports.items()}
        command = [sys.executable, "-m", "gateway_entities.cli", "serve"]
        for scheme, port in ports.items():
            command += [f"--{scheme}", f"127.0.0.1:{port}"]
        for key in place.keys:
            command += ["--key-file", str(key.path)]
        self._command = command
        # The URL may hold a password, which has no place on a command line.
        self._environment = {**os.environ, "GATEWAY_ENTITIES_STORE": place.url}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes calls."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline() for _ in range(2)]
        assert all(lines), self._log.read_text()[-2000:]

    def kill(self) -> None:
        """Kill it as ``kill -9`` does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop the process, and wait."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=60)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    @contextmanager
    def running(self) -> Iterator[ServerProcess]:
        """Start it, and end it with the block."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    @contextmanager
    def client(self, scheme: str = "grpc", **options: Any) -> Iterator[GatewayClient]:
        """A client of it."""
        with GatewayClient(self.targets[scheme], **options) as client:
            yield client

    @contextmanager
    def asked(self) -> Iterator[MessageTransport]:
        """A way to send it request messages."""
        carrier = MessageTransport(self.targets["grpc"], "sync")
        try:
            yield carrier
        finally:
            carrier.close()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
