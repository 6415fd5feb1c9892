"""One request and its answer, as far as whoever runs the server may know of it: nothing of what either says."""

from __future__ import annotations

import os
import re
import time
from contextvars import ContextVar
from typing import Any, Final

from gateway_entities.errors import Code

REQUEST_ID: Final = "x-request-id"
"""The header with the id of a request: the caller's in the request, if it has one, and the one in use in the answer."""
OK: Final = "OK"
UNKNOWN_METHOD: Final = "unknown"
"""The method of a request for what does not exist. Its path is the caller's own text, so it is told nowhere."""

_SANE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.:-]{0,63}")


class Exchange:
    """A request on its way through the server.

    Attributes:
        transport: how it came: ``grpc``, ``connect``, ``rest``, or ``http`` for what is no call of an RPC.
        method: the path of the RPC, or another path that exists, such as ``/readyz``, or ``preflight``, or
            ``unknown``.
        request_id: 1 to 64 letters, digits and ``_.:-``.
        actor: the authenticated caller; None for none.
        code: ``OK`` or the name of a Code; None as long as nobody has said it.
        status: the HTTP status of the answer; None for none.
        began: when it came, in seconds on the clock of time.perf_counter.
        span: OpenTelemetry's; None without tracing.
    """

    __slots__ = ("actor", "began", "code", "method", "request_id", "span", "status", "transport")

    def __init__(self, transport: str, method: str, given_id: str | None) -> None:
        self.began = time.perf_counter()
        self.transport = transport
        self.method = method
        self.request_id = given_id if given_id is not None and _SANE.fullmatch(given_id) else os.urandom(16).hex()
        self.actor: str | None = None
        self.code: str | None = None
        self.status: int | None = None
        self.span: Any = None


CURRENT: Final[ContextVar[Exchange | None]] = ContextVar("exchange", default=None)
"""The exchange that this task, or the worker thread that works for it, is busy with."""


def set_actor(name: str | None) -> None:
    """Say who makes the request that is being answered."""
    exchange = CURRENT.get()
    if exchange is not None:
        exchange.actor = name


def set_error_code(code: Code) -> None:
    """Say with which code the request that is being answered fails."""
    exchange = CURRENT.get()
    if exchange is not None:
        exchange.code = code.name
