"""Spans for OpenTelemetry: one for each request, by its conventions for RPCs, https://opentelemetry.io/docs/specs/semconv/rpc.

They go to the tracer provider of the process. Whoever has set one has imported OpenTelemetry, so nothing here imports it
first: without it, tracing costs nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.telemetry.request_context import UNKNOWN_METHOD, Exchange

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
    """Makes spans. Their parent is the one that the request's headers name, in the form that OTEL_PROPAGATORS says.

    Attributes:
        headers: the names of the headers that may name a parent.
    """

    @classmethod
    def find(cls) -> Tracing | None:
        """Return what makes spans in this process; None while it has no tracer provider."""
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

    def begin(self, exchange: Exchange, headers: Mapping[str, str]) -> Span:
        """Start the span of a request."""
        system = _SYSTEMS.get(exchange.transport)
        known = exchange.method != UNKNOWN_METHOD
        name = exchange.method.removeprefix("/") if known else system or "HTTP"
        attributes: dict[str, str] = {}
        if exchange.transport != "http":
            attributes["rpc.method"] = name if known else "_OTHER"
        if system is not None:
            attributes["rpc.system.name"] = system
        return self._tracer.start_span(
            name,
            context=self._propagate.extract(headers),
            kind=self._trace.SpanKind.SERVER,
            attributes=attributes,
        )

    def end(self, exchange: Exchange, code: str) -> None:
        """End it."""
        span: Span = exchange.span
        span.set_attribute("rpc.response.status_code", code)
        if exchange.status is not None:
            span.set_attribute("http.response.status_code", exchange.status)
        if code in _FAULTS:
            span.set_attribute("error.type", code)
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()


def trace_from_environment() -> None:
    """Set up OpenTelemetry as its standard variables say; do nothing when none of them asks for traces. For programs only.

    What asks is OTEL_TRACES_EXPORTER other than ``none``, or an address in OTEL_EXPORTER_OTLP_ENDPOINT or
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, unless OTEL_SDK_DISABLED is ``true``. The others mean what OpenTelemetry says.

    Raises:
        GatewayError: FAILED_PRECONDITION; a package that this takes is not installed, and the message names it.
    """
    variables = os.environ
    name = variables.get("OTEL_TRACES_EXPORTER") or ""
    addressed = any(variables.get(f"OTEL_EXPORTER_OTLP_{each}ENDPOINT") for each in ("", "TRACES_"))
    if not name and addressed:
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
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            "the environment asks for traces, and OpenTelemetry is not installed; pip install 'gateway-entities[otel]' "
            "installs it",
        ) from error
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
