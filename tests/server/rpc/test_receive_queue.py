"""The queue of requests that wait to be received."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.receive_queue import ReceiveQueue


class Calls:
    """Calls that receive their requests through one queue; each arrives when the test says so."""

    def __init__(self, queue: ReceiveQueue) -> None:
        self._queue = queue
        self.arrivals: dict[str, asyncio.Future[bytes]] = {}
        self.tasks: dict[str, asyncio.Task[bytes]] = {}

    async def start(self, name: str, connection: str = "c") -> None:
        async def read() -> bytes:
            self.arrivals[name] = asyncio.get_running_loop().create_future()
            return await self.arrivals[name]

        self.tasks[name] = asyncio.create_task(self._queue.receive(read, lambda: connection))
        await settle()

    async def arrive(self, name: str) -> None:
        self.arrivals[name].set_result(name.encode())
        assert await self.tasks[name] == name.encode()
        await settle()

    async def error(self, name: str) -> tuple[Code, str | None]:
        with pytest.raises(GatewayError) as caught:
            await self.tasks[name]
        return caught.value.code, caught.value.reason


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def run(
    body: Callable[[Calls], Coroutine[Any, Any, None]], *, slots: int = 2, timeout_s: float = 30, max_waiting: int = 10
) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await body(Calls(ReceiveQueue(slots, timeout_s, max_waiting)))

    asyncio.run(main())


def test_so_many_are_received_concurrently_and_the_others_wait():
    async def body(calls: Calls) -> None:
        for name in "abcd":
            await calls.start(name)
        assert set(calls.arrivals) == set("ab")
        await calls.arrive("b")
        assert set(calls.arrivals) == set("abc")
        for name in "acd":
            await calls.arrive(name)

    run(body)


def test_connections_take_turns():
    async def body(calls: Calls) -> None:
        for name in ("first", "many 1", "many 2", "many 3"):
            await calls.start(name, "busy")
        await calls.start("single", "other")
        await calls.arrive("first")
        await calls.arrive("many 1")
        assert "single" in calls.arrivals
        assert "many 2" not in calls.arrivals

    run(body, slots=1)


def test_a_request_that_does_not_arrive_in_time_exceeds_the_deadline():
    async def body(calls: Calls) -> None:
        await calls.start("slow")
        assert await calls.error("slow") == (Code.DEADLINE_EXCEEDED, "REQUEST_TIMEOUT")
        await calls.start("next")
        await calls.arrive("next")

    run(body, slots=1, timeout_s=0.05)


def test_a_slow_request_makes_room_for_one_that_waits():
    async def body(calls: Calls) -> None:
        await calls.start("slow")
        await calls.start("next")
        assert await calls.error("slow") == (Code.DEADLINE_EXCEEDED, "REQUEST_TIMEOUT")
        await settle()
        await calls.arrive("next")

    run(body, slots=1)


def test_too_many_that_wait_exhaust_resources():
    async def body(calls: Calls) -> None:
        for name in "abc":
            await calls.start(name)
        assert await calls.error("c") == (Code.RESOURCE_EXHAUSTED, "OVERLOADED")
        await calls.arrive("a")
        await calls.arrive("b")

    run(body, slots=1, max_waiting=1)


def test_calls_that_end_while_they_wait_take_no_slot():
    async def body(calls: Calls) -> None:
        for name in "abcd":
            await calls.start(name)
        calls.tasks["b"].cancel()
        # It has its turn and is cancelled before it runs.
        calls.arrivals["a"].set_result(b"a")
        await calls.tasks["a"]
        calls.tasks["c"].cancel()
        await settle()
        assert calls.tasks["b"].cancelled()
        assert calls.tasks["c"].cancelled()
        await calls.arrive("d")
        await calls.start("e")
        await calls.arrive("e")

    run(body, slots=1)


def test_a_cancelled_call_is_not_a_time_limit():
    async def body(calls: Calls) -> None:
        await calls.start("gone")
        calls.tasks["gone"].cancel()
        with pytest.raises(asyncio.CancelledError):
            await calls.tasks["gone"]
        await calls.start("next")
        await calls.arrive("next")

    run(body, slots=1)
