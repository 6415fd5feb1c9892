"""The real server in a separate process, which tests kill and restart on the same ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway_entities.client import GatewayClient
from tests.client.recording_transports import MessageTransport
from tests.stores import Place


class ServerProcess:
    """An unstarted server on fixed ports of 127.0.0.1.

    Attributes:
        targets: its targets by scheme, grpc and http.
    """

    def __init__(self, place: Place, log: Path, environment: Mapping[str, str] | None = None) -> None:
        """Create it.

        Args:
            place: the place of its store.
            log: the file for its standard error.
            environment: variables in addition to this process's.
        """
        self._log = log
        ports = {scheme: free_port() for scheme in ("grpc", "http")}
        self.targets = {scheme: f"{scheme}://127.0.0.1:{port}" for scheme, port in ports.items()}
        command = [sys.executable, "-m", "gateway_entities.cli", "serve"]
        for scheme, port in ports.items():
            command += [f"--{scheme}", f"127.0.0.1:{port}"]
        for key in place.keys:
            command += ["--key-file", str(key.path)]
        self._command = command
        # Not as an argument, because the URL may contain a password.
        self._environment = {**os.environ, "GATEWAY_ENTITIES_STORE": place.url, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it accepts calls."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline() for _ in range(2)]
        assert all(lines), self._log.read_text()[-2000:]

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it with SIGTERM."""
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
        """Start it, and stop it at the end of the block."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    @contextmanager
    def client(self, scheme: str = "grpc", **options: Any) -> Iterator[GatewayClient]:
        """Yield a client."""
        with GatewayClient(self.targets[scheme], **options) as client:
            yield client

    @contextmanager
    def transport(self) -> Iterator[MessageTransport]:
        """Yield a transport for request messages."""
        transport = MessageTransport(self.targets["grpc"], "sync")
        try:
            yield transport
        finally:
            transport.close()


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
