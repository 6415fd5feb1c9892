"""The spans of requests, from OpenTelemetry's own exporter."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip(
    "opentelemetry.exporter.otlp.proto.http",
    reason="OpenTelemetry's exporter is not installed: pip install 'gateway-entities[otel]'",
)

from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gateway_entities import __version__, methods
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


def test_the_log_has_the_ids_of_the_span(running, exporter, lines):
    post_json(running.http_target, LIST, {}, traceparent=TRACEPARENT)
    with channel(running.grpc_target) as opened:
        opened.unary_unary(LIST.path)(b"")
    logged = [(record.request["trace_id"], record.request["span_id"]) for record in lines.take(2)]
    assert logged == [(f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}") for span in spans(exporter, 2)]
    assert logged[0][0] == TRACE


def test_without_a_provider_there_is_no_tracing():
    assert Tracing.find() is None


PROGRAM = """
import sys
if sys.argv[1] == "absent":
    sys.modules["opentelemetry"] = None
from gateway_entities.server.telemetry.tracing import Tracing, traces_from_environment
from gateway_entities.errors import GatewayError

def show():
    print(Tracing.find() is not None, any(name.startswith("opentelemetry.") for name in sys.modules))

try:
    with traces_from_environment():
        show()
except GatewayError as error:
    print(error.message)
    show()
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
    assert set_up(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1") == "True True\n"


def test_several_exporters():
    assert set_up(OTEL_TRACES_EXPORTER="console, otlp") == "True True\n"
    assert set_up(OTEL_TRACES_EXPORTER="none,console") == "False False\n"


def test_an_exporter_over_grpc_is_named():
    assert "opentelemetry-exporter-otlp-proto-grpc" in set_up(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", OTEL_EXPORTER_OTLP_PROTOCOL="grpc"
    )


class Collector:
    """The HTTP side of an OTLP collector: it parses what is exported, and answers when it is allowed to."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.answers = threading.Event()
        self.answers.set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path == "/v1/traces":
                    collector.requests.append(ExportTraceServiceRequest.FromString(body))
                    collector.headers.append(dict(self.headers))
                collector.answers.wait(30)
                with contextlib.suppress(OSError):
                    self.send_response(200 if self.path == "/v1/traces" else 404)
                    self.send_header("content-length", "0")
                    self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.target = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def spans(self) -> list[tuple[dict[str, str], Any]]:
        return [
            ({each.key: each.value.string_value for each in of_resource.resource.attributes}, span)
            for message in list(self.requests)
            for of_resource in message.resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]


class TestOtlp:
    """``serve`` with the variables of OpenTelemetry, and a collector."""

    @pytest.fixture
    def collector(self) -> Iterator[Collector]:
        collector = Collector()
        yield collector
        collector.close()

    @contextlib.contextmanager
    def serving(self, folder: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")} | variables
        command = [sys.executable, "-m", "gateway_entities.cli", "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        with subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                process.stdout.readline()
                yield process, process.stdout.readline().strip()
            finally:
                process.kill()

    def test_spans_reach_the_collector(self, tmp_path, collector):
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.target,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-team=gateways",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        }
        with self.serving(tmp_path, **variables) as (process, target):
            post_json(target, LIST, {}, traceparent=TRACEPARENT)
            process.terminate()
            _, errors = process.communicate(timeout=20)
        [(resource, span)] = collector.spans()
        assert span.trace_id.hex() == TRACE
        assert span.parent_span_id.hex() == PARENT
        assert span.name == LIST.path[1:]
        assert resource["service.name"] == "gateway-entities"
        assert resource["service.version"] == __version__
        assert resource["deployment.environment.name"] == "test"
        assert collector.headers[0]["x-team"] == "gateways"
        [line] = [line for line in map(json.loads, errors.splitlines()) if "trace_id" in line]
        assert (line["trace_id"], line["span_id"]) == (TRACE, span.span_id.hex())

    def test_a_collector_that_does_not_answer_delays_no_request_and_the_end_by_seconds_only(self, tmp_path, collector):
        collector.answers.clear()
        variables = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.target}/v1/traces",
            "OTEL_SERVICE_NAME": "mine",
            "OTEL_BSP_SCHEDULE_DELAY": "10",
            "OTEL_BSP_MAX_QUEUE_SIZE": "32",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "8",
        }
        with self.serving(tmp_path, **variables) as (process, target):
            began = time.monotonic()
            for _ in range(200):
                assert post_json(target, LIST, {}).status == 200
            assert time.monotonic() - began < 10
            assert collector.spans()[0][0]["service.name"] == "mine"
            began = time.monotonic()
            process.terminate()
            _, errors = process.communicate(timeout=20)
            assert time.monotonic() - began < 8
        assert process.returncode == 0
        assert "the last traces are lost" in errors
