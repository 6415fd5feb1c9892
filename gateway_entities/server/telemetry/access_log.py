"""The access log: one record per request, through the standard logging module."""

from __future__ import annotations

import json
import logging
from typing import Final

from gateway_entities.errors import Code
from gateway_entities.server.telemetry.request_context import OK, RequestContext

LOGGER: Final = "gateway_entities.requests"
"""The name of the logger. Records have an attribute ``request``, a dict of the fields in the message.

The level is ERROR for a fault of the server or its store, DEBUG for a probe that succeeded, and INFO otherwise. A line about
a fault of the store has its cause.
"""

_log = logging.getLogger(LOGGER)

_PROBES: Final = frozenset(
    {
        "/healthz",
        "/readyz",
        "/health",
        "/metrics",
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
    }
)
_FAULTS: Final = frozenset({Code.INTERNAL.name, Code.DATA_LOSS.name})
_MESSAGE: Final = "%s %s %s %.3f ms actor=%s id=%s"


def write(context: RequestContext, code: str, seconds: float) -> None:
    """Log a request that has ended.

    Args:
        context: the request.
        code: ``OK`` or the name of a Code.
        seconds: its duration.
    """
    level = logging.INFO
    if code in _FAULTS or context.cause is not None:
        level = logging.ERROR
    elif code == OK and context.method in _PROBES:
        level = logging.DEBUG
    if not _log.isEnabledFor(level):
        return
    milliseconds = round(1000 * seconds, 3)
    actor = context.actor or "-"
    fields: dict[str, object] = {
        "transport": context.transport,
        "method": context.method,
        "code": code,
        "duration_ms": milliseconds,
        "actor": actor,
        **context.ids(),
    }
    if context.status is not None:
        fields["status"] = context.status
    if context.messages is not None:
        fields["messages"], fields["bytes"] = context.messages, context.sent_bytes
    if context.path is not None:
        fields["path"] = context.path
    # A name must not look like several words of the line, or like a second line.
    shown = actor if actor.isprintable() and " " not in actor else json.dumps(actor)
    values: list[object] = [context.transport, context.method, code, milliseconds, shown, context.request_id]
    message = _MESSAGE
    if context.trace_id is not None:
        message, values = f"{message} trace=%s", [*values, context.trace_id]
    if context.messages is not None:
        message, values = f"{message} messages=%d bytes=%d", [*values, context.messages, context.sent_bytes]
    if context.path is not None:
        message, values = f"{message} path=%s", [*values, json.dumps(context.path)]
    if context.cause is not None:
        fields["cause"] = context.cause
        message, values = f"{message}: %s", [*values, context.cause]
    # Not through Logger.log: finding the caller's line, always this one, takes longer than the rest.
    record = _log.makeRecord(LOGGER, level, __file__, 0, message, tuple(values), None, "write", {"request": fields})
    _log.handle(record)
