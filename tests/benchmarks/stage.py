"""Servers that rows share: started on first use, stopped at the end of the run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway_entities.transports.target import Target
from tests.benchmarks import example
from tests.benchmarks.our_server import OurServer, our_server, require_server
from tests.benchmarks.rounds import Effort
from tests.benchmarks.row import MissingError

if TYPE_CHECKING:
    from tests.benchmarks.mlflow_peer import MlflowServer

POSTGRESQL = "PostgreSQL is not installed: apt-get install postgresql, and pip install -e '.[bench]'"


class Stage:
    """Provides the rows' servers and folders. ``stage`` creates it.

    Attributes:
        effort: time limits of the run.
        folder: the run's files; removed with the stage.
    """

    def __init__(self, folder: Path, stack: ExitStack, effort: Effort) -> None:
        self.effort = effort
        self.folder = folder
        self._stack = stack
        self._servers: dict[object, Any] = {}
        self._mlflow_size = -1
        self._mlflow_ids: list[str] = []

    def our_server(self, count: int, store: str = "sqlite") -> OurServer:
        """Return our server with a number of endpoints in its store.

        Args:
            count: the number.
            store: ``sqlite`` or ``postgresql``; with the suffix ``-changed`` a separate one for rows that write.
        """
        key = (store, count)
        if key not in self._servers:
            self._servers[key] = self._start(self.make_folder(f"ours-{store}-{count}"), store.partition("-")[0], count)
        return self._servers[key]

    def mlflow(self, count: int) -> tuple[MlflowServer, list[str]]:
        """Return MLflow's server with exactly this number of endpoints, and their ids."""
        server = self.mlflow_server
        if self._mlflow_size != count:
            self._mlflow_ids = server.resize(count)
            self._mlflow_size = count
        return server, self._mlflow_ids

    def mlflow_changed(self) -> None:
        """Record that a row changed the endpoints of MLflow's server."""
        self._mlflow_size = -1

    @cached_property
    def mlflow_server(self) -> MlflowServer:
        """MLflow's server, with any endpoints."""
        from tests.benchmarks.mlflow_peer import mlflow_server

        return self._stack.enter_context(mlflow_server(self.make_folder("mlflow")))

    def echo(self, transport: str) -> Target:
        """Return the address of a transport's echo."""
        from tests.benchmarks.echo_client import echo_server

        key = ("echo", transport)
        if key not in self._servers:
            require_server()
            self._servers[key] = self._stack.enter_context(echo_server(transport, self.make_folder(f"echo-{transport}")))
        return self._servers[key]

    def make_folder(self, name: str) -> Path:
        """Return a new folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def _start(self, folder: Path, store: str, count: int) -> OurServer:
        require_server()
        from gateway_entities.server.store import open_store

        if store == "sqlite":
            opened = open_store(f"sqlite:///{folder}/gateway.sqlite")
            with _closing(opened):
                example.fill(opened, count)
            return self._stack.enter_context(our_server(folder))
        from gateway_entities.server.store.crypto.key_sources import KeyFile

        key = KeyFile(folder / "key")
        key.create()
        url = self.postgresql.url(self.postgresql.create_database())
        opened = open_store(url, keys=[key])
        with _closing(opened):
            example.fill(opened, count)
        # The URL contains a password.
        environment = {"GATEWAY_ENTITIES_STORE": url}
        return self._stack.enter_context(our_server(folder, "--key-file", str(folder / "key"), environment=environment))

    @cached_property
    def postgresql(self) -> Any:
        """A PostgreSQL server."""
        try:
            from tests.postgresql import find_programs, running_postgresql
        except ImportError:
            raise MissingError(POSTGRESQL) from None
        programs = find_programs()
        if programs is None:
            raise MissingError(POSTGRESQL)
        return self._stack.enter_context(running_postgresql(programs))


@contextmanager
def _closing(store: Any) -> Iterator[None]:
    try:
        yield
    finally:
        store.close()


@contextmanager
def stage(effort: Effort) -> Iterator[Stage]:
    """Create a stage; its processes and files are removed at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True)))
        yield Stage(folder, stack, effort)
