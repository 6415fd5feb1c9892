"""A real PgBouncer in front of a PostgreSQL server of tests, in transaction mode."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.postgresql import PASSWORD, USER, PostgreSQL

INSTALL = "apt-get install pgbouncer"
POOL_SIZE = 5
"""Sessions of the server, for any number of clients."""

_START_SECONDS = 20
_SETTINGS = """
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 200
server_login_retry = 1
"""


def find_program() -> Path | None:
    """Return the path of the program; None if it is not installed."""
    # Debian's is in a folder that is not on the search path of all users.
    found = shutil.which("pgbouncer", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
    return None if found is None else Path(found)


class PgBouncer:
    """A pooler on a free port of 127.0.0.1, initially stopped. Its files are in the folder of the server."""

    def __init__(self, program: Path, server: PostgreSQL) -> None:
        self._program = program
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        users = server.folder / "pgbouncer.users"
        users.write_text(f'"{USER}" "{PASSWORD}"\n')
        self._settings = server.folder / "pgbouncer.ini"
        self._settings.write_text(
            _SETTINGS.format(server_port=server.port, port=self.port, users=users, pool_size=POOL_SIZE)
        )

    def url(self, url: str) -> str:
        """Return the URL of a database of the server, through the pooler."""
        return url.replace(f":{self._server.port}/", f":{self.port}/")

    def start(self) -> None:
        """Start it and wait until it gives connections."""
        with (self._server.folder / "pgbouncer.log").open("ab") as log:
            self._process = self._server.popen(str(self._program), str(self._settings), stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.url(self._server.url()), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    log_text = (self._server.folder / "pgbouncer.log").read_text()[-2000:]
                    raise RuntimeError(f"PgBouncer does not start: {log_text}") from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it: all connections are cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextmanager
def running_pgbouncer(program: Path, server: PostgreSQL) -> Iterator[PgBouncer]:
    """Run one during the block."""
    pooler = PgBouncer(program, server)
    pooler.start()
    try:
        yield pooler
    finally:
        pooler.stop()
