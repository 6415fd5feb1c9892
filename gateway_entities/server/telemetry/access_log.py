"""The log of requests: one record each, through the standard logging module."""

from __future__ import annotations

import json
import logging
from typing import Final

from gateway_entities.errors import Code
from gateway_entities.server.telemetry.request_context import OK, Exchange

LOGGER: Final = "gateway_entities.requests"
"""The name of the logger. The records have an attribute ``request``, a dict of what the message says.

A request that succeeded or was refused is INFO, one that failed for a fault of the server ERROR, a probe that succeeded
DEBUG.
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


def write(exchange: Exchange, code: str, seconds: float) -> None:
    """Log an answered request.

    Args:
        exchange: the request.
        code: ``OK`` or the name of a Code.
        seconds: how long it took.
    """
    level = logging.INFO
    if code in _FAULTS:
        level = logging.ERROR
    elif code == OK and exchange.method in _PROBES:
        level = logging.DEBUG
    if not _log.isEnabledFor(level):
        return
    milliseconds = round(1000 * seconds, 3)
    actor = exchange.actor or "-"
    fields: dict[str, object] = {
        "transport": exchange.transport,
        "method": exchange.method,
        "code": code,
        "duration_ms": milliseconds,
        "actor": actor,
        "request_id": exchange.request_id,
    }
    if exchange.status is not None:
        fields["status"] = exchange.status
    # A name must not look like more than one word of the line, and above all not like a second line.
    shown = actor if actor.isprintable() and " " not in actor else json.dumps(actor)
    values = (exchange.transport, exchange.method, code, milliseconds, shown, exchange.request_id)
    # Not through Logger.log: looking for the line of code that logs, always this one, takes longer than all the rest.
    record = _log.makeRecord(LOGGER, level, __file__, 0, _MESSAGE, values, None, "write", {"request": fields})
    _log.handle(record)
