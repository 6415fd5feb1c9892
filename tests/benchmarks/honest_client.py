"""A well-behaved client: gets of one endpoint over HTTP and gRPC in turns, and the health of the server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import NamedTuple

from gateway_entities.errors import GatewayError
from gateway_entities.transports.connect import request_headers
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.pool import ConnectionPool, HttpRequest
from gateway_entities.transports.target import Target

_PAUSE_S = 0.002
_TIMEOUT_S = 5.0
_HEALTH_INTERVAL_S = 0.25


class Latency(NamedTuple):
    """Latencies in seconds.

    Attributes:
        p50: the median.
        p99: exceeded by one call of a hundred.
    """

    p50: float
    p99: float


class Observation(NamedTuple):
    """What a client has seen.

    Attributes:
        http: the latency over HTTP.
        grpc: the latency over gRPC.
        health: the slowest response of ``/healthz``; 0 without one.
        calls: the number of calls.
        errors: the number of those that failed; each counts with its time.
    """

    http: Latency
    grpc: Latency
    health: float
    calls: int
    errors: int


class Service(NamedTuple):
    """One call of a server.

    Attributes:
        http: the HTTP target.
        grpc: the gRPC target.
        path: the path of the call.
        body: its request.
        metadata: its headers.
        has_health: whether the server has ``/healthz``.
    """

    http: str
    grpc: str
    path: str
    body: bytes
    metadata: Mapping[str, str]
    has_health: bool


def observe(service: Service, seconds: float, lead: float) -> Observation:
    """Call a server for some seconds, and before that for ``lead`` seconds that are not measured."""
    with ExitStack() as stack:
        calls = {"http": _http(service, stack), "grpc": _grpc(service, stack)}
        check_health = _health(service, stack) if service.has_health else None
        taken: dict[str, list[float]] = {"http": [], "grpc": []}
        began, errors, health = time.perf_counter(), 0, 0.0
        next_check, start, end = began, began + lead, began + lead + seconds
        while (now := time.perf_counter()) < end:
            for name, call in calls.items():
                time.sleep(_PAUSE_S)
                duration, failed = _timed(call)
                if now >= start:
                    taken[name].append(duration)
                    errors += failed
            if check_health is not None and now >= next_check:
                duration, failed = _timed(check_health)
                next_check = now + _HEALTH_INTERVAL_S
                if now >= start:
                    health = max(health, duration)
                    errors += failed
        return Observation(
            _latency(taken["http"]), _latency(taken["grpc"]), health, len(taken["http"]) + len(taken["grpc"]), errors
        )


def _timed(call: Callable[[], bool]) -> tuple[float, bool]:
    start = time.perf_counter()
    succeeded = call()
    return time.perf_counter() - start, not succeeded


def _latency(seconds: list[float]) -> Latency:
    return Latency(statistics.median(seconds), statistics.quantiles(seconds, n=100, method="inclusive")[98])


def _http(service: Service, stack: ExitStack) -> Callable[[], bool]:
    headers = request_headers(Target.parse(service.http).authority, None, service.metadata)
    return _request(service, HttpRequest("POST", service.path, headers, service.body), stack)


def _health(service: Service, stack: ExitStack) -> Callable[[], bool]:
    headers = [("host", Target.parse(service.http).authority)]
    return _request(service, HttpRequest("GET", "/healthz", headers, b""), stack)


def _request(service: Service, request: HttpRequest, stack: ExitStack) -> Callable[[], bool]:
    connections = ConnectionPool(Target.parse(service.http))
    stack.callback(connections.close)

    def call() -> bool:
        try:
            return connections.request(request, Deadline(_TIMEOUT_S)).status == 200
        except GatewayError:
            return False

    return call


def _grpc(service: Service, stack: ExitStack) -> Callable[[], bool]:
    import grpc

    options = (("grpc.use_local_subchannel_pool", 1),)
    channel = stack.enter_context(grpc.insecure_channel(Target.parse(service.grpc).authority, options))
    send, metadata = channel.unary_unary(service.path), tuple(service.metadata.items())

    def call() -> bool:
        try:
            send(service.body, timeout=_TIMEOUT_S, metadata=metadata)
        except grpc.RpcError:
            return False
        return True

    return call
