"""The dispatcher: threads, deadlines, cancellation, draining, and the log of failures."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
import time
from typing import Any

import pytest

from gateway_entities import methods
from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.server.rpc.auth import Credentials
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.rpc.response_cache import ResponseCache
from gatewayentities.v1.secret_pb2 import (
    CreateGatewaySecretRequest,
    DeleteGatewaySecretRequest,
    DeleteGatewaySecretResponse,
    GetGatewaySecretInfoRequest,
    GetGatewaySecretInfoResponse,
)
from tests.server.raw import worker_threads

CANARY = "sk-canary-7d1f"


async def execute(dispatcher: Any, method: Any, request: Any, timeout: float | None) -> Any:
    """Execute one call as the servers do."""
    return await dispatcher.submit(
        lambda: dispatcher.execute(method, Credentials(), lambda: request), timeout, during=method.path
    )


class Service:
    """Handlers that wait for the test."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.started: list[str] = []
        self.ended: list[str] = []

    def get_gateway_secret_info(self, request: GetGatewaySecretInfoRequest) -> GetGatewaySecretInfoResponse:
        return GetGatewaySecretInfoResponse(
            secret={"secret_id": request.secret_id, "provider": threading.current_thread().name}
        )

    def delete_gateway_secret(self, request: DeleteGatewaySecretRequest) -> DeleteGatewaySecretResponse:
        self.started.append(request.secret_id)
        assert self.release.wait(10)
        self.ended.append(request.secret_id)
        return DeleteGatewaySecretResponse()

    def create_gateway_secret(self, request: CreateGatewaySecretRequest) -> None:
        try:
            raise KeyError(dict(request.secret_value))
        except KeyError as error:
            raise RuntimeError(f"could not store {request.secret_value['key']}") from error


@pytest.fixture
async def service():
    return Service()


@pytest.fixture
async def dispatcher(service):
    dispatcher = Dispatcher(service, limits=Limits(read_workers=2, write_workers=2))
    yield dispatcher
    service.release.set()
    await dispatcher.drain(5)
    await dispatcher.close()


async def slow(dispatcher: Dispatcher, name: str, timeout: float | None = None):
    return await execute(dispatcher, methods.DELETE_GATEWAY_SECRET, DeleteGatewaySecretRequest(secret_id=name), timeout)


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_call_runs_in_a_worker_thread(dispatcher):
    response = await execute(dispatcher, methods.GET_GATEWAY_SECRET_INFO, GetGatewaySecretInfoRequest(secret_id="s-1"), None)
    assert response.secret.secret_id == "s-1"
    assert response.secret.provider.startswith("gateway-call")


async def test_the_loop_goes_on_while_a_call_runs(dispatcher, service):
    call = asyncio.create_task(slow(dispatcher, "s-1"))
    await until(lambda: service.started)
    await execute(dispatcher, methods.GET_GATEWAY_SECRET_INFO, GetGatewaySecretInfoRequest(), 5)
    service.release.set()
    assert await call == DeleteGatewaySecretResponse()


async def test_a_deadline_ends_the_wait_and_not_the_work(dispatcher, service):
    began = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        await slow(dispatcher, "s-1", 0.1)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    assert 0.1 <= time.monotonic() - began < 2
    service.release.set()
    await until(lambda: service.ended == ["s-1"])


async def test_a_caller_without_a_right_is_refused_without_a_worker_thread(service):
    def refuse(_credentials, _scope):
        raise GatewayError(Code.UNAUTHENTICATED, "no token")

    looked_up = []
    cache = ResponseCache(lambda: 1, refuse)
    dispatcher = Dispatcher(service, authenticate=lambda credentials, _: looked_up.append(credentials), cache=cache)
    with pytest.raises(GatewayError) as caught:
        await dispatcher.authenticate(methods.GET_GATEWAY_SECRET_INFO, Credentials(), None)
    assert caught.value.code is Code.UNAUTHENTICATED
    assert not looked_up
    await dispatcher.close()


async def test_a_call_whose_deadline_passes_in_the_queue_never_runs(dispatcher, service):
    busy = [asyncio.create_task(slow(dispatcher, name)) for name in ("a", "b")]
    await until(lambda: len(service.started) == 2)
    with pytest.raises(GatewayError) as caught:
        await slow(dispatcher, "late", 0.05)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    service.release.set()
    await asyncio.gather(*busy)
    await slow(dispatcher, "next")
    assert service.started == ["a", "b", "next"]


