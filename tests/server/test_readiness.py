"""Readiness follows the store, over HTTP and gRPC."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway_entities import methods
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.readiness import Readiness
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits
from gateway_entities.server.server import Server
from tests.server.raw import channel, http_failure, post_json, request
from tests.stores import Place, sqlite_place

CREATE = methods.CREATE_GATEWAY_SECRET
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SECRET = {"secretName": "s", "secretValue": {"api_key": "sk-0123456789abcdef"}}


@asynccontextmanager
async def serving(place: Place, limits: Limits = DEFAULT_LIMITS):
    server = Server(place.url, grpc="127.0.0.1:0", http="127.0.0.1:0", keys=place.keys, limits=limits)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0)


def move_away(place: Place) -> Callable[[], None]:
    """Make the store unavailable; return a function that restores it."""
    if place.path is None:
        place.server.stop()
        return place.server.start
    aside = place.path.with_name("aside")
    place.path.rename(aside)
    return lambda: aside.rename(place.path) and None


def await_ready(server: Server, wanted: int) -> None:
    deadline = time.monotonic() + 30
    while (response := request(server.http_target, "GET", "/readyz")).status != wanted:
        assert time.monotonic() < deadline, response
        time.sleep(0.05)


def follow(server: Server, place: Place) -> None:
    with channel(server.grpc_target) as opened:
        health = health_pb2_grpc.HealthStub(opened)
        service = health_pb2.HealthCheckRequest(service=CREATE.service)
        watched = health.Watch(service)
        assert next(watched).status == SERVING
        assert request(server.http_target, "GET", "/readyz").status == 200
        for _ in range(2):
            restore = move_away(place)
            try:
                await_ready(server, 503)
                assert next(watched).status == NOT_SERVING
                assert health.Check(health_pb2.HealthCheckRequest()).status == NOT_SERVING
                assert request(server.http_target, "GET", "/healthz").status == 200
            finally:
                restore()
            await_ready(server, 200)
            assert next(watched).status == SERVING
            assert health.Check(health_pb2.HealthCheckRequest()).status == SERVING
        watched.cancel()
    assert post_json(server.http_target, CREATE, SECRET).status == 200


async def test_it_follows_the_store(place):
    async with serving(place) as server:
        await asyncio.to_thread(follow, server, place)


async def test_the_response_has_the_reason(tmp_path):
    place = Place(f"sqlite:///{tmp_path}/gateway.sqlite", path=tmp_path / "gateway.sqlite")
    async with serving(place) as server:
        restore = move_away(place)
        response = await asyncio.to_thread(request, server.http_target, "GET", "/readyz")
        assert response.json == {
            "status": "unavailable",
            "reason": "STORE_REPLACED",
            "message": "The store's file is missing",
        }
        restore()


async def test_a_replaced_file_is_not_ready_and_not_written(tmp_path):
    place = Place(f"sqlite:///{tmp_path}/gateway.sqlite", path=tmp_path / "gateway.sqlite")
    other = sqlite_place(tmp_path / "other.sqlite", with_tables=True)
    before = other.path.read_bytes()
    async with serving(place) as server:

        def calls() -> None:
            assert post_json(server.http_target, CREATE, SECRET).status == 200
            other.path.replace(place.path)
            for number in range(5):
                failure = http_failure(post_json(server.http_target, CREATE, {**SECRET, "secretName": f"n{number}"}))
                assert (failure.code, failure.reason) == ("unavailable", "STORE_REPLACED")
            response = request(server.http_target, "GET", "/readyz")
            assert (response.status, response.json["reason"]) == (503, "STORE_REPLACED")

        await asyncio.to_thread(calls)
    assert place.path.read_bytes() == before


async def test_calls_fail_as_unavailable_without_the_database_and_recover(postgresql_place):
    async with serving(postgresql_place) as server:

        def calls() -> None:
            restore = move_away(postgresql_place)
            try:
                assert http_failure(post_json(server.http_target, CREATE, SECRET)).code == "unavailable"
                with channel(server.grpc_target) as opened, pytest.raises(grpc.RpcError) as caught:
                    opened.unary_unary(CREATE.path)(b"")
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            finally:
                restore()
            assert post_json(server.http_target, CREATE, SECRET).status == 200

        await asyncio.to_thread(calls)


async def test_concurrent_requests_share_one_check():
    running, most, go = 0, 0, threading.Event()

    def check() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        go.wait(10)
        running -= 1

    readiness = Readiness(check)
    asking = [asyncio.create_task(readiness.check()) for _ in range(20)]
    await asyncio.sleep(0.05)
    go.set()
    await asyncio.gather(*asking)
    await readiness.close()
    assert most == 1


async def test_a_store_that_does_not_respond_is_not_ready_and_blocks_no_caller():
    go = threading.Event()
    readiness = Readiness(lambda: go.wait(30) and None)
    with pytest.raises(GatewayError) as caught:
        await asyncio.wait_for(readiness.check(), 10)
    assert (caught.value.code, caught.value.message) == (Code.UNAVAILABLE, "the store does not respond")
    go.set()
    await readiness.check()
    await readiness.close()


async def test_an_unexpected_exception_is_an_internal_error_with_an_id():
    readiness = Readiness(lambda: 1 // 0 and None)
    with pytest.raises(GatewayError) as caught:
        await readiness.check()
    assert caught.value.code is Code.INTERNAL
    await readiness.close()


async def test_it_is_not_ready_once_it_stops():
    reported: list[bool] = []

    async def report(ready: bool) -> None:
        reported.append(ready)

    readiness = Readiness(lambda: None)
    await readiness.check()
    readiness.watch(report)
    await readiness.stop()
    with pytest.raises(GatewayError) as caught:
        await readiness.check()
    assert caught.value.reason == "STOPPING"
    await readiness.close()
    assert reported == [False]


async def test_overlapping_checks_do_not_cancel_each_other():
    async def ask():
        for _ in range(50):
            await readiness.check()

    readiness = Readiness(lambda: None)
    try:
        await asyncio.gather(*(ask() for _ in range(20)))
    finally:
        await readiness.close()


def use_full(server: Server) -> None:
    await_ready(server, 503)
    response = request(server.http_target, "GET", "/readyz")
    assert b"The store is full" in response.body
    metrics = request(server.http_target, "GET", "/metrics").body.decode()
    assert "gateway_entities_store_full 1.0" in metrics
    assert "gateway_entities_store_max_bytes 1.0" in metrics
    assert float(metrics.partition('gateway_entities_store_bytes{state="used"} ')[2].partition("\n")[0]) > 10_000
    failure = http_failure(post_json(server.http_target, CREATE, SECRET))
    assert (failure.code, failure.reason) == ("resource_exhausted", "STORE_FULL")
    assert post_json(server.http_target, methods.LIST_GATEWAY_SECRET_INFOS, {}).json == {"revision": "0"}


async def test_a_full_store_is_not_ready_and_is_read(place):
    async with serving(place, Limits(max_store_bytes=1)) as server:
        await asyncio.to_thread(use_full, server)
