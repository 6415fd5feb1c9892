"""MLflow's server in a separate process tree, and MLflow's client."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import example
from tests.benchmarks.mlflow_install import require_mlflow
from tests.benchmarks.process_tree import IS_KNOWN, memory_of, processor_seconds, tree

_TABLES = ("endpoints", "endpoint_model_mappings", "endpoint_tags")
_SETTLE_SECONDS = 60


def rest_store(target: str) -> Any:
    """Return MLflow's client for a server, MLflow's or ours."""
    require_mlflow(server=False)
    with warnings.catch_warnings():
        # Importing MLflow raises warnings about other libraries.
        warnings.simplefilter("ignore")
        from mlflow.store.tracking.rest_store import RestStore
        from mlflow.utils.rest_utils import MlflowHostCreds
    return RestStore(lambda: MlflowHostCreds(target))


@dataclass
class MlflowServer:
    """A running server.

    Attributes:
        target: its address.
        pid: its process id, the parent of its workers.
        started_in: seconds from process start to a passing health check.
        idle_memory: MiB of all its processes before the first call, shared pages counted once; 0 if unknown.
        database: the file of its SQLite database.
    """

    target: str
    pid: int
    started_in: float
    idle_memory: float
    database: Path

    def __post_init__(self) -> None:
        self.store = rest_store(self.target)
        self._definitions: list[str] = []

    def configs(self) -> list[Any]:
        """Return the model configs of a new endpoint, as ``example.configs``."""
        from mlflow.entities import GatewayEndpointModelConfig, GatewayModelLinkageType

        return [
            GatewayEndpointModelConfig(
                identifier, GatewayModelLinkageType(config.linkage_type.name), config.weight, config.fallback_order
            )
            for identifier, config in zip(self._definitions, example.configs(), strict=True)
        ]

    def create(self, name: str) -> Any:
        """Create an endpoint like the example, without its tags."""
        from mlflow.entities import FallbackConfig, FallbackStrategy, RoutingStrategy

        return self.store.create_gateway_endpoint(
            name,
            self.configs(),
            created_by="ann",
            routing_strategy=RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
            fallback_config=FallbackConfig(FallbackStrategy.SEQUENTIAL, 2),
            # Otherwise MLflow would create an experiment for each endpoint; ours does not.
            usage_tracking=False,
        )

    def warm_up(self) -> None:
        """Call until every worker has had calls: the first one of each imports for seconds."""
        callers = 16
        with ThreadPoolExecutor(callers) as pool:
            for _ in range(6):
                list(pool.map(lambda _: self.store.list_gateway_endpoints(), range(callers * 2)))

    def resize(self, count: int) -> list[str]:
        """Set the number of endpoints like the example, and return their ids.

        The first is created by calls; the others are copies of its rows, because calls would take minutes.
        """
        if not self._definitions:
            self._create_first()
        ids = [f"e-{number:032x}" for number in range(count)]
        pairs = [(identifier, example.endpoint_name(number)) for number, identifier in enumerate(ids)]
        mapping_id = "'m-' || lower(hex(randomblob(16)))"
        with closing(sqlite3.connect(self.database, timeout=60)) as connection, connection:
            for table in reversed(_TABLES):
                connection.execute(f"DELETE FROM {table}")
            _copy(connection, "endpoints", {"endpoint_id": "?1", "name": "?2"}, pairs)
            _copy(connection, "endpoint_model_mappings", {"endpoint_id": "?1", "mapping_id": mapping_id}, pairs)
            _copy(connection, "endpoint_tags", {"endpoint_id": "?1"}, pairs)
        return ids

    def _create_first(self) -> None:
        from mlflow.entities import GatewayEndpointTag

        secret = self.store.create_gateway_secret("openai", example.SECRET, provider="openai", created_by="ann")
        for number in range(example.MODELS):
            ours = example.definition(number)
            made = self.store.create_gateway_model_definition(
                ours.name, secret.secret_id, ours.provider, ours.model_name, created_by="ann"
            )
            self._definitions.append(made.model_definition_id)
        first = self.create("first")
        for tag in example.tags():
            self.store.set_gateway_endpoint_tag(first.endpoint_id, GatewayEndpointTag(tag.key, tag.value))
        with closing(sqlite3.connect(self.database, timeout=60)) as connection, connection:
            for table in _TABLES:
                connection.execute(f"CREATE TABLE bench_{table} AS SELECT * FROM {table}")


def _copy(connection: sqlite3.Connection, table: str, changed: dict[str, str], values: list[tuple[str, str]]) -> None:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    chosen = ", ".join(changed.get(column, column) for column in columns)
    # SQLite requires that each parameter is used.
    where = "WHERE ?2 <> ''"
    connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM bench_{table} {where}", values)


def _wait_until_idle(pid: int) -> None:
    """Wait until the processes use at most 0.1 processors: the first worker is healthy long before the last."""
    if not IS_KNOWN:
        time.sleep(_SETTLE_SECONDS)
        return
    end, quiet = time.monotonic() + _SETTLE_SECONDS, 0
    before = processor_seconds(pid)
    while quiet < 2 and time.monotonic() < end:
        time.sleep(1)
        now = processor_seconds(pid)
        quiet = quiet + 1 if now - before < 0.1 else 0
        before = now


@contextmanager
def mlflow_server(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[MlflowServer]:
    """Run ``mlflow server`` on an empty SQLite database with its default of 4 workers, and with further variables."""
    require_mlflow(server=True)
    from tests.client.mlflow_server import wait_until_healthy

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", str(folder)]
    variables = {**os.environ, "MLFLOW_CRYPTO_KEK_PASSPHRASE": "a passphrase of the benchmarks", **(environment or {})}
    start = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(f"{address}/health", process, folder / "log")
        started_in = time.perf_counter() - start
        _wait_until_idle(process.pid)
        memory = sum(memory_of(each, "Pss") for each in tree(process.pid)) if IS_KNOWN else 0
        server = MlflowServer(address, process.pid, started_in, memory, folder / "mlflow.db")
        server.warm_up()
        yield server
    finally:
        # The whole session, since the server has children.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
