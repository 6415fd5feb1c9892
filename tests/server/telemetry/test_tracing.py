"""The spans of requests, from OpenTelemetry's own exporter."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest

pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry is not installed: pip install 'gateway-entities[otel]'")

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gateway_entities import methods
from gateway_entities.server.telemetry.tracing import Tracing
from gateway_entities.testing import gateway
from tests.server.raw import channel, post_json, request

GET, LIST = methods.GET_GATEWAY_SECRET_INFO, methods.LIST_GATEWAY_SECRET_INFOS
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # A process sets its provider only once; the tests of others must not find this one.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


@pytest.fixture
def running(exporter: InMemorySpanExporter):
    with gateway() as running:
        yield running


def spans(exporter: InMemorySpanExporter, count: int) -> Sequence[ReadableSpan]:
    deadline = time.monotonic() + 10
    while len(found := exporter.get_finished_spans()) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(found) == count
    exporter.clear()
    return found


def test_a_call_over_grpc_is_a_span_within_the_callers_trace(running, exporter):
    with channel(running.grpc_target) as opened:
        opened.unary_unary(LIST.path)(b"", metadata=(("traceparent", TRACEPARENT),))
    [span] = spans(exporter, 1)
    assert (span.name, span.kind) == (LIST.path[1:], SpanKind.SERVER)
    assert span.attributes == {
        "rpc.system.name": "grpc",
        "rpc.method": LIST.path[1:],
        "rpc.response.status_code": "OK",
    }
    assert span.status.status_code is StatusCode.UNSET
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT


def test_a_connect_call_likewise(running, exporter):
    post_json(running.http_target, GET, {"secretId": "s-no"}, traceparent=TRACEPARENT)
    post_json(running.http_target, LIST, {})
    refused, alone = spans(exporter, 2)
    assert refused.attributes == {
        "rpc.system.name": "connectrpc",
        "rpc.method": GET.path[1:],
        "rpc.response.status_code": "NOT_FOUND",
        "http.response.status_code": 404,
    }
    assert refused.status.status_code is StatusCode.UNSET, "it is the caller's fault"
    assert f"{refused.context.trace_id:032x}" == TRACE
    assert alone.parent is None


def test_faults_of_the_server_are_errors_and_unknown_methods_are_not_named(running, exporter):
    request(running.http_target, "GET", "/api/3.0/mlflow/gateway/secrets/list")
    with channel(running.grpc_target) as opened:
        assert opened.unary_unary("/made/up").future(b"").exception(timeout=10)
    rest, unknown = spans(exporter, 2)
    assert rest.attributes["rpc.method"] == LIST.path[1:]
    assert (unknown.name, unknown.attributes["rpc.method"]) == ("grpc", "_OTHER")
    assert unknown.attributes["error.type"] == "UNIMPLEMENTED"
    assert unknown.status.status_code is StatusCode.ERROR


def test_without_a_provider_there_is_no_tracing():
    assert Tracing.find() is None


PROGRAM = """
import sys
if sys.argv[1] == "absent":
    sys.modules["opentelemetry"] = None
from gateway_entities.server.telemetry.tracing import Tracing, trace_from_environment
from gateway_entities.errors import GatewayError
try:
    trace_from_environment()
except GatewayError as error:
    print(error.message)
print(Tracing.find() is not None, any(name.startswith("opentelemetry.") for name in sys.modules))
"""


def set_up(installed: str = "installed", **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")} | variables
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", PROGRAM, installed]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_SERVICE_NAME": "x"},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"},
    ],
    ids=str,
)
def test_nothing_is_imported_unless_the_environment_asks_for_traces(variables):
    assert set_up(**variables) == "False False\n"


def test_the_environment_enables_it():
    assert set_up(OTEL_TRACES_EXPORTER="console") == "True True\n"


def test_a_missing_package_is_named():
    assert "pip install 'gateway-entities[otel] @ git+" in set_up("absent", OTEL_TRACES_EXPORTER="console")
    assert "the exporter nowhere, which is not installed" in set_up(OTEL_TRACES_EXPORTER="nowhere")


def test_an_endpoint_in_the_environment_enables_otlp():
    said = set_up(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert said.startswith("True ") or "opentelemetry-exporter-otlp" in said
