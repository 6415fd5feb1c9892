"""The one place that hears of every request, whatever it came by."""

from __future__ import annotations

import time
from collections.abc import Mapping

from gateway_entities.server.telemetry import access_log
from gateway_entities.server.telemetry.metrics import Metrics
from gateway_entities.server.telemetry.request_context import OK, REQUEST_ID, Exchange
from gateway_entities.server.telemetry.tracing import Tracing


class Observer:
    """Logs, counts and traces requests. An edge calls ``begin`` and then, once, ``end``, on the event loop.

    Attributes:
        metrics: what it counts.
        headers: the names, in lower case, of the request headers that ``begin`` wants.
    """

    def __init__(self) -> None:
        self.metrics = Metrics()
        self._tracing = Tracing.find()
        self.headers = frozenset({REQUEST_ID, *(self._tracing.headers if self._tracing else ())})

    def begin(self, transport: str, method: str, headers: Mapping[str, str]) -> Exchange:
        """Note that a request is here.

        Args:
            transport: as in Exchange.
            method: as in Exchange; one of a bounded number.
            headers: those of the request that are in ``headers`` of this.
        """
        exchange = Exchange(transport, method, headers.get(REQUEST_ID))
        self.metrics.begin(transport)
        if self._tracing:
            exchange.span = self._tracing.begin(exchange, headers)
        return exchange

    def end(self, exchange: Exchange) -> None:
        """Note that a request is answered, or given up."""
        seconds = time.perf_counter() - exchange.began
        code = exchange.code or OK
        self.metrics.end(exchange.transport, exchange.method, code, seconds)
        if self._tracing:
            self._tracing.end(exchange, code)
        access_log.write(exchange, code, seconds)
