"""A get: after a pause, against the bare transport, and in a large store against a small one."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from gateway_entities import GatewayClient
from tests.benchmarks import calls, echo_client
from tests.benchmarks.loops import After
from tests.benchmarks.row import Row, Subjects
from tests.benchmarks.stage import Stage

LARGE = 10_000
_PAUSE_SECONDS = 0.3


def _prepare_overhead(transport: str, stage: Stage, stack: ExitStack) -> Subjects:
    server, how = stage.our_server(calls.COUNT), ("get", transport, "sync", 1)
    return Subjects(calls.sample(stage, stack, server, *how), limit=calls.limit(stage, stack, server, *how))


def _prepare_paced(transport: str, stage: Stage, stack: ExitStack) -> Subjects:
    server = stage.our_server(calls.COUNT)
    path, body = calls.limit_call(server, "get", transport)
    client = stack.enter_context(GatewayClient(server.target(transport)))
    subjects = Subjects(
        _paced(calls.operation(client, "get")),
        limit=_paced(echo_client.blocking(stage.echo(transport), path, body, stack)),
    )
    subjects.try_peer(lambda: _paced(calls.peer_operation(stage, "get")))
    return subjects


def _paced(call: Callable[[], object]) -> After:
    """Return the sample of a call after a pause, the usual pattern of configuration reads."""
    return After(lambda: time.sleep(_PAUSE_SECONDS), call, 2)


def _prepare_large(transport: str, stage: Stage, stack: ExitStack) -> Subjects:
    how = ("get", transport, "sync", 1)
    large, small = (calls.sample(stage, stack, stage.our_server(count), *how) for count in (LARGE, calls.COUNT))
    return Subjects(large, limit=small)


def _rows(transport: str) -> tuple[Row, ...]:
    overhead = f"get, {transport}, vs a bare echo"
    large = f"get, {transport}, in a store of {LARGE:,} endpoints vs one of {calls.COUNT}"
    small = f"the same in a store of {calls.COUNT}"
    paced = f"get, {transport}, each after a pause of {_PAUSE_SECONDS} s"
    return (
        Row(
            f"get-{transport}-paced",
            paced,
            "ms",
            partial(_prepare_paced, transport),
            calls.PEER,
            calls.ECHO,
            quick=transport == "http",
        ),
        Row(f"overhead-{transport}", overhead, "ms", partial(_prepare_overhead, transport), limit=calls.ECHO),
        Row(f"get-{LARGE}-{transport}", large, "ms", partial(_prepare_large, transport), limit=small),
    )


ROWS = tuple(row for transport in calls.TRANSPORTS for row in _rows(transport))
