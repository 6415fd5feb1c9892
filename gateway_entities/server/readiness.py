"""Readiness: the server accepts calls, its store responds, and writes get through."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.errors import internal_error

_log = logging.getLogger(__name__)

_TIMEOUT_S: Final = 2.0
"""Seconds within which the store has to respond for the server to be ready."""
_INTERVAL_S: Final = 1.0
"""Seconds between a check of the store and the next one."""


class Readiness:
    """Checks the store periodically and on request. Create and use it on one event loop.

    It has a thread of its own, so it works while all worker threads wait for the store. Concurrent requests share one check.
    """

    def __init__(self, ping: Callable[[], None]) -> None:
        """Create it with a function that raises GatewayError if the store is unavailable. It runs in a thread."""
        self._ping = ping
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gateway-ready")
        self._checking: asyncio.Future[None] | None = None
        self._stopping = False
        self._problem: str | None = None
        self._report: Callable[[bool], Awaitable[None]] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Return if the server is ready.

        Raises:
            GatewayError: it is not; UNAVAILABLE in most cases.
        """
        if self._stopping:
            raise GatewayError(Code.UNAVAILABLE, "the server is stopping", reason="STOPPING")
        try:
            await self._check()
        except GatewayError as error:
            self._log_change(error.message)
            raise
        self._log_change(None)

    async def _check(self) -> None:
        checking = self._checking
        if checking is None or checking.done():
            checking = self._checking = asyncio.wrap_future(self._thread.submit(self._check_store))
        done, _ = await asyncio.wait((checking,), timeout=_TIMEOUT_S)
        if not done:
            raise GatewayError(Code.UNAVAILABLE, "the store does not respond", reason="STORE_UNAVAILABLE")
        # Not self._checking: another request may have started the next check meanwhile.
        checking.result()

    def watch(self, report: Callable[[bool], Awaitable[None]]) -> None:
        """Check periodically, and report every change; the server counts as ready at first."""
        self._report = report
        self._watching = asyncio.create_task(self._watch(report))

    async def stop(self) -> None:
        """Be not ready from now on, and report it."""
        self._stopping = True
        if self._report is not None:
            await self._report(False)

    async def close(self) -> None:
        """End, after a check that may still run."""
        self._stopping = True
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await asyncio.to_thread(self._thread.shutdown)

    async def _watch(self, report: Callable[[bool], Awaitable[None]]) -> None:
        was_ready = True
        while not self._stopping:
            ready = True
            try:
                await self.check()
            except GatewayError:
                ready = False
            if ready != was_ready and not self._stopping:
                await report(ready)
                was_ready = ready
            await asyncio.sleep(_INTERVAL_S)

    def _log_change(self, problem: str | None) -> None:
        if (problem is None) != (self._problem is None) and not self._stopping:
            if problem is None:
                _log.info("ready again")
            else:
                _log.error("not ready: %s", problem)
        self._problem = problem

    def _check_store(self) -> None:
        try:
            self._ping()
        except GatewayError:
            raise
        except Exception as error:
            raise internal_error(error, "a check of the store") from None
