"""A real PostgreSQL server that tests start, stop and kill, in a separate folder."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

INSTALL = "apt-get install postgresql"
USER = "gateway"
PASSWORD = "pass@word/of:tests"
"""It contains characters that need escaping in a URL."""
ESCAPED_PASSWORD = "pass%40word%2Fof%3Atests"

_START_SECONDS = 60
_ROOM = 2 << 30
# Not Popen's ``user``: it forks, and the child crashes if a gRPC thread is busy at that moment.
_AS_OWNER = """
import os, sys
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[1]))
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_programs() -> Path | None:
    """Return the folder with the programs of the newest installed version; None if there is none."""
    found = shutil.which("postgres")
    # Debian's are not on the search path, but a link there leads to their folder.
    folders = [Path(found).resolve().parent] if found else []
    by_version = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in (*folders, *by_version) if (folder / "initdb").exists()), None)


class PostgreSQL:
    """A server on a free port of 127.0.0.1 and on a Unix socket, initially stopped.

    Its collation is English, so that tests detect queries that leave the order of text to the database. It does not fsync:
    killing it loses nothing, a crash of the machine may.

    Attributes:
        folder: all of its files.
        port: its port, the same after each start.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self.folder = folder
        self._programs = programs
        # The server refuses to run as root.
        self._owner = _unprivileged() if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()
        if self._owner is not None:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        self._initialize()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        if self._process is not None:
            raise RuntimeError("PostgreSQL is already running")
        options = [
            *("-D", str(self._data), "-k", str(self.folder), "-p", str(self.port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "full_page_writes=off"),
            *("-c", "shared_buffers=32MB", "-c", "max_connections=200", "-c", "autovacuum=off"),
        ]
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with (self.folder / "server.log").open("ab") as log:
                self._process = self.popen("postgres", *options, stdout=log, stderr=log)
            if self._is_ready(deadline):
                return
            # Just after a kill the old processes may still exist; then the new one exits.
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start: {(self.folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server: connections are closed, committed data is kept."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill all its processes with SIGKILL, so that it cannot write anything."""
        if self._process is None:
            return
        # Stopped first, so that it neither starts a process nor detects a killed one.
        self._process.send_signal(signal.SIGSTOP)
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        self._end(signal.SIGKILL)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def url(self, database: str = "postgres", *, password: bool = True) -> str:
        """Return the URL of a database, with the password in it or without."""
        return f"postgresql://{USER}{f':{ESCAPED_PASSWORD}' if password else ''}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template0") -> str:
        """Make a database, a copy of another without connections; return its name."""
        name = f"gateway_{next(self._numbers)}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with psycopg.connect(self.url(), autocommit=True) as connection:
            # Cheaper than a copy through the log, which is what servers from 15 on make.
            files = connection.info.server_version >= 150_000
            connection.execute(copy + sql.SQL(" STRATEGY FILE_COPY") if files else copy)
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database and its connections."""
        self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def execute(self, statement: LiteralString | sql.Composed) -> None:
        """Run a statement as the administrator, outside of a transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _initialize(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        english = ["--locale-provider=icu", "--icu-locale=en"]
        options = [
            *("-D", str(self._data), "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--username", USER),
            *("--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile", str(password)),
        ]
        # Servers before 15 cannot be set up with ICU.
        if self._run("initdb", *options, *english) != 0:
            assert self._run("initdb", *options) == 0, (self.folder / "initdb.log").read_text()

    def _run(self, program: str, *arguments: str) -> int:
        with (self.folder / f"{program}.log").open("ab") as log:
            return self.popen(program, *arguments, stdout=log, stderr=log).wait()

    def popen(self, program: str, *arguments: str, **streams: object) -> subprocess.Popen[bytes]:
        """Start one of its programs, or another by its path, as its owner."""
        owner = (
            []
            if self._owner is None
            else [sys.executable, "-c", _AS_OWNER, str(self._owner.pw_uid), str(self._owner.pw_gid)]
        )
        return subprocess.Popen(
            [*owner, self._programs / program, *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            # Ctrl-C goes to the tests, which then stop the server.
            start_new_session=True,
            **streams,
        )

    def _is_ready(self, deadline: float) -> bool:
        assert self._process is not None
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        self._end(signal.SIGKILL)
        return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None


@contextmanager
def running_postgresql(programs: Path) -> Iterator[PostgreSQL]:
    """Run a server during the block; its files are removed."""
    # Not pytest's folder: other users may not enter that one, and the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="gateway-pg-", dir=_memory(), ignore_cleanup_errors=True) as folder:
        server = PostgreSQL(programs, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _memory() -> Path | None:
    """Return a folder in memory with space for the databases, if there is one: a new database is 300 files."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > _ROOM
    return shared if roomy else None


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise RuntimeError("no user to run PostgreSQL as")
