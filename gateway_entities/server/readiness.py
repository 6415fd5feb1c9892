"""Whether the server is ready: it takes calls, and its store answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.errors import internal_error

_ANSWER_SECONDS: Final = 2.0
"""How long the store may take to answer, if the server is to count as ready."""
_EVERY_SECONDS: Final = 1.0
"""How long after one look at the store the next one follows."""


class Readiness:
    """Looks at the store all the time, and at once when asked. Make and use it on one event loop.

    It has a thread of its own, so that it answers when all others wait for the store; and never looks twice at a time,
    however many ask and however long the store takes.
    """

    def __init__(self, ping: Callable[[], None]) -> None:
        """Take a function that fails with GatewayError when the store cannot be used. It runs in a thread."""
        self._ping = ping
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gateway-ready")
        self._looking: asyncio.Future[None] | None = None
        self._stopping = False
        self._tell: Callable[[bool], Awaitable[None]] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Return if the server is ready.

        Raises:
            GatewayError: it is not; UNAVAILABLE for the most part.
        """
        if self._stopping:
            raise GatewayError(Code.UNAVAILABLE, "the server is stopping", reason="STOPPING")
        looking = self._looking
        if looking is None or looking.done():
            looking = self._looking = asyncio.wrap_future(self._thread.submit(self._look))
        done, _ = await asyncio.wait((looking,), timeout=_ANSWER_SECONDS)
        if not done:
            raise GatewayError(Code.UNAVAILABLE, "the store does not answer", reason="STORE_UNAVAILABLE")
        # Of the look that was waited for: another question may have begun the next one meanwhile.
        looking.result()

    def watch(self, tell: Callable[[bool], Awaitable[None]]) -> None:
        """Keep looking, and tell whether the server is ready whenever that has changed. It counts as ready before."""
        self._tell = tell
        self._watching = asyncio.create_task(self._watch(tell))

    async def stop(self) -> None:
        """Be ready no more, and tell so."""
        self._stopping = True
        if self._tell is not None:
            await self._tell(False)

    async def close(self) -> None:
        """End, after the look at the store that may still be going on."""
        self._stopping = True
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await asyncio.to_thread(self._thread.shutdown)

    async def _watch(self, tell: Callable[[bool], Awaitable[None]]) -> None:
        was_ready = True
        while not self._stopping:
            ready = True
            try:
                await self.check()
            except GatewayError:
                ready = False
            if ready != was_ready and not self._stopping:
                await tell(ready)
                was_ready = ready
            await asyncio.sleep(_EVERY_SECONDS)

    def _look(self) -> None:
        try:
            self._ping()
        except GatewayError:
            raise
        except Exception as error:
            raise internal_error(error, "a look at the store") from None
