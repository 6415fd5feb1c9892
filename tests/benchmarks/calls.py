"""Calls to a running server over SQLite: each operation, transport, mode (sync or asyncio) and concurrency."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway_entities import AsyncGatewayClient, GatewayClient, methods
from gateway_entities.transports.open import open_transport
from gatewayentities.v1 import endpoint_pb2
from tests.benchmarks import echo_client, example
from tests.benchmarks.loops import TaskLoop, ThreadLoop
from tests.benchmarks.mlflow_peer import rest_store
from tests.benchmarks.row import Row, Sample, Subjects
from tests.benchmarks.stage import Stage
from tests.calls import call as send

if TYPE_CHECKING:
    from tests.benchmarks.our_server import OurServer

COUNT = 10
"""Initial number of endpoints in the store."""
OPERATIONS = ("get", "create", "update", "list")
TRANSPORTS = ("http", "grpc")
MODES = ("sync", "async")
CALLERS = (1, 8, 32)

PEER = "MLflow's RestStore with MLflow's server"
ECHO = "an echo of the same size over the same transport"
COMMIT = "the same after an equally durable commit of one row"


def operation(client: Any, name: str) -> Callable[[], Any]:
    """Return a function that makes one call, sync or async like the client. Thread-safe."""
    numbers = itertools.count()
    ids = [example.endpoint(number).endpoint_id for number in range(COUNT)]
    configs, fallback = example.configs(), example.fallback()
    match name:
        case "get":
            return lambda: client.get_endpoint(endpoint_id=ids[0])
        case "create":
            create = partial(client.create_endpoint, routing_strategy=1, usage_tracking=False, created_by="ann")
            return lambda: create(example.new_name(), configs, fallback_config=fallback)
        case "update":
            return lambda: client.update_endpoint(ids[next(numbers) % COUNT], name=example.new_name(), updated_by="bob")
        case _:
            return client.list_endpoints


def peer_operation(stage: Stage, name: str, count: int = COUNT) -> Callable[[], Any]:
    """Return the same for MLflow's client and server."""
    server, ids = stage.mlflow(count)
    store = server.store
    return _of_rest_store(store, name, ids, server.create)


def _of_rest_store(store: Any, name: str, ids: list[str], create: Callable[[str], Any]) -> Callable[[], Any]:
    numbers = itertools.count()
    match name:
        case "get":
            return lambda: store.get_gateway_endpoint(endpoint_id=ids[0])
        case "create":
            return lambda: create(example.new_name())
        case "update":
            update = partial(store.update_gateway_endpoint, updated_by="bob")
            return lambda: update(ids[next(numbers) % COUNT], name=example.new_name())
        case _:
            return store.list_gateway_endpoints


def limit_call(server: OurServer, name: str, transport: str) -> tuple[str, bytes]:
    """Return the path and body of a bare call with an operation's request and response sizes."""
    carrier = open_transport(server.target(transport))
    call = partial(send, carrier, timeout=60)
    listed = call(methods.LIST_GATEWAY_ENDPOINTS, endpoint_pb2.ListGatewayEndpointsRequest())
    one = endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=listed.endpoints[0].endpoint_id)
    got = call(methods.GET_GATEWAY_ENDPOINT, one)
    carrier.close()
    kind = "commit" if name in {"create", "update"} else "echo"
    size = listed.ByteSize() if name == "list" else got.ByteSize()
    # An id; a create sends three models as well.
    return f"/bench/{kind}-{size}", bytes(300 if name == "create" else 36)


def sample(stage: Stage, stack: ExitStack, server: OurServer, name: str, transport: str, mode: str, callers: int) -> Sample:
    """Return the sample of an operation by our client on our server."""
    seconds, target = stage.effort.sample_seconds, server.target(transport)
    if mode == "sync":
        return ThreadLoop(operation(stack.enter_context(GatewayClient(target)), name), seconds, callers, stack)
    runner = stack.enter_context(asyncio.Runner())
    client = AsyncGatewayClient(target)
    stack.callback(lambda: runner.run(client.close()))
    return TaskLoop(operation(client, name), seconds, callers, runner)


def limit(stage: Stage, stack: ExitStack, server: OurServer, name: str, transport: str, mode: str, callers: int) -> Sample:
    """Return the sample of the bare calls."""
    seconds, target = stage.effort.sample_seconds, stage.echo(transport)
    path, body = limit_call(server, name, transport)
    if mode == "sync":
        return ThreadLoop(echo_client.blocking(target, path, body, stack), seconds, callers, stack)
    runner = stack.enter_context(asyncio.Runner())
    return TaskLoop(echo_client.with_asyncio(target, path, body, stack, runner), seconds, callers, runner)


def _prepare(name: str, transport: str, mode: str, callers: int, stage: Stage, stack: ExitStack) -> Subjects:
    # Writes use a separate store, so that the read stores keep their size.
    changes = name in {"create", "update"}
    server = stage.our_server(COUNT, "sqlite-changed" if changes else "sqlite")
    how = (name, transport, mode, callers)
    subjects = Subjects(sample(stage, stack, server, *how), limit=limit(stage, stack, server, *how))
    subjects.try_peer(lambda: ThreadLoop(peer_operation(stage, name), stage.effort.sample_seconds, callers, stack))
    if changes:
        stack.callback(stage.mlflow_changed)
    return subjects


def _prepare_rest(name: str, callers: int, stage: Stage, stack: ExitStack) -> Subjects:
    server = stage.our_server(COUNT)
    seconds = stage.effort.sample_seconds
    store = rest_store(server.http_target)
    ids = [example.endpoint(number).endpoint_id for number in range(COUNT)]
    subjects = Subjects(ThreadLoop(_of_rest_store(store, name, ids, str), seconds, callers, stack))
    subjects.try_peer(lambda: ThreadLoop(peer_operation(stage, name), seconds, callers, stack))
    return subjects


def _rows() -> tuple[Row, ...]:
    rows: list[Row] = []
    for name, transport, mode, callers in itertools.product(OPERATIONS, TRANSPORTS, MODES, CALLERS):
        what = f"{name}, {transport}, {mode}, concurrency {callers}"
        least = COMMIT if name in {"create", "update"} else ECHO
        # A quick run has representative rows only.
        quick = mode == "sync" and (callers == 1 or (callers == 8 and name == "get"))
        prepare = partial(_prepare, name, transport, mode, callers)
        rows.append(Row(f"{name}-{transport}-{mode}-{callers}", what, "ms", prepare, PEER, least, quick=quick))
    for name, callers in itertools.product(("get", "list"), (1, 8)):
        what = f"{name}, MLflow's own client with our server, concurrency {callers}"
        quick = name == "get" and callers == 1
        rows.append(Row(f"{name}-rest-{callers}", what, "ms", partial(_prepare_rest, name, callers), PEER, quick=quick))
    return tuple(rows)


ROWS = _rows()
