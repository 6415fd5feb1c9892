"""The calls in flight that wait for others: their number and their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import InvalidStateError
from contextlib import contextmanager, suppress

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.errors import internal_error
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.service.context import WAIT, Wait, deadline_exceeded


class Waits:
    """The calls of one dispatcher that wait. For its event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.waits
        self._waits: set[Wait] = set()

    @property
    def count(self) -> int:
        """The number of calls."""
        return len(self._waits)

    @contextmanager
    def admitted(self) -> Generator[Wait]:
        """Count a call for the duration of the block, and let it wait.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED; there are too many.
        """
        if len(self._waits) >= self._limit:
            raise GatewayError(
                Code.RESOURCE_EXHAUSTED,
                f"{len(self._waits)} calls wait for nodes at this server, its maximum; try again later",
                reason="TOO_MANY_WAITS",
            )
        wait = Wait()
        self._waits.add(wait)
        before = WAIT.set(wait)
        try:
            yield wait
        finally:
            WAIT.reset(before)
            wait.outcome.cancel()
            self._waits.discard(wait)

    def end(self, error: GatewayError) -> None:
        """End every wait with an error."""
        for wait in self._waits:
            # It may have been completed by now.
            with suppress(InvalidStateError):
                wait.outcome.set_exception(error)


async def wait_until_woken(wait: Wait, timeout: float | None, during: str) -> None:
    """Return when a call is to be made again.

    Args:
        wait: the call's.
        timeout: seconds from now, None for no limit.
        during: as of ``Dispatcher.submit``.

    Raises:
        GatewayError: DEADLINE_EXCEEDED; the error of the wait, INTERNAL for another exception.
    """
    try:
        async with asyncio.timeout(timeout):
            await asyncio.wrap_future(wait.outcome)
    except TimeoutError:
        raise deadline_exceeded() from None
    except GatewayError:
        raise
    except Exception as error:
        raise internal_error(error, during) from None
