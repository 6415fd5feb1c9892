"""The access log: one line per request on every transport, without request content."""

from __future__ import annotations

import http.client
import json
import logging
import re
import subprocess
import sys
import time
from contextlib import closing

import grpc
import pytest
from grpc_health.v1 import health_pb2

from gateway_entities import methods
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.telemetry.access_log import LOGGER
from gateway_entities.testing import Gateway, gateway
from gatewayentities.v1 import secret_pb2
from tests.server.raw import call, channel, post_json, post_proto, request, write_lock

CREATE, GET, LIST = methods.CREATE_GATEWAY_SECRET, methods.GET_GATEWAY_SECRET_INFO, methods.LIST_GATEWAY_SECRET_INFOS
REST_CREATE, REST_LIST = "/api/3.0/mlflow/gateway/secrets/create", "/api/3.0/mlflow/gateway/secrets/list"
CANARY = "sk-canary-0123456789"
TOO_LARGE = b"\n" * (4 * 1024 * 1024 + 1)


@pytest.fixture(scope="module")
def running():
    with gateway() as running:
        yield running


@pytest.fixture
def target(running: Gateway):
    return running.http_target


@pytest.fixture
def opened(running: Gateway):
    with channel(running.grpc_target) as opened:
        yield opened


def summary(line: dict[str, object]) -> tuple[object, ...]:
    return line["transport"], line["method"], line["code"], line.get("status")


def test_the_fields_of_a_line(target, lines):
    response = post_json(target, LIST, {})
    line = lines.one()
    assert set(line) == {"transport", "method", "code", "duration_ms", "actor", "request_id", "status"}
    assert summary(line) == ("connect", LIST.path, "OK", 200)
    assert 0 < line["duration_ms"] < 10_000
    assert line["actor"] == "-"
    assert line["request_id"] == response.headers["x-request-id"]


HTTP_REQUESTS = [
    ("POST", GET.path, b'{"secretId": "s-no"}', {}, ("connect", GET.path, "NOT_FOUND", 404)),
    ("POST", CREATE.path, b"{}", {}, ("connect", CREATE.path, "INVALID_ARGUMENT", 400)),
    ("POST", LIST.path, b"{}", {"content-type": "text/plain"}, ("connect", LIST.path, "UNKNOWN", 415)),
    ("GET", LIST.path, None, {}, ("connect", LIST.path, "INVALID_ARGUMENT", 400)),
    ("GET", CREATE.path, None, {}, ("connect", CREATE.path, "UNKNOWN", 405)),
    ("POST", LIST.path, TOO_LARGE, {}, ("connect", LIST.path, "RESOURCE_EXHAUSTED", 429)),
    ("POST", LIST.path, b"{}", {"content-encoding": "br"}, ("connect", LIST.path, "UNKNOWN", 501)),
    ("POST", LIST.path, b"{}", {"connect-timeout-ms": "0"}, ("connect", LIST.path, "DEADLINE_EXCEEDED", 504)),
    ("POST", LIST.path, b"{}", {"host": "elsewhere.example"}, ("connect", LIST.path, "PERMISSION_DENIED", 403)),
    ("POST", f"/unknown?{CANARY}={CANARY}", b"{}", {}, ("http", "unknown", "UNIMPLEMENTED", 404)),
    ("POST", "/gatewayentities.v1.SecretService/Unknown", b"{}", {}, ("http", "unknown", "UNIMPLEMENTED", 404)),
    ("GET", f"/api/unknown?{CANARY}", None, {}, ("rest", "unknown", "UNIMPLEMENTED", 404)),
    ("GET", REST_LIST, None, {}, ("rest", LIST.path, "OK", 200)),
    ("POST", REST_LIST, b"{}", {}, ("rest", LIST.path, "UNKNOWN", 405)),
    ("GET", "/healthz", None, {}, ("http", "/healthz", "OK", 200)),
    ("GET", "/metrics", None, {}, ("http", "/metrics", "OK", 200)),
]


