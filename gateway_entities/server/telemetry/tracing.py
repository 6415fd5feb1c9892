"""OpenTelemetry spans, one per request, by the RPC conventions: https://opentelemetry.io/docs/specs/semconv/rpc.

They go to the tracer provider of the process. A program that has set one has imported OpenTelemetry, so this module does not
import it first: without it, tracing costs nothing.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points, version
from typing import TYPE_CHECKING, Final

from gateway_entities.errors import Code, GatewayError
from gateway_entities.extras import not_installed
from gateway_entities.server.telemetry.request_context import UNKNOWN_METHOD, RequestContext

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

_log = logging.getLogger(__name__)

_SYSTEMS: Final = {"grpc": "grpc", "connect": "connectrpc"}
_FAULTS: Final = frozenset(
    code.name
    for code in (
        Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS
    )
)  # fmt: skip
"""The codes that the conventions count as errors of a server; the others are the caller's."""
_OTLP_EXPORTERS: Final = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_FLUSH_S: Final = 3.0
"""Seconds that the end of tracing waits for the export of the last spans."""


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

    def begin(self, context: RequestContext, headers: Mapping[str, str]) -> None:
        """Start the span of a request."""
        system = _SYSTEMS.get(context.transport)
        exists = context.method != UNKNOWN_METHOD
        name = context.method.removeprefix("/") if exists else system or "HTTP"
        attributes: dict[str, str] = {}
        if context.transport != "http":
            attributes["rpc.method"] = name if exists else "_OTHER"
        if system is not None:
            attributes["rpc.system.name"] = system
        context.span = self._tracer.start_span(
            name,
            context=self._propagate.extract(headers),
            kind=self._trace.SpanKind.SERVER,
            attributes=attributes,
        )
        # A request that the sampler leaves out has ids too: those of the caller's trace, and of its own span.
        ids = context.span.get_span_context()
        if ids.is_valid:
            context.trace_id, context.span_id = f"{ids.trace_id:032x}", f"{ids.span_id:016x}"

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


@contextmanager
def traces_from_environment() -> Generator[None]:
    """Trace during the block, as the standard environment variables of OpenTelemetry say. For programs only.

    Tracing is on if OTEL_TRACES_EXPORTER is set to anything but ``none``, or OTEL_EXPORTER_OTLP_ENDPOINT or
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set, unless OTEL_SDK_DISABLED is ``true``. Otherwise this does nothing. Spans are
    exported by a thread, from a queue of limited size. The end of the block waits for it for at most 3 seconds.

    Raises:
        GatewayError: FAILED_PRECONDITION: a package that tracing needs is not installed; the message names it.
    """
    names = _exporter_names(os.environ)
    if not names:
        yield
        return
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise not_installed("the environment asks for traces, and OpenTelemetry is not installed", "otel") from error
    # Its own end has no time limit in some releases, and waits 30 seconds in others.
    provider = TracerProvider(shutdown_on_exit=False, resource=_resource())
    for name in names:
        provider.add_span_processor(BatchSpanProcessor(_exporter_type(name)()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        _shut_down(provider)


def _exporter_names(variables: Mapping[str, str]) -> list[str]:
    """Return the entry points of the exporters that the environment asks for."""
    names = [name for each in variables.get("OTEL_TRACES_EXPORTER", "").split(",") if (name := each.strip())]
    if not names and any(variables.get(f"OTEL_EXPORTER_OTLP_{each}ENDPOINT") for each in ("", "TRACES_")):
        names = ["otlp"]
    if "none" in names or variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    protocol = variables.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or variables.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    otlp = _OTLP_EXPORTERS.get(protocol or "http/protobuf", "otlp")
    return [otlp if name == "otlp" else name for name in names]


def _exporter_type(name: str) -> Callable[[], SpanExporter]:
    found = next(iter(entry_points(group="opentelemetry_traces_exporter", name=name)), None)
    if found is None:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"the environment asks for traces by the exporter {name}, which is not installed; the extra otel has that of "
            "OTLP over HTTP, and the package opentelemetry-exporter-otlp-proto-grpc that of OTLP over gRPC",
        )
    exporter: Callable[[], SpanExporter] = found.load()
    return exporter


def _resource() -> Resource:
    """Return what the environment says of this process, and our name and version where it says nothing."""
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource

    given = Resource.create()
    own = {SERVICE_VERSION: version("gateway-entities")}
    if str(given.attributes.get(SERVICE_NAME)).startswith("unknown_service"):
        given = given.merge(Resource({SERVICE_NAME: "gateway-entities"}))
    return Resource(own).merge(given)


def _shut_down(provider: TracerProvider) -> None:
    # A daemon, which does not keep the process alive when the collector does not respond.
    thread = threading.Thread(target=provider.shutdown, name="gateway-traces", daemon=True)
    thread.start()
    thread.join(_FLUSH_S)
    if thread.is_alive():
        _log.warning("the last traces are lost: the collector did not take them within %g seconds", _FLUSH_S)
