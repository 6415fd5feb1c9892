"""Calls of a running server: each operation, transport, colour and number of callers at a time, over SQLite."""

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
"""How many endpoints the store has at first."""
OPERATIONS = ("get", "create", "update", "list")
TRANSPORTS = ("http", "grpc")
COLOURS = ("sync", "async")
CALLERS = (1, 8, 32)

PEER = "MLflow's RestStore before MLflow's server"
ECHO = "an echo of as many bytes over the same transport"
COMMIT = "the same, after a commit of one row that is as durable"


def operation(client: Any, name: str) -> Callable[[], Any]:
    """Return a function that makes one call, blocking or not as the client is. Threads may share it."""
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
    """Return the same for MLflow's client before MLflow's server."""
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
    """Return the path and body of a bare call with a request and an answer as large as those of an operation."""
    carrier = open_transport(server.target(transport))
    call = partial(send, carrier, timeout=60)
    listed = call(methods.LIST_GATEWAY_ENDPOINTS, endpoint_pb2.ListGatewayEndpointsRequest())
    one = endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=listed.endpoints[0].endpoint_id)
    got = call(methods.GET_GATEWAY_ENDPOINT, one)
    carrier.close()
    kind = "commit" if name in {"create", "update"} else "echo"
    size = listed.ByteSize() if name == "list" else got.ByteSize()
    # An id; what a create sends is three models more.
    return f"/bench/{kind}-{size}", bytes(300 if name == "create" else 36)


def sample(
    stage: Stage, stack: ExitStack, server: OurServer, name: str, transport: str, colour: str, callers: int
) -> Sample:
    """Return what measures an operation of our client before our server."""
    seconds, target = stage.effort.sample_seconds, server.target(transport)
    if colour == "sync":
        return ThreadLoop(operation(stack.enter_context(GatewayClient(target)), name), seconds, callers, stack)
    runner = stack.enter_context(asyncio.Runner())
    client = AsyncGatewayClient(target)
    stack.callback(lambda: runner.run(client.close()))
    return TaskLoop(operation(client, name), seconds, callers, runner)


def limit(stage: Stage, stack: ExitStack, server: OurServer, name: str, transport: str, colour: str, callers: int) -> Sample:
    """Return what measures the bare calls."""
    seconds, target = stage.effort.sample_seconds, stage.echo(transport)
    path, body = limit_call(server, name, transport)
    if colour == "sync":
        return ThreadLoop(echo_client.blocking(target, path, body, stack), seconds, callers, stack)
    runner = stack.enter_context(asyncio.Runner())
    return TaskLoop(echo_client.with_asyncio(target, path, body, stack, runner), seconds, callers, runner)


def _prepare(name: str, transport: str, colour: str, callers: int, stage: Stage, stack: ExitStack) -> Subjects:
    # What changes the store has one of its own, so that the others stay as small as they say.
    changes = name in {"create", "update"}
    server = stage.our_server(COUNT, "sqlite-changed" if changes else "sqlite")
    how = (name, transport, colour, callers)
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
    for name, transport, colour, callers in itertools.product(OPERATIONS, TRANSPORTS, COLOURS, CALLERS):
        what = f"{name}, {transport}, {colour}, {callers} at a time"
        least = COMMIT if name in {"create", "update"} else ECHO
        # Of the many, a quick run has those that stand for the others.
        quick = colour == "sync" and (callers == 1 or (callers == 8 and name == "get"))
        prepare = partial(_prepare, name, transport, colour, callers)
        rows.append(Row(f"{name}-{transport}-{colour}-{callers}", what, "ms", prepare, PEER, least, quick=quick))
    for name, callers in itertools.product(("get", "list"), (1, 8)):
        what = f"{name}, MLflow's own client before our server, {callers} at a time"
        quick = name == "get" and callers == 1
        rows.append(Row(f"{name}-rest-{callers}", what, "ms", partial(_prepare_rest, name, callers), PEER, quick=quick))
    return tuple(rows)


ROWS = _rows()