@pytest.mark.parametrize(("verb", "path", "body", "headers", "expected"), HTTP_REQUESTS, ids=lambda value: str(value)[:40])
def test_every_response_over_http_is_one_line(target, lines, verb, path, body, headers, expected):
    response = request(target, verb, path, body, {"content-type": "application/json", "x-secret": CANARY} | headers)
    [record] = lines.take()
    assert summary(record.request) == expected
    assert record.request["request_id"] == response.headers["x-request-id"]
    assert CANARY not in record.getMessage() + json.dumps(record.request)


def grpc_code(opened: grpc.Channel, path: str, body: bytes, **options: object) -> tuple[str, dict[str, object]]:
    """Make a call; return its code and its trailers."""
    made = opened.unary_unary(path).future(body, **options)
    error = made.exception(timeout=30)
    return made.code().name, dict(made.trailing_metadata() or ()) | ({"error": error} if error else {})


def test_every_call_over_grpc_is_one_line(opened, lines):
    health = health_pb2.HealthCheckRequest().SerializeToString()
    get = secret_pb2.GetGatewaySecretInfoRequest(secret_id="s-no").SerializeToString()
    for path, body, method, code in [
        (LIST.path, b"", LIST.path, "OK"),
        (GET.path, get, GET.path, "NOT_FOUND"),
        (GET.path, b"\xff", GET.path, "INVALID_ARGUMENT"),
        (GET.path, TOO_LARGE, GET.path, "RESOURCE_EXHAUSTED"),
        ("/unknown/Unknown", b"", "unknown", "UNIMPLEMENTED"),
        ("/grpc.health.v1.Health/Check", health, "/grpc.health.v1.Health/Check", "OK"),
    ]:
        code_of_call, _ = grpc_code(opened, path, body, metadata=(("x-secret", CANARY),))
        assert code_of_call == code
        line = lines.one()
        assert summary(line) == ("grpc", method, code, None)
        assert CANARY not in json.dumps(line)


LONG = "/" + "a" * 500


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/models?key=canary", "/v1/models"),
        ("/api/2.0/other", "/api/2.0/other"),
        ("/a%0Ab%20c%22%E2%80%AE", '/a\nb c"\u202e'),
        ("/%FF", "/\ufffd"),
        (LONG, LONG[:125] + "..."),
    ],
)
def test_the_path_of_an_unknown_request(target, lines, path, shown):
    request(target, "GET", path)
    [record] = lines.take()
    assert (record.request["method"], record.request["path"]) == ("unknown", shown)
    assert record.getMessage().endswith(f" path={json.dumps(shown)}")
    assert "\n" not in record.getMessage()
    assert "canary" not in record.getMessage() + json.dumps(record.request)


def test_the_path_of_an_unknown_call_over_grpc(opened, lines):
    grpc_code(opened, "/other.v1.Service/Method", b"")
    assert lines.one()["path"] == "/other.v1.Service/Method"
    grpc_code(opened, LIST.path, b"")
    assert "path" not in lines.one()


TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_the_trace_of_the_caller(target, opened, lines):
    trace_parent = f"00-{TRACE}-{PARENT}-01"
    post_json(target, LIST, {}, traceparent=trace_parent)
    [record] = lines.take()
    assert record.request["trace_id"] == TRACE
    assert f" trace={TRACE}" in record.getMessage()
    request(target, "GET", "/api/3.0/mlflow/gateway/secrets/list", headers={"traceparent": trace_parent})
    assert lines.one()["trace_id"] == TRACE
    grpc_code(opened, LIST.path, b"", metadata=(("traceparent", trace_parent),))
    line = lines.one()
    assert line["trace_id"] == TRACE
    assert "span_id" not in line


