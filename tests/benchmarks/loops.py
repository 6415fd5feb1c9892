"""Timed loops: repeat a call until the clock resolves its duration."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

_LEAD = 8
"""Untimed calls of each caller before each timed sample.

Idle and busy connections differ: on an idle one Linux acknowledges some packets immediately and the next ones after up to
40 ms, which delays a server that sends a response in two packets. A loop of calls measures a busy connection.
"""

_LEAD_SECONDS = 0.4
"""Time limit of the untimed calls."""

_LONG_SECONDS = 0.5
"""A call of this duration is not affected, and is timed alone."""


class Loop:
    """Seconds for one call of a function, as a sample.

    The first sample calibrates the number of calls.
    """

    def __init__(self, call: Callable[[], object], seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._burst = _repeat(call)
        self._seconds = seconds
        self._clock = clock
        self._calls = 0
        self._least = 1
        self._lead = 0

    def __call__(self) -> float:
        if not self._calls:
            self._calibrate()
        self._make_lead()
        return self._time(self._calls) / self._calls

    def _time(self, calls: int) -> float:
        start = self._clock()
        self._burst(calls)
        return self._clock() - start

    def _make_lead(self) -> None:
        end = time.perf_counter() + _LEAD_SECONDS
        for _ in range(self._lead):
            self._burst(self._least)
            if time.perf_counter() > end:
                break

    def _calibrate(self) -> None:
        calls = self._least
        # Warm-up: connects, imports and fills caches.
        self._burst(calls)
        if self._time(calls) > _LONG_SECONDS * calls:
            self._calls, self._lead = calls, 0
            return
        self._make_lead()
        while (taken := self._time(calls)) < self._seconds / 4:
            calls *= 4
        self._calls = max(self._least, round(calls * self._seconds / taken / self._least) * self._least)


class After:
    """Seconds for a call of a function, after an untimed call of another one."""

    def __init__(self, before: Callable[[], object], call: Callable[[], object], calls: int) -> None:
        self._before = before
        self._call = call
        self._calls = calls

    def __call__(self) -> float:
        taken = 0.0
        for _ in range(self._calls):
            self._before()
            start = time.perf_counter()
            self._call()
            taken += time.perf_counter() - start
        return taken / self._calls


class ThreadLoop(Loop):
    """The same with concurrent threads: wall seconds divided by the calls of all."""

    def __init__(self, call: Callable[[], object], seconds: float, threads: int, stack: ExitStack) -> None:
        super().__init__(call, seconds)
        self._call = call
        self._least = threads
        self._lead = _LEAD
        if threads > 1:
            self._pool = stack.enter_context(ThreadPoolExecutor(threads))
            self._burst = self._spread

    def _spread(self, calls: int) -> None:
        threads = self._least
        # A barrier excludes the creation of the threads.
        barrier = threading.Barrier(threads)

        def work() -> None:
            barrier.wait()
            for _ in range(calls // threads):
                self._call()

        for done in [self._pool.submit(work) for _ in range(threads)]:
            done.result()


class TaskLoop(Loop):
    """The same with concurrent asyncio tasks on one event loop."""

    def __init__(self, call: Callable[[], Awaitable[object]], seconds: float, tasks: int, runner: asyncio.Runner) -> None:
        super().__init__(lambda: None, seconds)
        self._least = tasks
        self._lead = _LEAD
        self._burst = lambda calls: runner.run(self._spread(call, calls // tasks))

    async def _spread(self, call: Callable[[], Awaitable[object]], each: int) -> None:
        async def work() -> None:
            for _ in range(each):
                await call()

        await asyncio.gather(*(work() for _ in range(self._least)))


def _repeat(call: Callable[[], object]) -> Callable[[int], None]:
    def burst(calls: int) -> None:
        for _ in itertools.repeat(None, calls):
            call()

    return burst
