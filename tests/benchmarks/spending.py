"""The ledger: pairs of Reserve and Commit, and what concurrent requests spend beyond a limit."""

from __future__ import annotations

import http.client
import itertools
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from gateway_entities import BudgetDuration, BudgetDurationUnit, BudgetExceededError, GatewayClient
from tests.benchmarks import calls, echo_client, example
from tests.benchmarks.loops import ThreadLoop
from tests.benchmarks.row import Row, Sample, Subjects

if TYPE_CHECKING:
    from tests.benchmarks.our_server import OurServer
    from tests.benchmarks.stage import Stage

CALLERS: Final = 8
_PAIRS: Final = 50
"""Pairs of each caller in one sample of the slowest."""
REQUESTS: Final = 200
_LIMIT: Final = 1
_COST: Final = "0.50"
_PROVIDER_S: Final = 0.3
# 200,000 tokens of gpt-4o for 2.50 a million.
_USAGE: Final = {"prompt_tokens": 200_000, "completion_tokens": 0, "total_tokens": 200_000}
_COMMIT_BYTES: Final = 600
"""Size of a response to Reserve or Commit, about."""


def _policies(client: GatewayClient, count: int) -> list[str]:
    """Return the endpoint of each caller: all have one policy, or each one of its own."""
    chosen = [example.endpoint(number % count).endpoint_id for number in range(CALLERS)]
    for endpoint_id in dict.fromkeys(chosen):
        _policy(client, endpoint_id, 1e9)
    return chosen


def _policy(client: GatewayClient, endpoint_id: str, amount: float) -> None:
    client.create_budget_policy(
        budget_unit="USD",
        budget_amount=amount,
        duration=BudgetDuration(BudgetDurationUnit.MONTHS, 12),
        target_scope="ENDPOINT",
        target_value=endpoint_id,
        budget_action="REJECT",
    )


class _Pairs:
    """Makes pairs of calls, each thread on an endpoint of its own. Thread-safe."""

    def __init__(self, server: OurServer, policies: int, stack: ExitStack) -> None:
        self._client = stack.enter_context(GatewayClient(server.http_target))
        self._endpoints = _policies(self._client, policies)
        self._numbers = itertools.count()
        self._own = threading.local()

    def make(self) -> None:
        if not hasattr(self._own, "endpoint"):
            self._own.endpoint = self._endpoints[next(self._numbers) % CALLERS]
        self._client.reserve_spend(self._own.endpoint, "0.0025").commit("0.002")

    def slowest(self) -> float:
        """Return the time of the slowest of a hundred pairs, with all callers."""

        def work(_: int) -> list[float]:
            taken: list[float] = []
            for _ in range(_PAIRS):
                began = time.perf_counter()
                self.make()
                taken.append(time.perf_counter() - began)
            return taken

        with ThreadPoolExecutor(CALLERS) as pool:
            found = [each for taken in pool.map(work, range(CALLERS)) for each in taken]
        return statistics.quantiles(found, n=100)[98]


def _prepare(store: str, figure: str, stage: Stage, stack: ExitStack) -> Subjects:
    def pairs(policies: int) -> Sample:
        # A store of its own: that of other rows has policies.
        server = stage.our_server(calls.COUNT, f"{store}-spent-{policies}")
        made = _Pairs(server, policies, stack)
        return made.slowest if figure == "slowest" else ThreadLoop(made.make, stage.effort.sample_seconds, CALLERS, stack)

    subjects = Subjects(pairs(1), peer=pairs(CALLERS))
    if figure == "pair":
        commit = echo_client.blocking(stage.echo("http"), f"/bench/commit-{_COMMIT_BYTES}", bytes(100), stack)

        def two() -> None:
            commit()
            commit()

        subjects.limit = ThreadLoop(two, stage.effort.sample_seconds, CALLERS, stack)
    if store == "postgresql":
        subjects.notes.append("PostgreSQL runs as in the tests, with fsync off; the limit is durable")
    return subjects


class _Provider:
    """A provider of OpenAI's chat API on loopback.

    Attributes:
        url: its address.
        requests: the number of requests that it has answered, each for the same price.
    """

    def __init__(self) -> None:
        self.requests = 0
        lock = threading.Lock()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version, wbufsize = "HTTP/1.1", -1

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                time.sleep(_PROVIDER_S)
                message = {"role": "assistant", "content": "ok"}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o", "usage": _USAGE}
                body = json.dumps({**answer, "choices": [choice]}).encode()
                with lock:
                    provider.requests += 1
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        class Listener(ThreadingHTTPServer):
            request_queue_size = REQUESTS

        self._server = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    @contextmanager
    def running(self) -> Iterator[_Provider]:
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


