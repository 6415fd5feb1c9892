"""The response of a gRPC stream."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Protocol

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.telemetry.request_context import RequestContext


class ResponseWriter(Protocol):
    """The part of gRPC's context of a call that writes the response."""

    async def send_initial_metadata(self, initial_metadata: tuple[tuple[str, str], ...], /) -> None:
        """Send headers."""
        ...

    async def write(self, message: bytes, /) -> None:
        """Send a message, when there is room for it."""
        ...


class GrpcSink:
    """A MessageSink."""

    def __init__(self, writer: ResponseWriter, context: RequestContext, timeout: float) -> None:
        """Create a sink.

        Args:
            writer: gRPC's.
            context: the telemetry of the call.
            timeout: seconds for a message to be sent.
        """
        self._writer = writer
        self._context = context
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it is created in the task of its call.
        self._task: asyncio.Task[Any] = task
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._is_late = False

    async def start(self) -> None:
        """Send the headers."""
        await self._writer.send_initial_metadata(())

    async def send(self, message: bytes) -> None:
        """Send a message.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED; the client does not read.
        """
        self._deadline = self._loop.time() + self._timeout
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._check)
        try:
            await self._writer.write(message)
        except asyncio.CancelledError:
            if not self._is_late or self._task.uncancel() > 0:
                raise
            raise GatewayError(Code.RESOURCE_EXHAUSTED, "the client reads too slowly", reason="SLOW_READER") from None
        finally:
            self._deadline = math.inf
        self._context.add_message(len(message))

    def close(self) -> None:
        """End the timer, after the last message."""
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        """End the task if its message is late. A timer for each message would cost as much as the message."""
        self._timer = None
        if self._deadline == math.inf:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._check)
        else:
            self._is_late = True
            self._task.cancel()
