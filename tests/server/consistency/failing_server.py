"""The real server with failpoints between the steps of its commits.

It runs in a process of its own, forked from one that has imported everything, so that it starts in a fraction of a second.
It obeys these commands:

- ``crash N``: kill the process at the Nth step of its write transactions from now on.
- ``delay N SECONDS``: wait at that step.
- ``pages N``: limit the SQLite file to N pages, so that it is full; a file with more pages keeps those that it has.

Steps are each statement that writes, the moment before a commit, and the moment after it, before the response. The hooks are
events of SQLAlchemy and callbacks of the drivers.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import Engine, Pool, event

from gateway_entities.server.server import Server
from gateway_entities.server.store.crypto.key_sources import KeySource
from tests.server.consistency.server_process import free_port
from tests.stores import Place

_WRITES: Final = ("INSERT", "UPDATE", "DELETE")
_NO_LIMIT: Final = 0xFFFFFFFE
_START_S: Final = 60
_COMMAND_S: Final = 10
PROCESSES: Final = multiprocessing.get_context("forkserver")
"""Where other tests get processes, too, that neither share state with this one nor import everything again."""

PROCESSES.set_forkserver_preload(["__main__", __name__, "gateway_entities.server.store.sql.postgresql"])


class _Failpoint:
    """The armed command. Thread-safe."""

    def __init__(self) -> None:
        self.pages = _NO_LIMIT
        self._lock = threading.Lock()
        self._steps = 0
        self._delay: float | None = None
        self._thread = threading.local()

    def arm(self, steps: int, delay: float | None) -> None:
        """Act at the given step: wait, or kill the process without a delay."""
        with self._lock:
            self._steps, self._delay = steps, delay

    def statement(self, sql: str) -> None:
        """Pass the step of a statement, if it writes."""
        if sql.lstrip()[:6].upper() in _WRITES:
            self._thread.writes = True
            self._step()

    def commit(self) -> None:
        """Pass the step before a commit."""
        if self._writes():
            self._step()

    def ended(self, *, committed: bool) -> None:
        """Pass the step after a commit."""
        if self._writes() and committed:
            self._step()
        self._thread.writes = False

    def _writes(self) -> bool:
        return getattr(self._thread, "writes", False)

    def _step(self) -> None:
        with self._lock:
            self._steps -= 1
            if self._steps != 0:
                return
        if self._delay is None:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            time.sleep(self._delay)


_failpoint = _Failpoint()


class _Cursor(psycopg.Cursor[Any]):
    """A cursor that passes the steps of its statements."""

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        _failpoint.statement(query if isinstance(query, str) else "")
        return super().execute(query, *args, **options)

    def executemany(self, query: Any, *args: Any, **options: Any) -> None:
        _failpoint.statement(query if isinstance(query, str) else "")
        super().executemany(query, *args, **options)


def _connected(connection: Any, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.set_trace_callback(_failpoint.statement)
    else:
        connection.cursor_factory = _Cursor


def _checked_out(connection: Any, *_: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA max_page_count = {_failpoint.pages}").close()


def _listen() -> None:
    event.listen(Pool, "connect", _connected)
    event.listen(Pool, "checkout", _checked_out)
    event.listen(Engine, "commit", lambda _: _failpoint.commit())
    event.listen(Engine, "rollback", lambda _: _failpoint.ended(committed=False))
    # After the commit, when the connection is returned.
    event.listen(Pool, "checkin", lambda *_: _failpoint.ended(committed=True))


def _obey(commands: Connection) -> None:
    while True:
        try:
            command, *arguments = commands.recv().split()
        except (EOFError, OSError):
            # The tests have ended.
            os._exit(1)
        if command == "pages":
            _failpoint.pages = int(arguments[0])
        else:
            _failpoint.arm(int(arguments[0]), float(arguments[1]) if command == "delay" else None)
        commands.send("done")


def _serve(url: str, keys: Sequence[KeySource], ports: Mapping[str, int], log: Path, commands: Connection) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    _listen()
    threading.Thread(target=_obey, args=[commands], daemon=True).start()
    addresses = {scheme: f"127.0.0.1:{port}" for scheme, port in ports.items()}
    server = Server(url, keys=keys, **addresses)
    asyncio.run(server.run_until_signalled(1.0, lambda _: commands.send("ready")))


class FailingServer:
    """A server in a process of its own, initially stopped, on the same ports of 127.0.0.1 after each start.

    Attributes:
        targets: its targets by scheme, grpc and http.
    """

    def __init__(self, place: Place, log: Path) -> None:
        self._ports = {scheme: free_port() for scheme in ("grpc", "http")}
        self.targets = {scheme: f"{scheme}://127.0.0.1:{port}" for scheme, port in self._ports.items()}
        self._place = place
        self._log = log
        self._process: Any = None
        self._commands: Connection | None = None
        self._is_ready = False

    @property
    def pid(self) -> int | None:
        """Its process id; None while it does not run."""
        return self._process.pid if self._process is not None and self._process.is_alive() else None

    def start(self) -> None:
        """Start it, without waiting for it."""
        self._is_ready = False
        self._commands, theirs = PROCESSES.Pipe()
        arguments = self._place.url, self._place.keys, self._ports, self._log, theirs
        self._process = PROCESSES.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def wait(self) -> None:
        """Wait until it accepts calls.

        Raises:
            AssertionError: it does not start.
        """
        if self._is_ready:
            return
        assert self._commands is not None
        try:
            assert self._commands.poll(_START_S), "the server takes too long to start"
            self._commands.recv()
        except (EOFError, OSError):
            self._process.join()
            raise AssertionError(self._log.read_text()[-2000:]) from None
        self._is_ready = True

    def send(self, command: str) -> None:
        """Send it a command, and wait until it is in force, unless it has ended."""
        if self._commands is not None:
            with suppress(OSError, EOFError):
                self._commands.send(command)
                if self._commands.poll(_COMMAND_S):
                    self._commands.recv()

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None
        if self._commands is not None:
            self._commands.close()
            self._commands = None

    @contextmanager
    def running(self) -> Iterator[FailingServer]:
        """Start it, and kill it at the end of the block."""
        self.start()
        try:
            self.wait()
            yield self
        finally:
            self.kill()
