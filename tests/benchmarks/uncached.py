"""Reads right after a change: cache misses, which read the store."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from gateway_entities import GatewayClient
from tests.benchmarks import calls, echo_client, example, lists
from tests.benchmarks.loops import After
from tests.benchmarks.row import Row, Subjects
from tests.benchmarks.stage import Stage

_TAG, _FORMER = example.tags()[0].key, str(example.tags()[0].value)


def _prepare(name: str, count: int, transport: str, stage: Stage, stack: ExitStack) -> Subjects:
    server = stage.our_server(count, "sqlite-tagged")
    client = stack.enter_context(GatewayClient(server.target(transport)))
    identifier = example.endpoint().endpoint_id
    path, body = calls.limit_call(server, name, transport)
    times = 20 if name == "get" else 2

    def change(value: str) -> None:
        client.set_endpoint_tag(identifier, _TAG, value)

    change_ours = _with_new_value(change)
    subjects = Subjects(
        After(change_ours, calls.operation(client, name), times),
        limit=After(change_ours, echo_client.blocking(stage.echo(transport), path, body, stack), times),
    )
    subjects.try_peer(lambda: _theirs(name, count, stage))
    stack.callback(stage.mlflow_changed)
    return subjects


def _theirs(name: str, count: int, stage: Stage) -> After:
    server, ids = stage.mlflow(count)
    from mlflow.entities import GatewayEndpointTag

    def change(value: str) -> None:
        server.store.set_gateway_endpoint_tag(ids[0], GatewayEndpointTag(_TAG, value))

    return After(_with_new_value(change), calls.peer_operation(stage, name, count), 2)


def _with_new_value(change: Callable[[str], None]) -> Callable[[], None]:
    # As long as the previous value, so that the responses keep their size.
    numbers = itertools.count()
    return lambda: change(str(next(numbers)).zfill(len(_FORMER)))


ROWS = tuple(
    Row(
        f"{name}{size}-{transport}-anew",
        f"{what}, {transport}, each right after a change",
        "ms",
        partial(_prepare, name, count, transport),
        calls.PEER,
        calls.ECHO,
        quick=transport == "http",
    )
    for name, count, size, what in (
        ("get", calls.COUNT, "", "get"),
        ("list", lists.MANY, f"-{lists.MANY}", f"list of {lists.MANY:,} endpoints"),
    )
    for transport in calls.TRANSPORTS
)
