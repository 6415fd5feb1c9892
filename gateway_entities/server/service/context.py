"""The authenticated caller of the current request."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

CALLER: Final[ContextVar[str | None]] = ContextVar("caller", default=None)
"""Name of the authenticated caller, None without authentication. The dispatcher sets it for the duration of each call."""
