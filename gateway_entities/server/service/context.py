"""The current call: its authenticated caller and its deadline."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Final

from gateway_entities.errors import Code, GatewayError

CALLER: Final[ContextVar[str | None]] = ContextVar("caller", default=None)
"""Name of the authenticated caller, None without authentication. The dispatcher sets it for the duration of each call."""

DEADLINE: Final[ContextVar[float | None]] = ContextVar("deadline", default=None)
"""End of the current call as a ``time.monotonic``, None without one. The dispatcher sets it."""


def check_deadline() -> None:
    """Check that the current call still has a caller who waits for it. Cheap; for places before work or after a wait.

    Raises:
        GatewayError: DEADLINE_EXCEEDED.
    """
    deadline = DEADLINE.get()
    if deadline is not None and time.monotonic() >= deadline:
        raise deadline_exceeded()


def deadline_exceeded() -> GatewayError:
    """Return the error of a call whose deadline has passed."""
    return GatewayError(Code.DEADLINE_EXCEEDED, "the deadline passed before the call ended")
