"""Behavior of the asyncio transports only."""

from __future__ import annotations

import asyncio

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import GET_GATEWAY_SECRET_INFO as GET
from gateway_entities.transports import open_async_transport
from gatewayentities.v1.secret_pb2 import GetGatewaySecretInfoRequest

REQUEST = GetGatewaySecretInfoRequest().SerializeToString()


@pytest.fixture(params=["grpc-async", "http-async"])
def pair(request):
    return request.param


async def test_cancelling_the_task_cancels_the_call_on_the_server(serve):
    arrived, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def block(incoming):
        loop.call_soon_threadsafe(arrived.set)
        if incoming.gone():
            loop.call_soon_threadsafe(ended.set)
        return b""

    transport = open_async_transport(serve(block).target)
    task = asyncio.create_task(transport.call(GET, REQUEST, timeout=None, metadata=None))
    await asyncio.wait_for(arrived.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(ended.wait(), 2)
    await transport.close()


async def test_a_scope_of_the_callers_own_ends_the_call(serve):
    transport = open_async_transport(serve(lambda incoming: incoming.gone() and b"").target)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await transport.call(GET, REQUEST, timeout=10, metadata=None)
    await transport.close()


async def test_more_calls_than_connections_wait_for_their_turn(serve):
    transport = open_async_transport(serve(lambda _incoming: b"").target)
    calls = [transport.call(GET, REQUEST, timeout=20, metadata=None) for _ in range(300)]
    assert len(await asyncio.gather(*calls)) == 300
    await transport.close()


def test_another_event_loop_is_refused(serve):
    transport = open_async_transport(serve(lambda _incoming: b"").target)

    async def call():
        await transport.call(GET, REQUEST, timeout=5, metadata=None)

    with asyncio.Runner() as runner:
        runner.run(call())
        with asyncio.Runner() as other, pytest.raises(GatewayError, match="event loop") as caught:
            other.run(call())
        assert caught.value.code is Code.FAILED_PRECONDITION
        runner.run(transport.close())


def test_a_transport_may_be_opened_outside_of_any_loop_and_never_used(pair):
    transport = open_async_transport(f"{pair.split('-')[0]}://127.0.0.1:1")
    asyncio.run(transport.close())
