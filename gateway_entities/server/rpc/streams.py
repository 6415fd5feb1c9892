"""The streams in flight: their number, their ends, and the check that their callers may still read them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterable
from concurrent.futures import Future
from contextlib import aclosing, suppress
from typing import Any, Final, Protocol

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.auth import AuthenticateFn, Credentials
from gateway_entities.server.rpc.lane import Lane
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.service.context import deadline_exceeded
from gateway_entities.server.store.repositories.token import AccessScope

_CHECK_PERIOD_S: Final = 0.4
"""Seconds between two checks of the callers. A revoked token ends its streams so long after it has left the cache."""
_DRAIN_TIMEOUT_S: Final = 1.0
"""Seconds for streams to send their last message when the server stops."""
Access = tuple[Credentials, AccessScope]
"""What a caller was authenticated with."""

_LOST_ACCESS: Final = frozenset({Code.UNAUTHENTICATED, Code.PERMISSION_DENIED, Code.FAILED_PRECONDITION})


class MessageSink(Protocol):
    """The response of one stream, on its way to the client."""

    async def start(self) -> None:
        """Send the headers."""
        ...

    async def send(self, message: bytes) -> None:
        """Send an encoded message. It returns when the connection takes another one.

        Raises:
            GatewayError: the message cannot be sent.
        """
        ...


class OpenStream:
    """A stream in flight. For the event loop, in the task of its call."""

    __slots__ = ("_error", "_is_sending", "_task", "_timer")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        """Begin a stream in its task."""
        self._task = task
        self._error: GatewayError | None = None
        self._is_sending = False
        self._timer: asyncio.TimerHandle | None = None

    def end_after(self, seconds: float, error: GatewayError) -> None:
        """End it after so many seconds."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end, error)

    def end(self, error: GatewayError) -> None:
        """End it with an error, after the message that is being sent."""
        if self._error is None:
            self._error = error
            if not self._is_sending:
                self._task.cancel()

    def abort(self) -> None:
        """End it now: its client does not take the message that is being sent."""
        self._task.cancel()

    async def run(self, messages: AsyncGenerator[bytes], sink: MessageSink) -> None:
        """Send all messages.

        Raises:
            GatewayError: that of ``end``; what ``messages`` raises.
        """
        try:
            async with aclosing(messages):
                self._is_sending = True
                await sink.start()
                self._sent()
                async for message in messages:
                    self._is_sending = True
                    await sink.send(message)
                    self._sent()
        except asyncio.CancelledError:
            if self._error is None or self._is_sending:
                raise
            self._task.uncancel()
            raise self._error from None
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _sent(self) -> None:
        self._is_sending = False
        if self._error is not None:
            raise self._error


class Streams:
    """The streams of one dispatcher. For its event loop."""

    def __init__(self, authenticate: AuthenticateFn, lane: Lane, limits: Limits) -> None:
        """Create an empty set.

        Args:
            authenticate: authenticates the callers again while their streams last.
            lane: the worker threads for that.
            limits: the number of streams and their age.
        """
        self._authenticate = authenticate
        self._lane = lane
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        # Those of one token are checked together.
        self._open: dict[Access, set[OpenStream]] = {}
        self._admitted = 0
        self._is_checking = False
        self._empty = asyncio.Event()
        self._empty.set()

    def admit(self) -> Callable[[], None]:
        """Count a stream, and return the function that ends that.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED.
        """
        if self._admitted >= self._limits.streams:
            raise GatewayError(
                Code.RESOURCE_EXHAUSTED,
                f"the server has {self._admitted} streams in flight, its maximum; try again later",
                reason="TOO_MANY_STREAMS",
            )
        self._admitted += 1

        def release() -> None:
            self._admitted -= 1

        return release

    async def run(
        self,
        access: Access,
        messages: AsyncGenerator[bytes],
        sink: MessageSink,
        timeout: float | None,
    ) -> None:
        """Run a stream in this task.

        Args:
            access: what its caller was authenticated with.
            messages: the messages, which it closes.
            sink: the response.
            timeout: seconds until DEADLINE_EXCEEDED; None for no limit.

        Raises:
            GatewayError: DEADLINE_EXCEEDED; UNAVAILABLE at its maximum age, and when the server stops; UNAUTHENTICATED or
                PERMISSION_DENIED when the caller loses access; what ``messages`` raises.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine.
        stream = OpenStream(task)
        # Streams that began together must not end together.
        age = self._limits.stream_age_s * random.uniform(0.9, 1.1)  # noqa: S311
        if timeout is not None and timeout < age:
            stream.end_after(timeout, deadline_exceeded())
        else:
            stream.end_after(age, _too_old())
        own = self._open.setdefault(access, set())
        own.add(stream)
        self._empty.clear()
        if not self._is_checking:
            self._is_checking = True
            self._loop.call_later(_CHECK_PERIOD_S, self._check)
        try:
            await stream.run(messages, sink)
        finally:
            own.discard(stream)
            if not own:
                del self._open[access]
            if not self._open:
                self._empty.set()

    async def drain(self, error: GatewayError) -> None:
        """End every stream with an error. Those whose clients do not read are ended without one."""
        for stream in self._streams():
            stream.end(error)
        try:
            await asyncio.wait_for(self._empty.wait(), _DRAIN_TIMEOUT_S)
        except TimeoutError:
            for stream in self._streams():
                stream.abort()
            await self._empty.wait()

    def _streams(self) -> list[OpenStream]:
        return [stream for own in self._open.values() for stream in own]

    def _check(self) -> None:
        self._is_checking = bool(self._open)
        if self._is_checking:
            self._lane.submit(self._find_lost, list(self._open)).add_done_callback(self._report)

    def _find_lost(self, accesses: Iterable[Access]) -> dict[Access, GatewayError]:
        """Return the errors of callers without access, in a worker thread. A store that cannot be read is no reason."""
        lost: dict[Access, GatewayError] = {}
        for access in accesses:
            try:
                self._authenticate(*access)
            except GatewayError as error:
                if error.code in _LOST_ACCESS:
                    lost[access] = error
        return lost

    def _report(self, job: Future[dict[Access, GatewayError]]) -> None:
        # The loop may have ended without waiting for the job.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._checked, job)

    def _checked(self, job: Future[dict[Access, GatewayError]]) -> None:
        lost = {} if job.cancelled() or job.exception() else job.result()
        for access, error in lost.items():
            for stream in list(self._open.get(access, ())):
                stream.end(error)
        self._is_checking = not job.cancelled()
        if self._is_checking:
            self._loop.call_later(_CHECK_PERIOD_S, self._check)


def _too_old() -> GatewayError:
    return GatewayError(
        Code.UNAVAILABLE, "the stream has reached its maximum age; go on with a new one", reason="STREAM_AGE"
    )