async def test_a_call_whose_deadline_passes_while_its_request_is_read_does_nothing_more(dispatcher, service):
    read = threading.Event()
    resume = threading.Event()

    def slowly():
        read.set()
        assert resume.wait(10)
        return DeleteGatewaySecretRequest(secret_id="late")

    def work():
        return dispatcher.execute(methods.DELETE_GATEWAY_SECRET, Credentials(), slowly)

    with pytest.raises(GatewayError) as caught:
        await dispatcher.submit(work, 0.05, during="a test")
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    assert read.is_set()
    resume.set()
    await dispatcher.drain(5)
    assert service.started == []


async def test_a_call_whose_caller_goes_while_its_request_is_read_does_nothing_more(dispatcher, service):
    read = threading.Event()
    resume = threading.Event()

    def slowly():
        read.set()
        assert resume.wait(10)
        return DeleteGatewaySecretRequest(secret_id="gone")

    def work():
        return dispatcher.execute(methods.DELETE_GATEWAY_SECRET, Credentials(), slowly)

    call = asyncio.create_task(dispatcher.submit(work, None, during="a test"))
    await until(read.is_set)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    resume.set()
    await dispatcher.drain(5)
    await dispatcher.close()
    assert service.started == []


async def test_a_whole_list_waits_for_other_whole_lists_only(dispatcher):
    runs, release = threading.Event(), threading.Event()

    def call(work, **options):
        return dispatcher.call(methods.LIST_GATEWAY_SECRET_INFOS, Credentials(), work, 5, **options)

    def slow_list():
        runs.set()
        return release.wait(5)

    first = asyncio.create_task(call(slow_list, is_whole_list=True))
    # The second may otherwise come first.
    await until(runs.is_set)
    second = asyncio.create_task(call(release.is_set, is_whole_list=True))
    assert await call(lambda: "a page") == "a page"
    await asyncio.sleep(0.05)
    assert not second.done()
    release.set()
    assert await asyncio.gather(first, second) == [True, True]


async def test_a_call_that_is_cancelled_in_the_queue_never_runs(dispatcher, service):
    busy = [asyncio.create_task(slow(dispatcher, name)) for name in ("a", "b")]
    await until(lambda: len(service.started) == 2)
    waiting = asyncio.create_task(slow(dispatcher, "cancelled"))
    await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    service.release.set()
    await asyncio.gather(*busy)
    await slow(dispatcher, "next")
    assert service.started == ["a", "b", "next"]


@pytest.mark.parametrize("timeout", [0, -1])
async def test_a_deadline_that_has_passed_runs_nothing(dispatcher, service, timeout):
    with pytest.raises(GatewayError) as caught:
        await slow(dispatcher, "late", timeout)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    assert not service.started


async def test_a_deadline_that_a_busy_loop_does_not_see_runs_nothing(service):
    dispatcher = Dispatcher(service, limits=Limits(read_workers=1))
    busy = asyncio.create_task(slow(dispatcher, "a"))
    await until(lambda: service.started)
    late = asyncio.create_task(slow(dispatcher, "late", 0.05))
    await asyncio.sleep(0.01)
    # The worker is free after the deadline, while no timer of the loop can run.
    threading.Timer(0.15, service.release.set).start()
    time.sleep(0.4)
    with pytest.raises(GatewayError) as caught:
        await late
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    await busy
    await dispatcher.drain(1)
    await dispatcher.close()
    assert service.started == ["a"]


async def test_an_error_of_the_service_passes_unchanged(dispatcher):
    error = GatewayError(Code.NOT_FOUND, "no such thing", reason="X", field_violations=[FieldViolation("a", "b")])

    def fail() -> None:
        raise error

    with pytest.raises(GatewayError) as caught:
        await dispatcher.submit(fail, None, during="a test")
    assert caught.value is error


async def test_an_unexpected_exception_is_internal_with_the_id_of_the_log(dispatcher, caplog):
    request = CreateGatewaySecretRequest(secret_name=CANARY, secret_value={"key": CANARY})
    with caplog.at_level(logging.DEBUG), pytest.raises(GatewayError) as caught:
        await execute(dispatcher, methods.CREATE_GATEWAY_SECRET, request, None)
    assert caught.value.code is Code.INTERNAL
    match = re.fullmatch("internal error, id ([0-9a-f]{32})", caught.value.message)
    assert match
    [record] = caplog.records
    assert match[1] in record.getMessage()
    assert "/gatewayentities.v1.SecretService/CreateGatewaySecret" in record.getMessage()
    assert "builtins.RuntimeError" in record.getMessage()
    assert "builtins.KeyError" in record.getMessage()
    assert "in create_gateway_secret" in record.getMessage()


