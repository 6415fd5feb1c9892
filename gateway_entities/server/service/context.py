"""Who makes the call that this thread serves, when that is known by more than the caller's own word."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

CALLER: Final[ContextVar[str | None]] = ContextVar("caller", default=None)
"""The authenticated caller's name; None when calls need no authentication. The edges set it around each call."""
