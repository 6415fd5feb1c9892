"""Telemetry of one request: what the log, the metrics and the traces say about it. It holds no request content."""

from __future__ import annotations

import os
import re
import time
from contextvars import ContextVar
from typing import Any, Final

from gateway_entities.errors import GatewayError

REQUEST_ID: Final = "x-request-id"
"""The header with the trace id of one request, in both directions. It is not the idempotency key of the RPCs."""
OK: Final = "OK"
UNKNOWN_METHOD: Final = "unknown"
"""The method of a request for a path that does not exist. The path itself is the caller's text, so it is not recorded."""

_STORE_REASONS: Final = frozenset(
    {"CLOCK_JUMP", "STORE_BUSY", "STORE_DAMAGED", "STORE_FULL", "STORE_REPLACED", "STORE_UNAVAILABLE"}
)
_VALID_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.:-]{0,63}")


class RequestContext:
    """The telemetry of one request.

    Attributes:
        transport: ``grpc``, ``connect``, ``rest``, or ``http`` for a path that is no RPC.
        method: the path of the RPC, another path that exists, such as ``/readyz``, ``preflight``, or ``unknown``.
        request_id: 1 to 64 letters, digits and ``_.:-``.
        actor: the authenticated caller; None for none.
        code: ``OK`` or the name of a Code; None until it is set.
        cause: why the store could not be used; None for all other errors. It has no request content.
        status: the HTTP status of the response; None for none.
        began: the time of arrival, in seconds on the clock of time.perf_counter.
        span: OpenTelemetry's; None without tracing.
    """

    __slots__ = ("actor", "began", "cause", "code", "method", "request_id", "span", "status", "transport")

    def __init__(self, transport: str, method: str, request_id: str | None) -> None:
        """Create the context of a request; the caller's ``request_id`` is replaced unless it is valid."""
        self.began = time.perf_counter()
        self.transport = transport
        self.method = method
        valid = request_id is not None and _VALID_ID.fullmatch(request_id)
        self.request_id = request_id if valid and request_id else os.urandom(16).hex()
        self.actor: str | None = None
        self.code: str | None = None
        self.cause: str | None = None
        self.status: int | None = None
        self.span: Any = None


CURRENT: Final[ContextVar[RequestContext | None]] = ContextVar("request", default=None)
"""The request of this task, or of the worker thread that works for it."""


def set_actor(name: str | None) -> None:
    """Set the actor of the current request."""
    context = CURRENT.get()
    if context is not None:
        context.actor = name


def set_error(error: GatewayError) -> None:
    """Set the error with which the current request fails."""
    context = CURRENT.get()
    if context is not None:
        context.code = error.code.name
        # The texts of other errors can have names that the caller chose.
        context.cause = error.message if error.reason in _STORE_REASONS else None
