"""Lists of growing numbers of endpoints: their time and their number of queries."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from gateway_entities import GatewayClient
from gatewayentities.v1.endpoint_pb2 import ListGatewayEndpointsRequest
from tests.benchmarks import calls, example
from tests.benchmarks.loops import ThreadLoop
from tests.benchmarks.our_server import require_server
from tests.benchmarks.row import Row, Subjects
from tests.benchmarks.stage import Stage

SIZES = (10, 100, 1000, 10_000)
FEW, MANY = SIZES[0], SIZES[-2]


def _prepare(count: int, transport: str, stage: Stage, stack: ExitStack) -> Subjects:
    how = ("list", transport, "sync", 1)
    server = stage.our_server(count)
    with GatewayClient(server.target(transport)) as client:
        assert len(client.list_endpoints()) == count
    subjects = Subjects(calls.sample(stage, stack, server, *how), limit=calls.limit(stage, stack, server, *how))
    if (count, transport) == (SIZES[-1], "grpc"):
        # It would take minutes for the same figure.
        subjects.notes.append("no peer: see the row for http")
        return subjects
    subjects.try_peer(lambda: ThreadLoop(calls.peer_operation(stage, "list", count), stage.effort.sample_seconds, 1, stack))
    return subjects


def _prepare_growth(transport: str, stage: Stage, stack: ExitStack) -> Subjects:
    more, fewer = SIZES[-1], SIZES[-2]
    many, few = (calls.sample(stage, stack, stage.our_server(n), "list", transport, "sync", 1) for n in (more, fewer))
    return Subjects(lambda: many() / more, limit=lambda: few() / fewer)


def _prepare_queries(stage: Stage, _stack: ExitStack) -> Subjects:
    subjects = Subjects(lambda: float(_our_queries(stage, MANY)), limit=lambda: float(_our_queries(stage, FEW)))
    subjects.try_peer(lambda: lambda: float(_mlflow_queries(stage, MANY)))
    return subjects


def _our_queries(stage: Stage, count: int) -> int:
    require_server()
    from gateway_entities.server.service import GatewayService
    from gateway_entities.server.store import open_store
    from tests.statements import record_statements

    # Not over the server, whose cache would answer the second call without a query.
    store = open_store(f"sqlite:///{stage.make_folder('queries')}/gateway.sqlite")
    try:
        example.fill(store, count)
        statements = record_statements(store._database.reader)
        listed = GatewayService(store).list_gateway_endpoints(ListGatewayEndpointsRequest())
    finally:
        store.close()
    assert len(listed.endpoints) == count
    return len(statements)


def _mlflow_queries(stage: Stage, count: int) -> int:
    server, _ = stage.mlflow(count)
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(f"sqlite:///{server.database}", str(server.database.parent))
    with _counted() as statements:
        store.list_gateway_endpoints()
    return len(statements)


@contextmanager
def _counted() -> Generator[list[str]]:
    """Record every statement of all engines in this process."""
    from sqlalchemy import Engine, event

    statements: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", record)


def _rows() -> tuple[Row, ...]:
    rows = [
        Row(
            f"list-{count}-{transport}",
            f"list of {count:,} endpoints, {transport}",
            "ms",
            partial(_prepare, count, transport),
            calls.PEER,
            calls.ECHO,
            quick=count == MANY and transport == "http",
            # MLflow takes 30 seconds for the longest.
            rounds=2 if count == SIZES[-1] else 15,
            warm=count < MANY,
        )
        for transport in calls.TRANSPORTS
        for count in SIZES
    ]
    rows += [
        Row(
            f"list-growth-{transport}",
            f"list, {transport}: each of {SIZES[-1]:,} endpoints vs each of {SIZES[-2]:,}",
            "us",
            partial(_prepare_growth, transport),
            limit=f"the same of {SIZES[-2]:,}",
            quick=False,
        )
        for transport in calls.TRANSPORTS
    ]
    what = f"queries for a list of {MANY:,} endpoints vs one of {FEW}"
    limit = f"a list of {FEW}"
    rows.append(
        Row("list-queries", what, "queries", _prepare_queries, "MLflow's SqlAlchemyStore", limit, rounds=1, warm=False)
    )
    return tuple(rows)


ROWS = _rows()
