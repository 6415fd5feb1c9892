"""Limits that both edges keep."""

from __future__ import annotations

from typing import Final

MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
"""Most bytes of one request, compressed or not. It is gRPC's own default."""
