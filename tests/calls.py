"""Calls of a transport with messages instead of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway_entities.methods import Method, Request, Response


def call(
    transport: Any,
    method: Method[Request, Response],
    request: Request,
    *,
    timeout: float | None = 30,
    metadata: Mapping[str, str] | None = None,
) -> Response:
    """Make one call of a blocking transport."""
    return method.response_type.FromString(
        transport.call(method, request.SerializeToString(), timeout=timeout, metadata=metadata)
    )