def _concurrently(request: Callable[[], object], provider: _Provider) -> float:
    """Make all requests; return what they cost beyond the limit."""
    before = provider.requests
    barrier = threading.Barrier(REQUESTS)

    def work(_: int) -> None:
        barrier.wait()
        request()

    with ThreadPoolExecutor(REQUESTS) as pool:
        list(pool.map(work, range(REQUESTS)))
    spent = (provider.requests - before) * float(_COST)
    if spent < _LIMIT:
        raise RuntimeError(f"only {spent:.2f} was spent: requests do not reach the provider")
    return spent - _LIMIT


def _post(url: str, body: object) -> int:
    """Return the status of a response to JSON."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    try:
        connection.request("POST", parts.path, json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


_CHAT: Final = {"messages": [{"role": "user", "content": "hello"}]}


def _prepare_overspend(stage: Stage, stack: ExitStack) -> Subjects:
    provider = stack.enter_context(_Provider().running())
    server = stage.our_server(calls.COUNT, "sqlite-overspent")
    client = stack.enter_context(GatewayClient(server.http_target, timeout=120))
    numbers = itertools.count()

    def ours() -> float:
        endpoint_id = example.endpoint(next(numbers)).endpoint_id
        _policy(client, endpoint_id, _LIMIT)

        def request() -> None:
            try:
                with client.reserve_spend(endpoint_id, _COST):
                    _post(f"{provider.url}/chat/completions", _CHAT)
            except BudgetExceededError:
                pass

        return _concurrently(request, provider)

    subjects = Subjects(ours, notes=[f"{REQUESTS} concurrent requests of {_COST}, limit {_LIMIT:.2f}"])
    subjects.try_peer(lambda: _mlflow_overspend(stage, stack, provider))
    return subjects


def _mlflow_overspend(stage: Stage, stack: ExitStack, provider: _Provider) -> Sample:
    from tests.benchmarks.mlflow_peer import mlflow_server

    # Of its own, because it has to reach a provider on loopback.
    variables = {
        "MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_GATEWAY_API_BASE_ALLOWED_SCHEMES": "http,https",
    }
    server = stack.enter_context(mlflow_server(stage.make_folder("mlflow-overspent"), variables))
    from mlflow.entities import (
        BudgetAction,
        BudgetDuration,
        BudgetDurationUnit,
        BudgetTargetScope,
        BudgetUnit,
        GatewayEndpointModelConfig,
        GatewayModelLinkageType,
    )

    store = server.store
    secret = store.create_gateway_secret(
        "key", example.SECRET, provider="openai", auth_config={"api_base": provider.url}, created_by="ann"
    )
    definition = store.create_gateway_model_definition("m", secret.secret_id, "openai", "gpt-4o", created_by="ann")
    config = GatewayEndpointModelConfig(definition.model_definition_id, GatewayModelLinkageType.PRIMARY, 1.0)
    # Without it MLflow counts nothing.
    store.create_gateway_endpoint("spent", [config], usage_tracking=True)
    store.create_budget_policy(
        budget_unit=BudgetUnit.USD,
        budget_amount=float(_LIMIT),
        duration=BudgetDuration(BudgetDurationUnit.MONTHS, 1),
        target_scope=BudgetTargetScope.GLOBAL,
        budget_action=BudgetAction.REJECT,
    )
    return partial(_concurrently, lambda: _post(f"{server.target}/gateway/spent/mlflow/invocations", _CHAT), provider)


def _row(store: str, figure: str) -> Row:
    what = "reserve and commit" if figure == "pair" else "p99 of reserve and commit"
    name = "SQLite" if store == "sqlite" else "PostgreSQL"
    return Row(
        f"spend-{store}" + ("-p99" if figure == "slowest" else ""),
        f"{what}, http, concurrency {CALLERS}, all on one policy, {name}",
        "ms",
        partial(_prepare, store, figure),
        f"the same with a policy for each of {CALLERS} callers",
        "two equally durable commits of one row" if figure == "pair" else "",
        quick=False,
        rounds=9,
    )


ROWS = (
    *(_row(store, figure) for store in ("sqlite", "postgresql") for figure in ("pair", "slowest")),
    Row(
        "overspend",
        f"overspend of {REQUESTS} concurrent requests",
        "USD",
        _prepare_overspend,
        "MLflow's gateway",
        quick=False,
        rounds=1,
        warm=False,
    ),
)
