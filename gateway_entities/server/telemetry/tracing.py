"""OpenTelemetry spans, one per request, by the RPC conventions: https://opentelemetry.io/docs/specs/semconv/rpc.

They go to the tracer provider of the process. A program that has set one has imported OpenTelemetry, so this module does not
import it first: without it, tracing costs nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from gateway_entities.errors import Code, GatewayError
from gateway_entities.extras import not_installed
from gateway_entities.server.telemetry.request_context import UNKNOWN_METHOD, RequestContext

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_SYSTEMS: Final = {"grpc": "grpc", "connect": "connectrpc"}
_FAULTS: Final = frozenset(
    code.name
    for code in (
        Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS
    )
)  # fmt: skip
"""The codes that the conventions count as errors of a server; the others are the caller's."""
_EXPORTERS: Final = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}


class Tracing:
    """Creates spans. The parent is in the request's headers, in the format of OTEL_PROPAGATORS.

    Attributes:
        headers: the names of the headers that may hold the parent.
    """

    @classmethod
    def find(cls) -> Tracing | None:
        """Return the tracing of this process; None if it has no tracer provider."""
        trace = sys.modules.get("opentelemetry.trace")
        if trace is None or isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            return None
        return cls()

    def __init__(self) -> None:
        from opentelemetry import propagate, trace

        self._trace = trace
        self._propagate = propagate
        self._tracer = trace.get_tracer("gateway_entities")
        self.headers = frozenset(name.lower() for name in propagate.get_global_textmap().fields)

    def begin(self, context: RequestContext, headers: Mapping[str, str]) -> Span:
        """Start the span of a request."""
        system = _SYSTEMS.get(context.transport)
        exists = context.method != UNKNOWN_METHOD
        name = context.method.removeprefix("/") if exists else system or "HTTP"
        attributes: dict[str, str] = {}
        if context.transport != "http":
            attributes["rpc.method"] = name if exists else "_OTHER"
        if system is not None:
            attributes["rpc.system.name"] = system
        return self._tracer.start_span(
            name,
            context=self._propagate.extract(headers),
            kind=self._trace.SpanKind.SERVER,
            attributes=attributes,
        )

    def end(self, context: RequestContext, code: str) -> None:
        """End the span of a request."""
        span: Span = context.span
        span.set_attribute("rpc.response.status_code", code)
        if context.status is not None:
            span.set_attribute("http.response.status_code", context.status)
        if code in _FAULTS:
            span.set_attribute("error.type", code)
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()


def trace_from_environment() -> None:
    """Configure OpenTelemetry from its standard environment variables. For programs only.

    Tracing is on if OTEL_TRACES_EXPORTER is set to anything but ``none``, or OTEL_EXPORTER_OTLP_ENDPOINT or
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set, unless OTEL_SDK_DISABLED is ``true``. Otherwise this does nothing.

    Raises:
        GatewayError: FAILED_PRECONDITION: a package that tracing needs is not installed; the message names it.
    """
    variables = os.environ
    name = variables.get("OTEL_TRACES_EXPORTER") or ""
    has_address = any(variables.get(f"OTEL_EXPORTER_OTLP_{each}ENDPOINT") for each in ("", "TRACES_"))
    if not name and has_address:
        name = "otlp"
    if name in {"", "none"} or variables.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    if name == "otlp":
        protocol = variables.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or variables.get("OTEL_EXPORTER_OTLP_PROTOCOL")
        name = _EXPORTERS.get(protocol or "http/protobuf", "otlp")
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise not_installed("the environment asks for traces, and OpenTelemetry is not installed", "otel") from error
    exporter = next(iter(entry_points(group="opentelemetry_traces_exporter", name=name)), None)
    if exporter is None:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"the environment asks for traces by the exporter {name}, which is not installed; that of OTLP is in the "
            "package opentelemetry-exporter-otlp",
        )
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter.load()()))
    trace.set_tracer_provider(provider)
