"""Profiles: ``python -m tests.benchmarks.profile decode|encode|get-http|get-grpc|list|spend``.

For decoding and encoding it also measures protobuf's share without a profiler, call by call.

A call to the server is profiled in two parts: the handler with the store, in this thread; and the server's event loop with
all above the handler, under calls from another process. cProfile overstates the cost of small functions: compare its times
with each other, not with the benchmarks.
"""

from __future__ import annotations

import asyncio
import cProfile
import itertools
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from gateway_entities import GatewayEndpoint, methods
from gateway_entities.methods import Method
from gateway_entities.server.server import Server
from gateway_entities.server.service import GatewayService
from gateway_entities.server.store import open_store
from gatewayentities.v1 import budget_pb2, endpoint_pb2, spend_pb2
from tests.benchmarks import example, parts
from tests.benchmarks.echo_client import ROOT

SECONDS = 3.0
LINES = 25
_LOAD = """
import sys
from gateway_entities import GatewayClient
with GatewayClient(sys.argv[1]) as client:
    while True:
        client.get_endpoint(endpoint_id=sys.argv[2])
"""


def entity(call: Callable[[], object]) -> None:
    """Profile an operation of an entity."""
    _profile("in this thread", call)


def handler(count: int, method: Method, request: object) -> None:
    """Profile a handler, from the bytes of its request to those of its response."""
    data = request.SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/gateway.sqlite")
        example.fill(store, count)
        handle = getattr(GatewayService(store), method.handler)
        _profile("the handler", lambda: handle(method.request_type.FromString(data)).SerializeToString())
        store.close()


def spend() -> None:
    """Profile the handlers of a pair of Reserve and Commit, with the processor time of a pair without the profiler."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/gateway.sqlite")
        example.fill(store, 1)
        service, numbers = GatewayService(store), itertools.count()
        endpoint_id = example.endpoint().endpoint_id
        service.create_gateway_budget_policy(
            budget_pb2.CreateGatewayBudgetPolicyRequest(
                budget_unit="USD",
                budget_amount=1e9,
                duration=budget_pb2.BudgetDuration(unit="MONTHS", value=12),
                target_scope="GLOBAL",
                budget_action="REJECT",
            )
        )

        def pair() -> None:
            reserve = spend_pb2.ReserveGatewaySpendRequest(
                endpoint_id=endpoint_id, amount_nanos=2_500_000, budget_unit="USD", request_id=f"r-{next(numbers)}"
            )
            reserved = service.reserve_gateway_spend(reserve).reservation.reservation_id
            service.commit_gateway_spend(spend_pb2.CommitGatewaySpendRequest(reservation_id=reserved, amount_nanos=1))

        pair()
        began, before, pairs = time.perf_counter(), time.process_time(), 500
        for _ in range(pairs):
            pair()
        processor, wall = time.process_time() - before, time.perf_counter() - began
        print(f"a pair: {processor / pairs * 1e3:.3f} ms of processor time, {wall / pairs * 1e3:.3f} ms in all")
        _profile("reserve and commit", pair)
        store.close()


async def event_loop(transport: str) -> None:
    """Profile a server's event loop under calls."""
    identifier = example.endpoint().endpoint_id
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/gateway.sqlite"
        store = open_store(url)
        example.fill(store, 10)
        store.close()
        server = Server(url, grpc="127.0.0.1:0", http="127.0.0.1:0")
        await server.start()
        target = server.grpc_target if transport == "grpc" else server.http_target
        with subprocess.Popen([sys.executable, "-c", _LOAD, target, identifier], cwd=ROOT) as load:
            # Wait for its start.
            await asyncio.sleep(1.5)
            profiler = cProfile.Profile()
            profiler.enable()
            await asyncio.sleep(SECONDS)
            profiler.disable()
            load.kill()
        await server.stop(1)
    _print(f"the event loop, {transport}, for {SECONDS:g} s", profiler)


def _profile(title: str, call: Callable[[], object]) -> None:
    call()
    profiler = cProfile.Profile()
    calls, end = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        profiler.runcall(call)
        calls += 1
    _print(f"{title}, {calls} calls", profiler)


def _print(title: str, profiler: cProfile.Profile) -> None:
    print(f"--- {title}")
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(LINES)


def main(what: str) -> None:
    """Run the profile of the command line and print it."""
    ours = example.endpoint()
    data = ours.to_bytes()
    get = endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=ours.endpoint_id)
    match what:
        case "decode":
            parts.show("bytes -> GatewayEndpoint", parts.decoding())
            entity(lambda: GatewayEndpoint.from_bytes(data))
        case "encode":
            parts.show("GatewayEndpoint -> bytes", parts.encoding())
            entity(ours.to_bytes)
        case "get-http" | "get-grpc":
            handler(10, methods.GET_GATEWAY_ENDPOINT, get)
            asyncio.run(event_loop(what.removeprefix("get-")))
        case "list":
            handler(1000, methods.LIST_GATEWAY_ENDPOINTS, endpoint_pb2.ListGatewayEndpointsRequest())
        case "spend":
            spend()
        case _:
            sys.exit(f"{__doc__}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
