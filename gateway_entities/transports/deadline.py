"""Deadlines of calls, the errors that end them, and the event loop that an async transport belongs to."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    import asyncio

# Connect writes a timeout in at most ten digits of milliseconds, 115 days. A longer one means no deadline.
_LONGEST_S = 9_999_999_999 / 1000


class Deadline:
    """The deadline of a call.

    Attributes:
        at: seconds on the monotonic clock; None for no deadline.
    """

    __slots__ = ("at",)

    def __init__(self, timeout: float | None) -> None:
        """Set the deadline ``timeout`` seconds from now; None for no deadline.

        Raises:
            GatewayError: INVALID_ARGUMENT when it is not a number.
        """
        number = isinstance(timeout, (int, float))
        if timeout is not None and (not number or math.isnan(timeout)):
            raise GatewayError(Code.INVALID_ARGUMENT, "timeout must be a number of seconds or None", reason="BAD_TIMEOUT")
        self.at = None if timeout is None or timeout > _LONGEST_S else time.monotonic() + timeout

    def remaining(self) -> float | None:
        """Return the remaining seconds, more than 0; None for no deadline.

        Raises:
            GatewayError: DEADLINE_EXCEEDED if none remain.
        """
        if self.at is None:
            return None
        left = self.at - time.monotonic()
        if left <= 0:
            raise deadline_exceeded()
        return left


class LoopAffinity:
    """Binds an async transport to the event loop of its first call: connections cannot change loops."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def check(self) -> None:
        """Raise GatewayError FAILED_PRECONDITION in any other loop."""
        import asyncio

        running = asyncio.get_running_loop()
        self._loop = self._loop or running
        if self._loop is not running:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                "the client is in use in another event loop; make one client for each loop",
                reason="OTHER_EVENT_LOOP",
            )


def deadline_exceeded() -> GatewayError:
    """Return the error of a call past its deadline."""
    return GatewayError(Code.DEADLINE_EXCEEDED, "the deadline passed before the response arrived")


def stream_closed() -> GatewayError:
    """Return the error of a stream that its reader has closed."""
    return GatewayError(Code.CANCELLED, "the stream is closed", reason="STREAM_CLOSED")


def closed() -> GatewayError:
    """Return the error of a call on a closed transport."""
    return GatewayError(Code.CANCELLED, "the client is closed", reason="CLIENT_CLOSED")