@pytest.mark.parametrize(
    "given",
    ["", f"00-{TRACE}", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", f"ff-{TRACE}-{PARENT}-01", TRACE.upper()],
)
def test_an_invalid_trace_is_left_out(target, lines, given):
    post_json(target, LIST, {}, traceparent=given)
    assert "trace_id" not in lines.one()


def test_an_abandoned_call_is_logged(running, opened, target, lines):
    message = secret_pb2.CreateGatewaySecretRequest(secret_name="late", secret_value={"k": "0123456789"})
    with write_lock(running.store_path):
        assert grpc_code(opened, CREATE.path, message.SerializeToString(), timeout=0.3)[0] == "DEADLINE_EXCEEDED"
        assert summary(lines.one()) == ("grpc", CREATE.path, "DEADLINE_EXCEEDED", None)
        made = opened.unary_unary(CREATE.path).future(message.SerializeToString())
        time.sleep(0.3)
        made.cancel()
        assert summary(lines.one()) == ("grpc", CREATE.path, "CANCELLED", None)
        with closing(http.client.HTTPConnection(target.removeprefix("http://"))) as connection:
            connection.request("POST", CREATE.path, message.SerializeToString(), {"content-type": "application/proto"})
            time.sleep(0.3)
        assert summary(lines.one()) == ("connect", CREATE.path, "CANCELLED", None)


@pytest.mark.parametrize("given", ["a", "3f2b:7", "0123456789-ABCDEF_.x", "z" * 64])
def test_a_valid_request_id_is_used(target, opened, lines, given):
    assert post_json(target, LIST, {}, x_request_id=given).headers["x-request-id"] == given
    assert lines.one()["request_id"] == given
    _, trailers = grpc_code(opened, LIST.path, b"", metadata=(("x-request-id", given),))
    assert trailers["x-request-id"] == given
    assert lines.one()["request_id"] == given


@pytest.mark.parametrize("given", ["", "z" * 65, "two words", "a,b", "<x>", "-a", "é"])
def test_an_invalid_request_id_is_replaced(target, lines, given):
    headers = {"content-type": "application/json", "x-request-id": given.encode("utf-8").decode("latin-1")}
    request_id = request(target, "POST", LIST.path, b"{}", headers).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    assert lines.one()["request_id"] == request_id


def test_a_failed_grpc_call_is_answered_with_its_id_too(opened, lines):
    _, trailers = grpc_code(opened, GET.path, b"\xff", metadata=(("x-request-id", "mine"),))
    assert trailers["x-request-id"] == "mine"
    assert lines.one()["request_id"] == "mine"
    assert trailers["grpc-status-details-bin"]


def test_probes_are_logged_as_debug(target, lines):
    levels = []
    for path in ("/healthz", "/readyz", "/metrics", "/no"):
        request(target, "GET", path)
        levels += [record.levelname for record in lines.take()]
    assert levels == ["DEBUG", "DEBUG", "DEBUG", "INFO"]
    logging.getLogger(LOGGER).setLevel(logging.WARNING)
    # A line is logged after the response, but before the server has ended.
    with gateway() as own:
        post_json(own.http_target, LIST, {})
        request(own.http_target, "GET", "/no")
    lines.take(0)


def test_a_preflight_is_not_logged_as_the_call(lines):
    origin = "https://app.example"
    asks = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "x-request-id"}
    with gateway(cors_origins=[origin]) as own:
        assert request(own.http_target, "OPTIONS", LIST.path, headers=asks).status == 200
        assert summary(lines.one()) == ("http", "preflight", "OK", 200)
        response = post_json(own.http_target, LIST, {}, origin=origin)
        assert "x-request-id" in response.headers["access-control-expose-headers"].lower()
        lines.take()


def test_the_actor_is_the_authenticated_caller(lines):
    with gateway() as own:
        with open_tokens(f"sqlite:///{own.store_path}") as manager:
            token = manager.create("ann\u00e9 of ops", AccessScope.READ).text
        bearer = f"Bearer {token}"
        post_json(own.http_target, LIST, {}, authorization=bearer)
        [record] = lines.take()
        assert record.request["actor"] == "ann\u00e9 of ops"
        assert ' actor="ann\\u00e9 of ops" ' in record.getMessage(), "it does not look like several words"
        # These responses come from the cache, which has an access line of its own.
        for _ in range(2):
            post_json(own.http_target, LIST, {}, authorization=bearer)
            assert lines.one()["actor"] == "ann\u00e9 of ops"
        for path in (REST_LIST, "/metrics"):
            request(own.http_target, "GET", path, headers={"authorization": bearer})
            assert lines.one()["actor"] == "ann\u00e9 of ops"
        with channel(own.grpc_target) as opened:
            # The second response comes from the cache.
            for _ in range(2):
                grpc_code(opened, LIST.path, b"", metadata=(("authorization", bearer),))
                line = lines.one()
                assert (line["actor"], line["code"]) == ("ann\u00e9 of ops", "OK")
            grpc_code(opened, LIST.path, b"")
            line = lines.one()
            assert (line["actor"], line["code"]) == ("-", "UNAUTHENTICATED")
        post_json(own.http_target, LIST, {}, authorization="Bearer wrong")
        assert summary(lines.one()) == ("connect", LIST.path, "UNAUTHENTICATED", 401)


