"""Reads, cached reads, health and the check of tokens never wait behind writes that are stuck."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from gateway_entities import methods
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.server import Server
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from tests.server.raw import call, channel, http_failure, post_json, request, write_lock
from tests.stores import Place, sqlite_place

CREATE, LIST = methods.CREATE_GATEWAY_SECRET, methods.LIST_GATEWAY_SECRET_INFOS
WRITERS = 32
SECONDS = 1.9
"""Bound of what must not wait, on a busy machine. The lock is held for longer than a write waits for it."""
LIMITS = Limits(store_write_timeout_s=2.0, write_stall_s=1.0, queue_timeout_s=3.0)


@contextmanager
def serving(place: Place, limits: Limits = LIMITS) -> Iterator[Server]:
    server = Server(place.url, grpc="127.0.0.1:0", http="127.0.0.1:0", keys=place.keys, limits=limits)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(30)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return sqlite_place(tmp_path / "gateway.sqlite")


def secret(name: str) -> dict[str, Any]:
    return {"secretName": name, "secretValue": {"api_key": "sk-0123456789abcdef"}}


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    began = time.monotonic()
    return function(), time.monotonic() - began


@contextmanager
def stuck_writers(server: Server, path: Path, headers: dict[str, str]) -> Iterator[list[Future[Any]]]:
    """Writers over HTTP that wait for a lock that another program holds."""
    with ThreadPoolExecutor(WRITERS) as pool, write_lock(path):
        writing = [
            pool.submit(post_json, server.http_target, CREATE, secret(f"w-{number}"), **headers) for number in range(WRITERS)
        ]
        yield writing


def test_reads_health_and_tokens_do_not_wait_behind_writers(place: Place) -> None:
    assert place.path is not None
    with serving(place) as server:
        with open_tokens(place.url) as tokens:
            token = tokens.create("admin", AccessScope.ADMIN).text
        headers = {"authorization": f"Bearer {token}"}
        http_target = server.http_target
        with channel(server.grpc_target) as opened:

            def over_grpc() -> Any:
                send = opened.unary_unary(LIST.path)
                return send(b"", timeout=30, metadata=tuple(headers.items()))

            def unauthenticated_write() -> Any:
                return post_json(http_target, CREATE, secret("x"), authorization="Bearer made-up").status

            operations: dict[str, Callable[[], Any]] = {
                "cached read": lambda: post_json(http_target, LIST, {}, **headers).status,
                "read": lambda: post_json(http_target, LIST, {"pageSize": 7}, **headers).status,
                "read over gRPC": over_grpc,
                "made-up token": unauthenticated_write,
                "health": lambda: request(http_target, "GET", "/healthz").status,
                "readiness": lambda: request(http_target, "GET", "/readyz").status,
            }
            operations["cached read"]()
            slow: list[tuple[str, float]] = []
            with stuck_writers(server, place.path, headers) as writing:
                # Longer than tokens stay in the cache.
                end = time.monotonic() + 3
                while time.monotonic() < end:
                    for name, operation in operations.items():
                        result, seconds = timed(operation)
                        if seconds > SECONDS:
                            slow.append((name, seconds))
                        if name in {"cached read", "read", "health"}:
                            assert result == 200, name
                        elif name == "made-up token":
                            assert result == 401
                    time.sleep(0.05)
            assert slow == []
            failures = [http_failure(each.result()) for each in writing if each.result().status != 200]
            assert {failure.code for failure in failures} <= {"unavailable"}
            assert post_json(http_target, CREATE, secret("afterwards"), **headers).status == 200


def test_a_write_that_waits_too_long_is_refused(place: Place) -> None:
    assert place.path is not None
    limits = Limits(store_write_timeout_s=30, write_workers=1, queue_timeout_s=0.3)
    with serving(place, limits) as server, write_lock(place.path), ThreadPoolExecutor(1) as pool:
        first = pool.submit(post_json, server.http_target, CREATE, secret("first"), connect_timeout_ms="1500")
        time.sleep(0.2)
        response, seconds = timed(lambda: post_json(server.http_target, CREATE, secret("second")))
        failure = http_failure(response)
        assert (failure.code, failure.reason) == ("unavailable", "SERVER_BUSY")
        assert 0.3 <= seconds < 1.3
        assert http_failure(first.result()).code == "deadline_exceeded"


def ready(server: Server) -> tuple[int, str]:
    response = request(server.http_target, "GET", "/readyz")
    return response.status, response.json.get("message", "")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_readiness_reports_writes_that_do_not_get_through_and_recovers(place: Place) -> None:
    assert place.path is not None
    with serving(place) as server, ThreadPoolExecutor(1) as pool:
        with write_lock(place.path):
            began = time.monotonic()
            writing = pool.submit(post_json, server.http_target, CREATE, secret("s"))
            until(lambda: ready(server)[0] == 503)
            assert time.monotonic() - began >= 1
            assert "write" in ready(server)[1]
            # The write has failed, and no client repeats it.
            assert http_failure(writing.result()).reason == "STORE_BUSY"
            assert ready(server)[0] == 503
            assert "busy" in ready(server)[1]
        until(lambda: ready(server)[0] == 200)
        assert post_json(server.http_target, CREATE, secret("s")).status == 200


def test_a_lock_on_a_table_fails_its_reads_soon_and_no_others(postgresql_place: Place) -> None:
    limits = Limits(store_lock_timeout_s=0.5, store_write_timeout_s=1.0)
    with serving(postgresql_place, limits) as server, channel(server.grpc_target) as opened:
        target = server.http_target
        with postgresql_place.connected() as connection:
            connection.exec_driver_sql("LOCK TABLE endpoints")
            with ThreadPoolExecutor(40) as pool:
                began = time.monotonic()
                waiting = [pool.submit(post_json, target, methods.LIST_GATEWAY_ENDPOINTS, {}) for _ in range(40)]
                response, seconds = timed(lambda: request(target, "GET", "/readyz"))
                assert (response.status, seconds < SECONDS) == (200, True)
                for each in waiting:
                    failure = http_failure(each.result())
                    assert (failure.code, failure.reason) == ("unavailable", "STORE_BUSY")
                # 16 at a time.
                assert time.monotonic() - began < 15
            with pytest.raises(grpc.RpcError) as caught:
                call(opened, methods.LIST_GATEWAY_ENDPOINTS, b"")
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert post_json(target, LIST, {}).status == 200
            assert post_json(target, CREATE, secret("s")).status == 200
            assert request(target, "GET", "/readyz").status == 200
        assert post_json(target, methods.LIST_GATEWAY_ENDPOINTS, {}).status == 200
