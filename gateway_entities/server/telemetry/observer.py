"""One place for the log line, the metrics and the span of every request, on every transport."""

from __future__ import annotations

import time
from collections.abc import Mapping

from gateway_entities.server.telemetry import access_log
from gateway_entities.server.telemetry.metrics import Metrics
from gateway_entities.server.telemetry.request_context import OK, REQUEST_ID, TRACE_PARENT, RequestContext, caller_trace_id
from gateway_entities.server.telemetry.tracing import Tracing


class Observer:
    """Logs, counts and traces requests. A server calls ``begin`` and then ``end`` once, on the event loop.

    Attributes:
        metrics: the metrics.
        headers: the names, in lower case, of the request headers that ``begin`` reads.
    """

    def __init__(self) -> None:
        self.metrics = Metrics()
        self._tracing = Tracing.find()
        self.headers = frozenset({REQUEST_ID, TRACE_PARENT, *(self._tracing.headers if self._tracing else ())})

    def begin(
        self, transport: str, method: str, headers: Mapping[str, str], unknown_path: str | None = None
    ) -> RequestContext:
        """Record the arrival of a request.

        Args:
            transport: as in RequestContext.
            method: as in RequestContext; one of a bounded number.
            headers: the request's headers whose names are in ``headers`` of this object.
            unknown_path: the path, without its query, if it does not exist.
        """
        context = RequestContext(transport, method, headers.get(REQUEST_ID), unknown_path)
        self.metrics.begin(transport)
        if self._tracing:
            self._tracing.begin(context, headers)
        else:
            context.trace_id = caller_trace_id(headers.get(TRACE_PARENT))
        return context

    def begin_stream(self, context: RequestContext) -> None:
        """Record that the response to a request is a stream."""
        context.messages = 0
        self.metrics.begin_stream(context.transport)

    def end(self, context: RequestContext) -> None:
        """Record the end of a request, answered or abandoned."""
        seconds = time.perf_counter() - context.began
        code = context.code or OK
        if context.messages is None:
            self.metrics.end(context.transport, context.method, code, seconds)
        else:
            self.metrics.end_stream(context.transport, context.method, code, context.messages, context.sent_bytes)
        if self._tracing:
            self._tracing.end(context, code)
        access_log.write(context, code, seconds)
