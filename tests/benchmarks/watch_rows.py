"""Watchers: how soon the last of them has a change, and what they cost the server."""

from __future__ import annotations

import itertools
import os
import re
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Final

import grpc

from gateway_entities import GatewayClient
from gateway_entities.mirror.acknowledgement import INTERVAL_S
from gatewayentities.v1 import change_pb2
from tests.benchmarks import example
from tests.benchmarks.bare_stream import PUBLISH, bare_server
from tests.benchmarks.process_tree import IS_KNOWN, processor_seconds
from tests.benchmarks.row import MissingError, Row, Sample, Subjects
from tests.benchmarks.stage import Stage
from tests.benchmarks.watchers import Watchers, memory_each, roomy_server, watching

WATCHERS: Final = int(os.environ.get("GATEWAY_ENTITIES_BENCH_WATCHERS", "1000"))
MANY: Final = 5 * WATCHERS
_WRITES: Final = 50
"""Writes of one sample. Its figure is the slowest of them."""
_WRITE_S: Final = 3 * INTERVAL_S
"""Seconds of writes of one sample: each watcher acknowledges several times."""
_IDLE_S: Final = 5.0
_PAUSE_S: Final = 0.02
BARE = "a bare grpc.aio stream server"


class Writer:
    """Makes changes one by one.

    Attributes:
        client: its client.
    """

    def __init__(self, client: GatewayClient) -> None:
        self.client = client
        self._numbers = itertools.count()
        self._secret_id = client.create_secret(example.new_name(), example.SECRET).secret_id
        self.revision = client.list_changes()[-1].revision

    def write(self) -> int:
        """Make a small change; return its revision."""
        self.client.update_secret(self._secret_id, auth_config={"number": str(next(self._numbers))})
        self.revision += 1
        return self.revision

    def rotate(self, secret_id: str) -> int:
        """Give a secret another value; return the revision."""
        self.client.update_secret(secret_id, secret_value={"api_key": f"sk-{next(self._numbers):020}"})
        self.revision += 1
        return self.revision


def _slowest(write: Callable[[], int], watchers: Watchers) -> float:
    """Return the seconds from a write to the last watcher, of the slowest of some writes."""
    slowest = 0.0
    for _ in range(_WRITES):
        began = time.monotonic()
        slowest = max(slowest, watchers.until(write()) - began)
        time.sleep(_PAUSE_S)
    return slowest


def _fan_out(count: int, transport: str, stage: Stage, stack: ExitStack) -> Subjects:
    server, _ = stack.enter_context(roomy_server(stage))
    writer = Writer(stack.enter_context(GatewayClient(server.http_target)))
    watchers = stack.enter_context(watching(server.target(transport), count))
    subjects = Subjects(partial(_slowest, writer.write, watchers))
    subjects.notes.append(f"the slowest of {_WRITES} writes, one after another")
    if transport == "grpc":
        subjects.limit = _bare_fan_out(count, stack)
    return subjects


def _bare_fan_out(count: int, stack: ExitStack) -> Sample:
    bare = stack.enter_context(bare_server())
    channel = stack.enter_context(grpc.insecure_channel(bare.grpc_target.removeprefix("grpc://")))
    publish = channel.unary_unary(PUBLISH)
    revisions = itertools.count(1)

    def write() -> int:
        revision = next(revisions)
        publish(change_pb2.WatchGatewayResponse(revision=revision, resume_token="x" * 400).SerializeToString())
        return revision

    write()
    watchers = stack.enter_context(watching(bare.grpc_target, count))
    return partial(_slowest, write, watchers)


def _memory(transport: str, stage: Stage, _stack: ExitStack) -> Subjects:
    _require_proc()

    def ours() -> float:
        with roomy_server(stage) as (server, _):
            return memory_each(server.target(transport), server.pid, WATCHERS)

    def bare() -> float:
        with bare_server() as server, grpc.insecure_channel(server.grpc_target.removeprefix("grpc://")) as channel:
            channel.unary_unary(PUBLISH)(change_pb2.WatchGatewayResponse(revision=1).SerializeToString())
            return memory_each(server.grpc_target, server.pid, WATCHERS)

    return Subjects(ours, limit=bare if transport == "grpc" else None)


def _writes(stage: Stage, stack: ExitStack) -> Subjects:
    def start(count: int) -> Sample:
        server, token = stack.enter_context(roomy_server(stage, with_token=True))
        writer = Writer(stack.enter_context(GatewayClient(server.http_target, token=token)))
        watchers = None
        if count:
            watchers = stack.enter_context(watching(server.http_target, count, token=token, acknowledge=True))

        def sample() -> float:
            began, writes = time.perf_counter(), 0
            while (taken := time.perf_counter() - began) < _WRITE_S:
                writer.write()
                writes += 1
            if watchers is not None:
                watchers.until(writer.revision)
                found = writer.client.wait_for_convergence(writer.revision)
                if not found.converged or len(found.nodes) != count:
                    raise RuntimeError(f"not all of {count} watchers have acknowledged: {len(found.nodes)} nodes")
            return taken / writes

        return sample

    subjects = Subjects(start(WATCHERS), limit=start(0))
    subjects.notes.append(f"the mean of {_WRITE_S:g} s of writes; each watcher acknowledges every {INTERVAL_S:g} s")
    return subjects