def test_the_actor_of_a_refused_request_is_the_owner_of_the_token(lines):
    with gateway() as own:
        with open_tokens(f"sqlite:///{own.store_path}") as manager:
            reader = manager.create("reader", AccessScope.READ).text
            late = manager.create("late", AccessScope.ADMIN, lifetime_ms=1).text
            gone = manager.create("gone", AccessScope.ADMIN).text
            manager.revoke("gone")
        for name, text, code in [
            ("reader", reader, "PERMISSION_DENIED"),
            ("late", late, "UNAUTHENTICATED"),
            ("gone", gone, "UNAUTHENTICATED"),
        ]:
            bearer = f"Bearer {text}"
            post_json(own.http_target, CREATE, {}, authorization=bearer)
            line = lines.one()
            assert (line["transport"], line["actor"], line["code"]) == ("connect", name, code)
            request(
                own.http_target,
                "POST",
                REST_CREATE,
                b"{}",
                headers={"content-type": "application/json", "authorization": bearer},
            )
            line = lines.one()
            assert (line["transport"], line["actor"], line["code"]) == ("rest", name, code)
            with channel(own.grpc_target) as opened:
                grpc_code(opened, CREATE.path, b"", metadata=(("authorization", bearer),))
            line = lines.one()
            assert (line["transport"], line["actor"], line["code"]) == ("grpc", name, code)


class TestAProcess:
    """The log of ``serve``."""

    @pytest.fixture
    def serve(self, tmp_path):
        def start(*options: str) -> tuple[subprocess.Popen[str], str, str]:
            command = [sys.executable, "-m", "gateway_entities.cli", "serve", *options]
            addresses = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
            pipe = subprocess.PIPE
            process = subprocess.Popen([*command, *addresses], cwd=tmp_path, stdout=pipe, stderr=pipe, text=True)
            started.append(process)
            return process, process.stdout.readline().strip(), process.stdout.readline().strip()

        started: list[subprocess.Popen[str]] = []
        yield start
        for process in started:
            process.kill()
            process.communicate()

    def test_lines_of_json_in_a_pipe(self, serve):
        process, grpc_target, http_target = serve()
        created = {"secretName": CANARY, "secretValue": {"api_key": CANARY}}
        post_json(http_target, CREATE, created, x_request_id="first", authorization=f"Bearer {CANARY}")
        with channel(grpc_target) as opened:
            call(opened, LIST, b"")
        request(http_target, "GET", "/readyz")
        process.terminate()
        _, errors = process.communicate(timeout=20)
        logged = [json.loads(line) for line in errors.splitlines()]
        first, second = (line for line in logged if line["logger"] == LOGGER)
        assert list(first)[:3] == ["time", "level", "logger"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
        assert (first["level"], first["logger"], first["request_id"], first["code"]) == ("info", LOGGER, "first", "OK")
        assert (second["transport"], second["method"]) == ("grpc", LIST.path)
        assert CANARY not in errors

    def test_lines_of_text(self, serve):
        process, _, http_target = serve("--log-format", "text", "--log-level", "debug")
        request(http_target, "GET", "/readyz", headers={"x-request-id": "mine"})
        process.terminate()
        _, errors = process.communicate(timeout=20)
        form = r"\d{4}-\d\d-\d\dT[\d:.]+Z DEBUG gateway_entities\.requests: http /readyz OK \d+\.\d{3} ms actor=- id=mine\n"
        assert re.fullmatch(form, "".join(line for line in errors.splitlines(keepends=True) if LOGGER in line))

    def test_the_level_warning_shows_no_requests(self, serve):
        process, _, http_target = serve("--log-level", "warning")
        post_proto(http_target, LIST, b"")
        process.terminate()
        assert process.communicate(timeout=20)[1] == ""


def test_the_package_imports_no_telemetry():
    program = "import gateway_entities, sys; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {name for name in modules if name.startswith(("prometheus_client", "opentelemetry", "logging.config"))}
