"""Admission of requests whose size is known only when they have been received, as gRPC's are."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.byte_budget import OVERLOADED

T = TypeVar("T")

_CONTENDED_TIMEOUT_S: Final = 1.0
"""Seconds for a request to arrive while others wait."""
_TIMER_PERIOD_S: Final = 0.25
"""Seconds, at most, that a time limit is late."""


class ReceiveQueue:
    """Receives so many requests concurrently. Others wait, and the connections take turns. Use it on one event loop."""

    def __init__(self, slots: int, timeout_s: float, max_waiting: int) -> None:
        """Create a queue.

        Args:
            slots: number of requests that are received concurrently.
            timeout_s: seconds for a request to arrive, and for the wait before it. The first is at most one second while
                other requests wait.
            max_waiting: number of requests that may wait.
        """
        self._slots = slots
        self._timeout_s = timeout_s
        self._max_waiting = max_waiting
        # In the order of their beginnings.
        self._receiving: dict[asyncio.Task[Any], float] = {}
        self._expired: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._waiters = 0

    async def receive(self, read: Callable[[], Awaitable[T]], connection: Callable[[], str]) -> T:
        """Receive one request.

        Args:
            read: receives it.
            connection: returns the name of its connection.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED if it cannot be received because of others; DEADLINE_EXCEEDED if it did not
                arrive in time. What ``read`` raises.
        """
        if self._slots and not self._waiters:
            self._slots -= 1
        else:
            await self._wait(connection())
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine.
        self._receiving[task] = time.monotonic()
        if self._timer is None:
            self._start_timer()
        try:
            return await read()
        except asyncio.CancelledError:
            if task not in self._expired:
                raise
            task.uncancel()
            raise GatewayError(
                Code.DEADLINE_EXCEEDED, "the request did not arrive in time", reason="REQUEST_TIMEOUT"
            ) from None
        finally:
            del self._receiving[task]
            self._expired.discard(task)
            self._free_slot()

    def _start_timer(self) -> None:
        # One timer for all: nearly every request arrives with its headers, and a timer for each costs more than the rest.
        period = min(_TIMER_PERIOD_S, self._timeout_s / 4)
        self._timer = asyncio.get_running_loop().call_later(period, self._expire)

    def _expire(self) -> None:
        self._timer = None
        timeout = min(self._timeout_s, _CONTENDED_TIMEOUT_S) if self._waiters else self._timeout_s
        latest = time.monotonic() - timeout
        for task, began in self._receiving.items():
            if began > latest:
                break
            if task not in self._expired:
                self._expired.add(task)
                task.cancel()
        if self._receiving:
            self._start_timer()

    async def _wait(self, connection: str) -> None:
        if self._waiters >= self._max_waiting:
            raise _overloaded()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(connection, deque()).append(turn)
        self._waiters += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if not turn.cancelled():
                # It got its turn meanwhile.
                self._free_slot()
            if isinstance(error, TimeoutError):
                raise _overloaded() from None
            raise
        finally:
            self._waiters -= 1

    def _free_slot(self) -> None:
        while self._waiting:
            connection, turns = next(iter(self._waiting.items()))
            del self._waiting[connection]
            turn = turns.popleft()
            if turns:
                # At the end: connections take turns.
                self._waiting[connection] = turns
            # It is cancelled if its call has ended.
            if not turn.done():
                turn.set_result(None)
                return
        self._slots += 1


def _overloaded() -> GatewayError:
    return GatewayError(Code.RESOURCE_EXHAUSTED, "too many requests wait to be received; try again later", reason=OVERLOADED)
