"""From an event loop to the service: lanes of worker threads, deadlines, cancellation and draining."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import (
    WAIT_FOR_GATEWAY_CONVERGENCE,
    Method,
    Request,
    Response,
)
from gateway_entities.server.rpc.auth import AuthenticateFn, Credentials, Principal, allow_anonymous, required_scope
from gateway_entities.server.rpc.codec import PROTO, Codec
from gateway_entities.server.rpc.errors import internal_error, truncate_error
from gateway_entities.server.rpc.lane import READ_METHODS, Lane
from gateway_entities.server.rpc.lanes import Lanes
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits
from gateway_entities.server.rpc.response_cache import CACHEABLE_METHODS, Key, ResponseCache
from gateway_entities.server.rpc.short_turns import in_short_turns
from gateway_entities.server.rpc.streams import MessageSink, Streams
from gateway_entities.server.rpc.waits import Waits, wait_until_woken
from gateway_entities.server.service.context import (
    CALL,
    CALLER,
    ENDPOINTS,
    OWNERS,
    SCOPE,
    Call,
    StillWaiting,
    check_call,
    deadline_exceeded,
    encoded_entities,
)

T = TypeVar("T")

_QUIET_PERIOD_S: Final = 0.1
"""Seconds without a new call after which no more are expected."""


class Dispatcher:
    """Runs the calls of one service in worker threads, for every protocol of the server.

    Reads, whole lists, writes, resolutions of endpoints and the authentication that has to read the store have worker
    threads of their own: none of them waits for another.

    Create and use it on one event loop; only ``execute`` and ``put_cached`` may be called from other threads.
    """

    def __init__(
        self,
        service: object,
        *,
        authenticate: AuthenticateFn = allow_anonymous,
        cache: ResponseCache | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Create a dispatcher.

        Args:
            service: an object with one method for each ``Method.handler``.
            authenticate: authenticates each call, in a worker thread.
            cache: responses that need no worker thread; None for no cache.
            limits: the numbers of worker threads, and the maximum wait for one.
        """
        self._service = service
        self._authenticate = authenticate
        self._cache = cache
        self._loop = asyncio.get_running_loop()
        self._lanes = Lanes(limits)
        self._waits = Waits(limits)
        self._streams = Streams(authenticate, self._lanes.tokens, limits)
        self._outcomes: set[asyncio.Future[Any]] = set()
        self._lookups = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self._last_call = -math.inf

    @property
    def waits(self) -> int:
        """The number of calls that wait for others."""
        return self._waits.count

    def can_get_cached(self, method: Method[Any, Any]) -> bool:
        """Whether ``get_cached`` can return responses of an RPC."""
        return self._cache is not None and self._cache.probe is None and method in CACHEABLE_METHODS

    def get_cached(
        self, key: Key, method: Method[Any, Any], credentials: Credentials, timeout: float | None
    ) -> tuple[Principal, bytes] | None:
        """Return the caller and the cached response; None if ``submit`` has to compute it.

        Args:
            key: of the request.
            method: the RPC.
            credentials: the caller's.
            timeout: as in ``submit``.
        """
        if self._cache is None or self._draining or (timeout is not None and timeout <= 0):
            return None
        return self._cache.get(key, method, credentials)

    async def revalidate_cached(
        self, key: Key, method: Method[Any, Any], credentials: Credentials, timeout: float | None
    ) -> bytes | None:
        """Return the cached response as ``get_cached`` does, also where the store has to be awaited.

        Raises:
            GatewayError: as ``authenticate``.
        """
        if self._cache is None or self._draining or (timeout is not None and timeout <= 0):
            return None
        if self._cache.has(key):
            await self.authenticate(method, credentials, timeout)
        if self._cache.probe is None:
            found = self._cache.get(key, method, credentials)
        else:
            self._lookups += 1
            self._idle.clear()
            try:
                found = await self._cache.revalidate(key, method, credentials, timeout)
            finally:
                self._lookups -= 1
                self._set_idle()
        return None if found is None else found[1]

    def put_cached(self, key: Key, response: Message, data: bytes) -> None:
        """Cache a response if its RPC is cacheable."""
        if self._cache is not None:
            self._cache.put(key, response, data)

    def execute(self, method: Method[Request, Response], credentials: Credentials, read: Callable[[], Request]) -> Response:
        """Execute one call in this thread, from a function that runs by ``submit``.

        Args:
            method: the RPC.
            credentials: the caller's.
            read: returns the request; called after authentication.

        Raises:
            GatewayError: UNAUTHENTICATED or PERMISSION_DENIED; what ``read`` and the service raise.
        """
        principal = self._authenticate(credentials, required_scope(method))
        handler: Callable[[Request], Response] = getattr(self._service, method.handler)
        caller, endpoints = CALLER.set(principal.name), ENDPOINTS.set(principal.endpoints)
        scope, owners = SCOPE.set(principal.scope), OWNERS.set(principal.owners)
        try:
            check_call()
            request = read()
            check_call()
            response = handler(request)
            if method in READ_METHODS:
                # Before it is encoded. A change has been made, and is reported.
                check_call()
            return response
        finally:
            CALLER.reset(caller)
            ENDPOINTS.reset(endpoints)
            SCOPE.reset(scope)
            OWNERS.reset(owners)

    def execute_encoded(
        self, method: Method[Request, Response], credentials: Credentials, read: Callable[[], Request], codec: Codec
    ) -> tuple[Response, bytes]:
        """Execute one call as ``execute`` does, and encode its response.

        Returns:
            The response message, which is without the entities of a list if no message was made of them, and its encoding,
            which has them.
        """
        if codec is not PROTO:
            response = self.execute(method, credentials, read)
            return response, codec.encode(response)
        with encoded_entities() as entities:
            response = self.execute(method, credentials, read)
        return response, b"".join((*entities, codec.encode(response)))

    def authenticates(self, method: Method[Any, Any], credentials: Credentials) -> bool:
        """Whether a caller may make a call, as far as that is known without reading the store."""
        return self._cache is not None and self._cache.authenticates(method, credentials)

    async def authenticate(self, method: Method[Any, Any], credentials: Credentials, timeout: float | None) -> None:
        """Authenticate a caller without waiting for other calls.

        Args:
            method: the RPC.
            credentials: the caller's.
            timeout: as in ``submit``.

        Raises:
            GatewayError: UNAUTHENTICATED or PERMISSION_DENIED; what ``submit`` raises.
        """
        # Most callers without a right to the call are refused here too, so that they cost little. A new token may not be in
        # the cache yet.
        if self._cache is None or not self._cache.authenticate(method, credentials):
            work = partial(self._authenticate, credentials, required_scope(method))
            await self.submit(work, timeout, during=method.path, lane=self._lanes.tokens)

    async def call(
        self,
        method: Method[Any, Any],
        credentials: Credentials,
        work: Callable[[], T],
        timeout: float | None,
        *,
        during: str | None = None,
        is_whole_list: bool = False,
    ) -> T:
        """Authenticate a caller, and then run its call in a worker thread and return the result.

        Args:
            method: the RPC.
            credentials: the caller's.
            work: the call, which uses ``execute``.
            timeout: as in ``submit``.
            during: as in ``submit``; the path of the RPC by default.
            is_whole_list: whether it returns a list without pages, which may take seconds of processor time.

        Raises:
            GatewayError: as ``submit``.
        """
        if not self.authenticates(method, credentials):
            began = time.monotonic()
            await self.authenticate(method, credentials, timeout)
            timeout = None if timeout is None else timeout - (time.monotonic() - began)
        if is_whole_list:
            work = partial(in_short_turns, work)
        lane = self._lanes.lists if is_whole_list else self._lanes.of(method)
        if method is WAIT_FOR_GATEWAY_CONVERGENCE:
            return await self._wait(work, timeout, during or method.path, lane)
        return await self.submit(work, timeout, during=during or method.path, lane=lane)

    async def stream(
        self,
        method: Method[Request, Any],
        credentials: Credentials,
        read: Callable[[], Request],
        sink: MessageSink,
        timeout: float | None,
    ) -> None:
        """Run a call with a stream of responses in this task, and return at its end.

        The service's function is called on the event loop and returns an async generator of encoded messages, which is
        suspended while the client does not read.

        Args:
            method: the RPC.
            credentials: the caller's.
            read: returns the request; called in a worker thread, after authentication.
            sink: the response.
            timeout: as in ``submit``.

        Raises:
            GatewayError: as ``submit``; RESOURCE_EXHAUSTED if there are too many streams; UNAVAILABLE when the server stops
                or the stream reaches its maximum age; UNAUTHENTICATED when the caller's token is revoked or expires.
        """
        began, access = time.monotonic(), (credentials, required_scope(method))

        def begin() -> tuple[Principal, Request]:
            return self._authenticate(*access), read()

        release = self._streams.admit()
        try:
            principal, request = await self.submit(begin, timeout, during=method.path)
            if self._draining:
                raise _stopping()
            # For the whole stream: its task is the call's own.
            CALLER.set(principal.name)
            ENDPOINTS.set(principal.endpoints)
            handler: Callable[[Request], AsyncGenerator[bytes]] = getattr(self._service, method.handler)
            left = None if timeout is None else timeout - (time.monotonic() - began)
            await self._streams.run(access, handler(request), sink, left)
        except GatewayError as error:
            raise truncate_error(error) from None
        except Exception as error:
            raise internal_error(error, method.path) from None
        finally:
            release()

    async def _wait(self, work: Callable[[], T], timeout: float | None, during: str, lane: Lane) -> T:
        """Run a call that waits for others, and while it does so in no worker thread."""
        with self._waits.admitted() as wait:
            with contextlib.suppress(StillWaiting):
                return await self.submit(work, timeout, during=during, lane=lane)
            await wait_until_woken(wait, wait.left(timeout), during)
            return await self.submit(work, wait.left(timeout), during=during, lane=lane)

    async def submit(self, work: Callable[[], T], timeout: float | None, *, during: str, lane: Lane | None = None) -> T:
        """Run a function in a worker thread and return its result.

        It returns at the deadline and on cancellation. A function that has not started by then never does. One that has
        started runs on until it next checks the call, because a thread cannot be stopped: its transaction may just have
        been committed, so the caller cannot tell whether the call had an effect.

        Args:
            work: the function.
            timeout: seconds from now, None for no limit.
            during: what the function does, such as the path of an RPC, for the log.
            lane: its worker threads; by default those of reads.

        Raises:
            GatewayError: the function's own, in a size that every transport carries; DEADLINE_EXCEEDED; UNAVAILABLE, when
                the server stops or no worker thread gets free; INTERNAL, with an id that the log has too, for any other
                exception of the function.
        """
        self._last_call = time.monotonic()
        if self._draining:
            raise _stopping()
        if timeout is not None and timeout <= 0:
            raise deadline_exceeded()
        call = Call(None if timeout is None else time.monotonic() + timeout)
        outcome: asyncio.Future[T] = self._loop.create_future()
        self._outcomes.add(outcome)
        self._idle.clear()
        lane = lane or self._lanes.reads
        job = lane.submit(copy_context().run, _guarded, work, call, during)
        job.add_done_callback(lambda done: self._report(done, outcome))
        if timeout is None or timeout > lane.queue_timeout:
            waiting = self._loop.call_later(lane.queue_timeout, _give_up, job, outcome, lane)
        else:
            waiting = None
        timer = None if timeout is None else self._loop.call_later(timeout, _fail, outcome, deadline_exceeded())
        try:
            return await outcome
        finally:
            for each in (timer, waiting):
                if each is not None:
                    each.cancel()
            call.is_over = True
            job.cancel()
            self._outcomes.discard(outcome)
            self._set_idle()

    def _report(self, job: Future[T], outcome: asyncio.Future[T]) -> None:
        # The loop may have ended without waiting for the work.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_settle, job, outcome)

    def _set_idle(self) -> None:
        if not self._outcomes and not self._lookups:
            self._idle.set()

    async def drain(self, grace: float) -> None:
        """Refuse new calls from now on, and wait for those in flight.

        Args:
            grace: seconds to wait. Calls that take longer are answered UNAVAILABLE.
        """
        self._draining = True
        self._waits.end(_stopping())
        await self._streams.drain(_stopping())
        try:
            await asyncio.wait_for(self._idle.wait(), grace)
        except TimeoutError:
            for outcome in self._outcomes:
                _fail(outcome, _stopping())
            await self._idle.wait()

    async def wait_for_quiet(self, timeout: float) -> None:
        """Wait, after ``drain``, until no more calls arrive to be refused.

        gRPC answers CANCELLED to calls that arrive while it closes, and clients do not retry those. A caller that gets
        UNAVAILABLE does.

        Args:
            timeout: seconds to wait at most.
        """
        end = time.monotonic() + timeout
        while (left := min(end, self._last_call + _QUIET_PERIOD_S) - time.monotonic()) > 0:  # noqa: ASYNC110 - there is no event.
            await asyncio.sleep(left)

    async def close(self) -> None:
        """End the worker threads after the work that they still run. ``drain`` comes first."""
        # In a thread, because the loop has to run on: a worker reports its end to it.
        await asyncio.to_thread(self._lanes.close)


def _guarded(work: Callable[[], T], call: Call, during: str) -> T:
    # The context is a copy for this call.
    CALL.set(call)
    try:
        # The loop may have been too busy to see the deadline pass.
        check_call()
        return work()
    except StillWaiting:
        raise
    except GatewayError as error:
        raise truncate_error(error) from None
    except Exception as error:
        raise internal_error(error, during) from None


def _give_up(job: Future[Any], outcome: asyncio.Future[Any], lane: Lane) -> None:
    # Work that has started goes on.
    if job.cancel():
        _fail(outcome, lane.busy())


def _settle(job: Future[T], outcome: asyncio.Future[T]) -> None:
    if outcome.done():
        return
    if job.cancelled():
        outcome.cancel()
    elif (error := job.exception()) is not None:
        outcome.set_exception(error)
    else:
        outcome.set_result(job.result())


def _fail(outcome: asyncio.Future[Any], error: GatewayError) -> None:
    if not outcome.done():
        outcome.set_exception(error)


def _stopping() -> GatewayError:
    return GatewayError(Code.UNAVAILABLE, "the server is stopping", reason="STOPPING")
