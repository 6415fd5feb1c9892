"""From an event loop to the service: worker threads, deadlines, and the end of both."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method, Request, Response
from gateway_entities.server.rpc.auth import AuthenticateFn, Credentials, Principal, allow_anonymous, needed_for
from gateway_entities.server.rpc.errors import bounded, internal_error
from gateway_entities.server.rpc.response_cache import Key, ResponseCache
from gateway_entities.server.service.context import CALLER

T = TypeVar("T")

_WORKERS: Final = 16
_QUIET_SECONDS: Final = 0.1
"""How long no call must have come for nobody to be calling."""


class Dispatcher:
    """Runs calls of one service in worker threads, for every edge of the server.

    Make and use it on one event loop; only ``serve`` may be called from other threads.
    """

    def __init__(
        self,
        service: object,
        *,
        admit: AuthenticateFn = allow_anonymous,
        known: ResponseCache | None = None,
        workers: int = _WORKERS,
    ) -> None:
        """Say what serves the calls.

        Args:
            service: an object with one method for each ``Method.handler``.
            admit: decides about each caller; it runs in a worker thread.
            known: the answers that need no worker thread; None for none.
            workers: the number of worker threads.
        """
        self._service = service
        self._admit = admit
        self._known = known
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="gateway-call")
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self._last_call = -math.inf
        self._abandoned: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def known(
        self, key: Key, method: Method[Any, Any], credentials: Credentials, timeout: float | None
    ) -> bytes | None:
        """Return an answer that is known already, without a worker thread; None when ``run`` has to find it out.

        Args:
            key: of the request.
            method: the RPC.
            credentials: what the caller shows of who it is.
            timeout: as in ``run``.
        """
        if self._known is None or self._draining or (timeout is not None and timeout <= 0):
            return None
        self._begin()
        try:
            found = await self._known.find(key, method, credentials, timeout)
        finally:
            self._end()
        return None if found is None else found[1]

    def known_at_once(
        self, key: Key, method: Method[Any, Any], credentials: Credentials, timeout: float | None
    ) -> tuple[Principal, bytes] | None:
        """Return the same with the caller, without waiting for anything; None also when there is something to wait for."""
        if self._known is None or self._draining or (timeout is not None and timeout <= 0):
            return None
        return self._known.find_at_once(key, method, credentials)

    def keep(self, key: Key, response: Message, data: bytes) -> None:
        """Keep an answer for ``known``, if it is one that can be known."""
        if self._known is not None:
            self._known.keep(key, response, data)

    def serve(self, method: Method[Request, Response], credentials: Credentials, read: Callable[[], Request]) -> Response:
        """Serve one request in this thread: what a function that is given to ``run`` calls.

        Args:
            method: the RPC.
            credentials: what the caller shows of who it is.
            read: returns the request; it is called once the caller is admitted.

        Raises:
            GatewayError: UNAUTHENTICATED or PERMISSION_DENIED; what ``read`` and the service raise.
        """
        name = self._admit(credentials, needed_for(method))
        handler: Callable[[Request], Response] = getattr(self._service, method.handler)
        before = CALLER.set(name)
        try:
            return handler(read())
        finally:
            CALLER.reset(before)

    async def run(self, work: Callable[[], T], timeout: float | None, *, during: str) -> T:
        """Run a function in a worker thread and return its result.

        When the deadline passes, or the caller is cancelled, this ends at once. A function that has not started by then
        never does. One that has started runs to its end, since a thread cannot be stopped: its transaction may still be
        committed, so the caller cannot know whether the call had an effect.

        Args:
            work: the function.
            timeout: seconds from now, None for no limit.
            during: what the function does, such as the path of an RPC, for the log.

        Raises:
            GatewayError: the function's own, in a size that every transport carries; DEADLINE_EXCEEDED; UNAVAILABLE, when
                the server stops; INTERNAL, with an id that the log has too, for any other exception of the function.
        """
        self._last_call = time.monotonic()
        if self._draining:
            raise _stopping()
        if timeout is not None and timeout <= 0:
            raise _too_late()
        deadline = None if timeout is None else time.monotonic() + timeout
        self._begin()
        result = asyncio.wrap_future(self._pool.submit(copy_context().run, _guarded, work, deadline, during))
        try:
            await asyncio.wait((result, self._abandoned), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if result.done():
                return result.result()
            raise _stopping() if self._abandoned.done() else _too_late()
        finally:
            result.cancel()
            self._end()

    def _begin(self) -> None:
        self._in_flight += 1
        self._idle.clear()

    def _end(self) -> None:
        self._in_flight -= 1
        if not self._in_flight:
            self._idle.set()

    async def drain(self, grace: float) -> None:
        """Refuse new calls from now on, and wait for those in flight.

        Args:
            grace: seconds to wait. Calls that take longer are answered UNAVAILABLE.
        """
        self._draining = True
        try:
            await asyncio.wait_for(self._idle.wait(), grace)
        except TimeoutError:
            if not self._abandoned.done():
                self._abandoned.set_result(None)
            await self._idle.wait()

    async def quiet(self, most: float) -> None:
        """Wait, after ``drain``, until no more calls come to be refused.

        gRPC answers CANCELLED to calls that come just when it closes, and clients do not repeat those. A caller that was
        told UNAVAILABLE goes elsewhere, or comes back later.

        Args:
            most: seconds to wait at most.
        """
        end = time.monotonic() + most
        while (left := min(end, self._last_call + _QUIET_SECONDS) - time.monotonic()) > 0:  # noqa: ASYNC110 - no event tells it.
            await asyncio.sleep(left)

    async def close(self) -> None:
        """End the worker threads, after whatever they still run. ``drain`` comes first."""
        # A thread of its own: the loop must go on, because a worker that ends tells it so.
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)


def _guarded(work: Callable[[], T], deadline: float | None, during: str) -> T:
    # The loop may have been too busy to see the deadline pass.
    if deadline is not None and time.monotonic() >= deadline:
        raise _too_late()
    try:
        return work()
    except GatewayError as error:
        raise bounded(error) from None
    except Exception as error:
        raise internal_error(error, during) from None


def _too_late() -> GatewayError:
    return GatewayError(Code.DEADLINE_EXCEEDED, "the deadline passed before the call ended")


def _stopping() -> GatewayError:
    return GatewayError(Code.UNAVAILABLE, "the server is stopping", reason="STOPPING")
