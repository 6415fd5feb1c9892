"""A gateway as a child process that its parent starts, stops and never leaves behind."""

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
    """``gateway-entities serve`` on free ports, its store and its log in one folder.

    Use it as a context manager: a process that still runs at the end of the block is killed.

    Attributes:
        folder: where it runs, with its store and its log.
        grpc_target: where it takes gRPC calls; changes with each start.
        http_target: where it takes HTTP calls; changes with each start.
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
        """Start the process and wait until it takes calls.

        Raises:
            GatewayError: UNAVAILABLE, with the process's own last words, if it ends or takes longer than 20 seconds.
        """
        serve = [sys.executable, "-m", "gateway_entities.cli", "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        # Named, because the environment may name another one, whose content is nobody's to play with.
        command = [*serve, "--store", "sqlite:///gateway.sqlite"]
        with self._log.open("wb") as stderr, _signals_held():
            self._process = subprocess.Popen(  # noqa: S603 - every word of the command is ours.
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - a pipe was asked for.
        # A process that is killed closes its end of the pipe, which ends the reading below.
        deadline = threading.Timer(_START_SECONDS, self._process.kill)
        deadline.daemon = True
        try:
            deadline.start()
            self.grpc_target, self.http_target = stdout.readline().strip(), stdout.readline().strip()
        finally:
            deadline.cancel()
        if not self.http_target:
            self._kill()
            words = self.log().splitlines()
            raise GatewayError(Code.UNAVAILABLE, f"the server did not start: {words[-1] if words else 'it said nothing'}")

    def log(self) -> str:
        """Return what the process, or the last one of several, has written to standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace").strip()

    def stop(self) -> None:
        """End the process with SIGTERM.

        Raises:
            GatewayError: INTERNAL, if it takes longer than 10 seconds or exits with anything but 0.
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
def _signals_held() -> Generator[None]:
    """Let signals wait until the block ends: a handler that raises within it would lose sight of the new process."""
    held: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    handlers = {number: signal.signal(number, hold) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for each in held:
            signal.raise_signal(each)