def _idle(stage: Stage, stack: ExitStack) -> Subjects:
    _require_proc()
    server, _ = stack.enter_context(roomy_server(stage))
    stack.enter_context(watching(server.http_target, WATCHERS))

    def ours() -> float:
        before, began = processor_seconds(server.pid), time.perf_counter()
        # Less than the time after which watchers get an update without resources would not count those.
        time.sleep(2 * _IDLE_S)
        return (processor_seconds(server.pid) - before) / (time.perf_counter() - began)

    return Subjects(ours)


def _storm(figure: str, stage: Stage, stack: ExitStack) -> Subjects:
    server, token = stack.enter_context(roomy_server(stage, endpoints=1, with_token=True))
    writer = Writer(stack.enter_context(GatewayClient(server.http_target, token=token)))
    endpoint_id, secret_id = example.endpoint().endpoint_id, example.secret().secret_id
    # The first of a store's life encrypts.
    writer.rotate(secret_id)
    watchers = stack.enter_context(watching(server.http_target, WATCHERS, endpoint_id=endpoint_id, token=token))

    def writes() -> float:
        request = urllib.request.Request(f"{server.http_target}/metrics", headers={"authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as response:
            text = response.read().decode()
        found = re.search(r'^gateway_entities_store_transaction_seconds_count\{kind="write"\} (\S+)', text, re.MULTILINE)
        assert found is not None
        return float(found[1])

    def ours() -> float:
        before, began = writes(), time.monotonic()
        taken = watchers.until(writer.rotate(secret_id), "resolved") - began
        return taken if figure == "time" else writes() - before

    return Subjects(ours)


def _staleness(stage: Stage, stack: ExitStack) -> Subjects:
    from gateway_entities.mirror import GatewayMirror

    server, _ = stack.enter_context(roomy_server(stage))
    client = stack.enter_context(GatewayClient(server.grpc_target))
    writer = Writer(client)
    mirror = stack.enter_context(GatewayMirror(stack.enter_context(GatewayClient(server.http_target))))

    def ours() -> float:
        revision = writer.write()
        began = time.monotonic()
        mirror.wait_for(revision)
        return time.monotonic() - began

    subjects = Subjects(ours)
    subjects.notes.append(
        "MLflow's: get_endpoint_config of a gateway process that has just filled its cache, at its defaults"
    )
    subjects.try_peer(lambda: _stale_mlflow(stage))
    stack.callback(stage.mlflow_changed)
    return subjects


def _stale_mlflow(stage: Stage) -> Sample:
    server, (endpoint_id, *_) = stage.mlflow(1)
    from mlflow.store.tracking.gateway.config_resolver import get_endpoint_config
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    os.environ["MLFLOW_CRYPTO_KEK_PASSPHRASE"] = "a passphrase of the benchmarks"
    gateway = SqlAlchemyStore(f"sqlite:///{server.database}", str(stage.make_folder("artifacts")))
    name = server.store.get_gateway_endpoint(endpoint_id).name
    definition_id = server.store.get_gateway_endpoint(endpoint_id).model_mappings[0].model_definition_id

    def peer() -> float:
        get_endpoint_config(name, gateway)
        model = example.new_name()
        server.store.update_gateway_model_definition(definition_id, model_name=model)
        began = time.monotonic()
        while model not in [each.model_name for each in get_endpoint_config(name, gateway).models]:
            time.sleep(_PAUSE_S)
        return time.monotonic() - began

    return peer


def _require_proc() -> None:
    if not IS_KNOWN:
        raise MissingError("process memory and processor time need Linux's /proc")


ROWS = (
    Row(
        "fan-out-http",
        f"write to the last of {WATCHERS:,} watchers, http",
        "ms",
        partial(_fan_out, WATCHERS, "http"),
        quick=False,
        rounds=5,
    ),
    Row(
        "fan-out-grpc",
        f"write to the last of {WATCHERS:,} watchers, grpc",
        "ms",
        partial(_fan_out, WATCHERS, "grpc"),
        limit=BARE,
        quick=False,
        rounds=5,
    ),
    Row(
        "fan-out-many",
        f"write to the last of {MANY:,} watchers, http",
        "ms",
        partial(_fan_out, MANY, "http"),
        quick=False,
        rounds=3,
    ),
    Row(
        "watcher-memory-http",
        f"server memory for each of {WATCHERS:,} watchers, http",
        "KiB",
        partial(_memory, "http"),
        quick=False,
        rounds=3,
        warm=False,
    ),
    Row(
        "watcher-memory-grpc",
        f"server memory for each of {WATCHERS:,} watchers, grpc",
        "KiB",
        partial(_memory, "grpc"),
        limit=BARE,
        quick=False,
        rounds=3,
        warm=False,
    ),
    Row(
        "watch-writes",
        f"write while {WATCHERS:,} watch and acknowledge",
        "ms",
        _writes,
        limit="without watchers",
        quick=False,
        rounds=5,
    ),
    Row("watch-idle", f"processor time with {WATCHERS:,} idle watchers", "%", _idle, quick=False, rounds=2, warm=False),
    Row(
        "resolve-storm",
        f"one rotation, after which {WATCHERS:,} watchers resolve",
        "ms",
        partial(_storm, "time"),
        quick=False,
        rounds=5,
    ),
    Row("resolve-storm-writes", "write transactions of that", "writes", partial(_storm, "writes"), quick=False, rounds=5),
    Row(
        "staleness",
        "age of the configuration after a change, in a mirror",
        "ms",
        _staleness,
        "MLflow's gateway",
        quick=False,
        rounds=2,
        warm=False,
    ),
)