async def test_an_unexpected_exception_shows_nothing_of_the_request(dispatcher, caplog):
    request = CreateGatewaySecretRequest(secret_name=CANARY, secret_value={"key": CANARY})
    with caplog.at_level(logging.DEBUG), pytest.raises(GatewayError) as caught:
        await execute(dispatcher, methods.CREATE_GATEWAY_SECRET, request, None)
    formatted = "".join(logging.Formatter().format(record) for record in caplog.records)
    assert formatted
    assert CANARY not in formatted
    assert CANARY not in repr(vars(caught.value))
    assert caught.value.__cause__ is None


async def test_a_builtin_timeout_error_of_the_service_is_not_a_deadline(dispatcher):
    def fail() -> None:
        raise TimeoutError

    with pytest.raises(GatewayError) as caught:
        await dispatcher.submit(fail, 5, during="a test")
    assert caught.value.code is Code.INTERNAL


@pytest.mark.parametrize("character", ["x", "é", "漢", "\n"])
async def test_an_error_too_large_for_a_grpc_trailer_is_cut(dispatcher, character):
    violations = [FieldViolation(f"field[{n}]" + character * n * 20, character * 5000) for n in range(100)]

    def fail() -> None:
        raise GatewayError(Code.INVALID_ARGUMENT, character * 50_000, reason="R", field_violations=violations)

    with pytest.raises(GatewayError) as caught:
        await dispatcher.submit(fail, None, during="a test")
    error = caught.value
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "R")
    assert error.field_violations
    assert error.field_violations[0].field == "field[0]"
    assert f"({100 - len(error.field_violations)} of 100 violations are left out)" in error.message
    size = sum(len(detail.SerializeToString()) for detail in error.details()) + len(error.message.encode())
    assert size < 5000


async def test_drain_waits_for_calls_in_flight_and_refuses_new_ones(dispatcher, service):
    call = asyncio.create_task(slow(dispatcher, "s-1"))
    await until(lambda: service.started)
    draining = asyncio.create_task(dispatcher.drain(5))
    await asyncio.sleep(0.02)
    with pytest.raises(GatewayError) as caught:
        await slow(dispatcher, "new")
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "STOPPING")
    assert not draining.done()
    service.release.set()
    await draining
    assert await call == DeleteGatewaySecretResponse()
    assert service.started == ["s-1"]


async def test_drain_fails_calls_after_its_grace(dispatcher, service):
    call = asyncio.create_task(slow(dispatcher, "s-1"))
    await until(lambda: service.started)
    began = time.monotonic()
    await dispatcher.drain(0.1)
    assert time.monotonic() - began < 2
    with pytest.raises(GatewayError) as caught:
        await call
    assert caught.value.code is Code.UNAVAILABLE


async def test_a_second_drain_shortens_the_first(dispatcher, service):
    call = asyncio.create_task(slow(dispatcher, "s-1"))
    await until(lambda: service.started)
    first = asyncio.create_task(dispatcher.drain(60))
    await asyncio.sleep(0.02)
    await dispatcher.drain(0)
    await asyncio.wait_for(first, 1)
    with pytest.raises(GatewayError):
        await call


async def test_close_waits_for_the_work_and_leaves_no_thread(service):
    others = worker_threads()
    dispatcher = Dispatcher(service, limits=Limits(read_workers=2, write_workers=2))
    call = asyncio.create_task(slow(dispatcher, "s-1"))
    await until(lambda: service.started)
    await dispatcher.drain(0)
    await asyncio.wait([call])
    call.exception()
    threading.Timer(0.1, service.release.set).start()
    await dispatcher.close()
    assert service.ended == ["s-1"]
    assert worker_threads() <= others


async def test_threads_take_short_turns_only_while_a_whole_list_is_made(dispatcher):
    def turn(**options):
        return dispatcher.call(methods.LIST_GATEWAY_SECRET_INFOS, Credentials(), sys.getswitchinterval, 5, **options)

    usual = sys.getswitchinterval()
    assert await turn() == usual
    assert await turn(is_whole_list=True) < usual
    assert sys.getswitchinterval() == usual
