"""CORS, with a plain HTTP client."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway_entities import methods
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.server import Server
from gateway_entities.testing import Gateway, gateway
from tests.server.raw import HttpResponse, post_json, request

PAGE, OTHER_PAGE, FOREIGN = "https://app.example", "http://localhost:3000", "https://evil.example"
GET, LIST = methods.GET_GATEWAY_SECRET_INFO, methods.LIST_GATEWAY_SECRET_INFOS
CONNECT_HEADERS = "authorization,connect-protocol-version,connect-timeout-ms,content-type,x-user-agent"
DIALECT = "/api/3.0/mlflow/gateway/endpoints/list"


@pytest.fixture(scope="module")
def running():
    with gateway(cors_origins=[PAGE, OTHER_PAGE]) as running:
        yield running


@pytest.fixture
def target(running: Gateway):
    return running.http_target


@pytest.fixture(scope="module")
def closed():
    """The HTTP target of a gateway that allows no origin."""
    with gateway() as running:
        yield running.http_target


def preflight(
    target: str, origin: str, *, path: str = LIST.path, verb: str = "POST", headers: str = CONNECT_HEADERS
) -> HttpResponse:
    asked = {"origin": origin, "access-control-request-method": verb, "access-control-request-headers": headers}
    return request(target, "OPTIONS", path, headers=asked)


def cors_headers(response: HttpResponse) -> set[str]:
    return {name for name in response.headers if name.startswith("access-control-")}


def listed(value: str) -> set[str]:
    return {each.strip().lower() for each in value.split(",")}


@pytest.mark.parametrize("origin", [PAGE, OTHER_PAGE])
def test_a_page_may_call(target, origin):
    allowed = preflight(target, origin)
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, origin)
    assert listed(CONNECT_HEADERS) <= listed(allowed.headers["access-control-allow-headers"])
    assert "post" in listed(allowed.headers["access-control-allow-methods"])
    assert int(allowed.headers["access-control-max-age"]) > 0
    assert "origin" in listed(allowed.headers["vary"])
    response = post_json(target, LIST, {}, origin=origin)
    assert (response.status, response.headers["access-control-allow-origin"]) == (200, origin)
    assert "origin" in listed(response.headers["vary"])


def test_credentials_of_browsers_are_not_allowed(target):
    for response in (preflight(target, PAGE), post_json(target, LIST, {}, origin=PAGE)):
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        FOREIGN,
        "null",
        "https://app.example:8443",
        "http://app.example",
        "https://app.example.evil.example",
        "https://APP.EXAMPLE",
    ],
)
def test_any_other_origin_is_not_allowed(target, origin):
    assert "access-control-allow-origin" not in preflight(target, origin).headers
    assert "access-control-allow-origin" not in post_json(target, LIST, {}, origin=origin).headers


@pytest.mark.parametrize(("verb", "headers"), [("PUT", "content-type"), ("POST", "x-forwarded-for")])
def test_a_page_may_not_send_what_no_client_sends(target, verb, headers):
    refused = preflight(target, PAGE, verb=verb, headers=headers)
    assert verb.lower() not in listed(refused.headers["access-control-allow-methods"]) or not (
        listed(headers) <= listed(refused.headers["access-control-allow-headers"])
    )


def test_a_request_without_an_origin_gets_no_cors_headers(target):
    response = post_json(target, LIST, {})
    assert (response.status, cors_headers(response)) == (200, set())


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (GET.path, b'{"secretId": "none"}', 404),
        (LIST.path, b"{", 400),
        ("/gatewayentities.v1.SecretService/NoSuchMethod", b"{}", 404),
        ("/nothing", b"{}", 404),
        ("/healthz", b"{}", 405),
        ("/api/3.0/mlflow/gateway/nothing", b"{}", 404),
    ],
)
def test_a_page_may_read_errors(target, path, body, status):
    response = request(target, "POST", path, body, {"content-type": "application/json", "origin": PAGE})
    assert (response.status, response.headers["access-control-allow-origin"]) == (status, PAGE)


def test_a_page_may_call_healthz(target):
    for path in ("/healthz", "/readyz"):
        assert request(target, "GET", path, headers={"origin": PAGE}).headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("verb", ["GET", "POST", "PATCH", "DELETE"])
def test_a_page_may_use_the_rest_dialect(target, verb):
    allowed = preflight(target, PAGE, path=DIALECT, verb=verb, headers="content-type")
    assert allowed.headers["access-control-allow-origin"] == PAGE
    assert verb.lower() in listed(allowed.headers["access-control-allow-methods"])


@pytest.mark.parametrize("path", [LIST.path, DIALECT, "/healthz"])
def test_without_origins_there_are_no_cors_headers(closed, path):
    responses = (
        preflight(closed, PAGE, path=path),
        request(closed, "GET", path, headers={"origin": PAGE}),
        request(closed, "POST", path, b"{}", {"content-type": "application/json", "origin": PAGE}),
    )
    assert [cors_headers(response) for response in responses] == [set()] * 3
    assert responses[0].status == (204 if path == DIALECT else 405)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("path", [LIST.path, "/api/3.0/mlflow/gateway/secrets/create"])
def test_requests_without_a_preflight_are_no_calls(target, closed, path, content_type):
    headers = {"origin": FOREIGN, **({"content-type": content_type} if content_type else {})}
    for gateway_target in (target, closed):
        assert request(gateway_target, "POST", path, b"{}", headers).status == (400 if path.startswith("/api") else 415)


def test_another_host_is_refused_whatever_the_origin(target):
    response = post_json(target, LIST, {}, host="app.example", origin=PAGE)
    assert (response.status, cors_headers(response)) == (403, set())


def serve(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "gateway_entities.cli",
        "serve",
        "--grpc",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
        *options,
    ]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_process_allows_the_origins_of_its_options(tmp_path):
    with serve(tmp_path, "--cors-origin", PAGE, "--cors-origin", OTHER_PAGE) as process:
        _, http_target = process.stdout.readline(), process.stdout.readline().strip()
        allowed = [
            preflight(http_target, origin).headers.get("access-control-allow-origin")
            for origin in (PAGE, OTHER_PAGE, FOREIGN)
        ]
        process.terminate()
    assert allowed == [PAGE, OTHER_PAGE, None]


def test_the_process_rejects_an_asterisk(tmp_path):
    with serve(tmp_path, "--cors-origin", "*") as process:
        said = process.stderr.read()
    assert process.returncode != 0
    assert "'*' is not an origin" in said


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "",
        "app.example",
        "https://",
        "https://app.example/",
        "https://app.example/page",
        "https://*.example",
        "https://App.example",
        "https://app.example:443",
        "http://app.example:80",
        "http://app.example:0",
        "ftp://app.example",
        "https://user@app.example",
        "https://app.example\n",
    ],
)
def test_invalid_origins(origin):
    with pytest.raises(GatewayError, match="is not an origin") as refused:
        Server("sqlite:///unused.sqlite", cors_origins=[origin])
    assert refused.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "origin", ["http://[::1]:3000", "https://a-b.example:8443", "http://127.0.0.1", "http://app.example:443"]
)
def test_valid_origins(origin):
    Server("sqlite:///unused.sqlite", cors_origins=[PAGE, origin])
