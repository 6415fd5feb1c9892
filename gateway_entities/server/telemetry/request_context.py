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
TRACE_PARENT: Final = "traceparent"
"""The header of W3C Trace Context with the caller's trace: https://www.w3.org/TR/trace-context/#traceparent-header."""
OK: Final = "OK"
UNKNOWN_METHOD: Final = "unknown"
"""The method of a request for a path that does not exist. The path itself is the caller's text, and is only in the log."""

_STORE_REASONS: Final = frozenset(
    {"CLOCK_JUMP", "STORE_BUSY", "STORE_DAMAGED", "STORE_FULL", "STORE_REPLACED", "STORE_UNAVAILABLE"}
)
_MAX_PATH_CHARACTERS: Final = 128
_TRACE_PARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
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
        messages: the messages of the response that were sent; None if it is no stream.
        sent_bytes: their bytes, without framing.
        path: the first 128 characters of a path that does not exist, without its query; None for one that does.
        trace_id: the id of the trace, 32 hexadecimal digits; None if neither the caller nor this process traces.
        span_id: the id of the span, 16 hexadecimal digits; None if this process does not trace.
        span: OpenTelemetry's; None without tracing.
    """

    __slots__ = (
        *("actor", "began", "cause", "code", "method", "path", "request_id"),
        *("messages", "sent_bytes"),
        *("span", "span_id", "status", "trace_id", "transport"),
    )

    def __init__(self, transport: str, method: str, request_id: str | None, path: str | None = None) -> None:
        """Create the context of a request.

        Args:
            transport: as above.
            method: as above.
            request_id: the caller's; it is replaced unless it is valid.
            path: the path, of any length, if it does not exist.
        """
        self.began = time.perf_counter()
        self.transport = transport
        self.method = method
        valid = request_id is not None and _VALID_ID.fullmatch(request_id)
        self.request_id = request_id if valid and request_id else os.urandom(16).hex()
        self.actor: str | None = None
        self.code: str | None = None
        self.cause: str | None = None
        self.status: int | None = None
        self.messages: int | None = None
        self.sent_bytes = 0
        self.path = path if path is None or len(path) <= _MAX_PATH_CHARACTERS else f"{path[: _MAX_PATH_CHARACTERS - 3]}..."
        self.trace_id: str | None = None
        self.span_id: str | None = None
        self.span: Any = None

    def add_message(self, size: int) -> None:
        """Count a message of a stream."""
        self.messages = (self.messages or 0) + 1
        self.sent_bytes += size

    def ids(self) -> dict[str, str]:
        """Return the ids that lead from a line of the log to the request and to its trace."""
        ids = {"request_id": self.request_id}
        if self.trace_id is not None:
            ids["trace_id"] = self.trace_id
        if self.span_id is not None:
            ids["span_id"] = self.span_id
        return ids


def caller_trace_id(trace_parent: str | None) -> str | None:
    """Return the trace id in a header ``traceparent``; None without a valid one."""
    found = None if trace_parent is None else _TRACE_PARENT.fullmatch(trace_parent)
    return None if found is None else found[1]


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
