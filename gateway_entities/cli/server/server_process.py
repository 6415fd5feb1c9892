"""A gateway as a child process that never outlives its parent."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

from gateway_entities.errors import Code, GatewayError

_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 10.0


class ServerProcess:
    """``gateway-entities serve`` on free ports, with its store and log in one folder.

    A context manager: a process that still runs at the end of the block is killed.

    Attributes:
        folder: the working directory, with store and log.
        grpc_target: the gRPC target; changes with each start.
        http_target: the HTTP target; changes with each start.
    """

    def __init__(self, folder: Path) -> None:
        self.grpc_target = ""
        self.http_target = ""
        self.folder = folder
        self._log = folder / "server.log"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._kill()

    def start(self) -> None:
        """Start the process and wait until it is ready.

        Raises:
            GatewayError: UNAVAILABLE, with the last line of its log, if it ends or takes longer than 20 seconds.
        """
        serve = [sys.executable, "-m", "gateway_entities.cli", "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        # Explicit, so that a store in the environment is never touched.
        command = [*serve, "--store", "sqlite:///gateway.sqlite"]
        with self._log.open("wb") as stderr, _deferred_signals():
            self._process = subprocess.Popen(  # noqa: S603 - the command has no external input.
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - because stdout is PIPE.
        # Killing the process closes the pipe, which ends the read below.
        deadline = threading.Timer(_START_SECONDS, self._process.kill)
        deadline.daemon = True
        try:
            deadline.start()
            self.grpc_target, self.http_target = stdout.readline().strip(), stdout.readline().strip()
        finally:
            deadline.cancel()
        if not self.http_target:
            self._kill()
            lines = self.log().splitlines()
            raise GatewayError(Code.UNAVAILABLE, f"the server did not start: {lines[-1] if lines else 'its log is empty'}")

    def log(self) -> str:
        """Return the standard error of the last process."""
        return self._log.read_text(encoding="utf-8", errors="replace").strip()

    def stop(self) -> None:
        """Stop the process with SIGTERM.

        Raises:
            GatewayError: INTERNAL if it takes longer than 10 seconds or the exit code is not 0.
        """
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise GatewayError(Code.INTERNAL, f"the server did not stop within {_STOP_SECONDS:g} seconds") from None
        if self._process.returncode != 0:
            raise GatewayError(Code.INTERNAL, f"the server stopped with exit code {self._process.returncode}, not 0")
        self._process = None

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextmanager
def _deferred_signals() -> Generator[None]:
    """Defer signals to the end of the block: a handler that raises in it would leak the new process."""
    pending: list[int] = []

    def defer(number: int, _frame: FrameType | None) -> None:
        pending.append(number)

    handlers = {number: signal.signal(number, defer) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for each in pending:
            signal.raise_signal(each)
