"""A response of the fast path is the app's, byte for byte, with the same log line and metrics."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from gateway_entities import GatewayClient, methods
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.http.fast_path import CachedResponder
from gateway_entities.server.rpc.response_cache import CACHEABLE_METHODS
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.testing import Gateway, gateway
from tests.server.conftest import Lines
from tests.server.raw import HttpResponse, post_json, request
from tests.stores import Place, serving

CREATE, LIST = methods.CREATE_GATEWAY_SECRET, methods.LIST_GATEWAY_SECRET_INFOS
PROTO, JSON = "application/proto", "application/json"
SECRET = {"secretName": "s", "secretValue": {"api_key": "sk-0123456789abcdef"}}


@pytest.fixture
def running() -> Iterator[Gateway]:
    with gateway() as running:
        post_json(running.http_target, CREATE, SECRET)
        yield running


@pytest.fixture
def hits(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each list of secrets on the fast path: whether it was responded to."""
    hits: list[bool] = []
    original = CachedResponder.try_respond

    def try_respond(self: CachedResponder, path: bytes, scope: Any, body: bytes, send: Any) -> bool:
        # Calls of other helpers may come in two packets, and those are for the app.
        if path != LIST.path.encode():
            return original(self, path, scope, body, send)
        hits.append(False)

        def noted(response: Any) -> None:
            hits[-1] = True
            send(response)

        return original(self, path, scope, body, noted)

    monkeypatch.setattr(CachedResponder, "try_respond", try_respond)
    return hits


def raw(method: Method[Any, Any], body: bytes, kind: str = JSON, version: str = "1.1", **headers: str) -> bytes:
    fields = {"host": "localhost", "content-type": kind, "content-length": str(len(body))} | headers
    lines = [f"POST {method.path} HTTP/{version}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def connect(running: Gateway) -> socket.socket:
    host, _, port = running.http_target.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def post(running: Gateway, kind: str = PROTO, body: bytes = b"", **headers: str) -> HttpResponse:
    """Call LIST in one packet: a body in a second packet may be late, and is for the app."""
    with connect(running) as opened:
        opened.sendall(raw(LIST, body, kind, **headers))
        with closing(http.client.HTTPResponse(opened, method="POST")) as response:
            response.begin()
            return HttpResponse(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )


@pytest.mark.parametrize(("kind", "body"), [(PROTO, b""), (JSON, b"{}"), (JSON + "; charset=utf-8", b" { } ")])
def test_it_is_the_response_of_the_app(running: Gateway, hits: list[bool], kind: str, body: bytes) -> None:
    first, second = [post(running, kind, body, **{"x-request-id": "mine"}) for _ in range(2)]
    assert hits == [False, True]
    for response in (first, second):
        response.headers.pop("date")
    assert second == first
    assert second.headers["x-request-id"] == "mine"


def test_a_change_makes_it_stale(running: Gateway, hits: list[bool]) -> None:
    before = post(running, JSON, b"{}")
    post(running, JSON, b"{}")
    post_json(running.http_target, CREATE, SECRET | {"secretName": "t"})
    after = post(running, JSON, b"{}")
    assert hits == [False, True, False]
    assert [len(response.json["secrets"]) for response in (before, after)] == [1, 2]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "attacker.example"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"connect-protocol-version": "2"}, 400),
        ({"connect-timeout-ms": "soon"}, 400),
        ({"connect-timeout-ms": "0"}, 504),
        ({"content-encoding": "br"}, 501),
        ({"origin": "https://elsewhere.example"}, 200),
        ({"expect": "100-continue"}, 200),
        ({"connection": "close"}, 200),
    ],
    ids=lambda value: next(iter(value.values())) if isinstance(value, dict) else "",
)
def test_other_requests_are_left_to_the_app(
    running: Gateway, hits: list[bool], headers: dict[str, str], status: int
) -> None:
    post(running)
    assert post(running, **headers).status == status
    assert True not in hits


def test_a_get_is_left_to_the_app(running: Gateway, hits: list[bool]) -> None:
    post(running)
    assert request(running.http_target, "GET", LIST.path).status == 400
    assert request(running.http_target, "GET", f"{LIST.path}?encoding=json&message={{}}").status == 200
    assert hits == [False]


def test_a_caller_without_a_token_is_refused(running: Gateway, hits: list[bool]) -> None:
    with open_tokens(f"sqlite:///{running.store_path}") as manager:
        text = manager.create("ann", AccessScope.READ)[1]
    authorization = f"Bearer {text}"
    deadline = time.monotonic() + 20
    while post(running).status == 200:
        # The first token is in force within two seconds.
        assert time.monotonic() < deadline
    assert post(running, authorization=authorization).status == 200
    hits.clear()
    assert post(running, authorization=authorization).status == 200
    assert post(running).status == 401
    assert post(running, authorization=f"Bearer {text}x").status == 401
    assert hits == [True, False, False]


def test_it_is_logged_and_counted(lines: Lines, running: Gateway, hits: list[bool]) -> None:
    assert lines.one()["method"] == CREATE.path
    found = []
    for _ in range(2):
        post(running)
        found.append(lines.one())
    assert hits == [False, True]
    for line in found:
        line.pop("request_id")
        assert 0 < line.pop("duration_ms") < 60_000  # type: ignore[operator]
    assert found[0] == found[1]
    shown = request(running.http_target, "GET", "/metrics").body.decode()
    labels = f'code="OK",method="{LIST.path}",transport="connect"'
    assert f"gateway_entities_requests_total{{{labels}}} 2.0" in shown
    assert 'gateway_entities_requests_in_flight{transport="connect"} 0.0' in shown


def responses(opened: socket.socket, count: int) -> list[bytes]:
    """Read the bodies of so many responses from a connection."""
    with opened.makefile("rb") as file:
        found: list[bytes] = []
        for _ in range(count):
            assert file.readline() == b"HTTP/1.1 200 OK\r\n"
            fields = http.client.parse_headers(file)
            found.append(file.read(int(fields["content-length"])))
        return found


@pytest.fixture
def opened(running: Gateway) -> Iterator[socket.socket]:
    with connect(running) as opened:
        yield opened


def test_pipelined_requests_are_answered_in_order(running: Gateway, opened: socket.socket, hits: list[bool]) -> None:
    cached = post(running, JSON, b"{}").body
    uncached = raw(methods.LIST_GATEWAY_ENDPOINTS, b"{}")
    opened.sendall(raw(LIST, b"{}") * 2 + uncached + raw(LIST, b"{}") * 2)
    first, second, third, *rest = responses(opened, 5)
    assert [first, second, *rest] == [cached] * 4
    assert b"secrets" not in third
    # The requests behind the slow one wait for it, in the app.
    assert hits == [False, True, True]


@pytest.mark.parametrize("size", [1, 7, 60])
def test_a_request_in_several_packets(running: Gateway, opened: socket.socket, hits: list[bool], size: int) -> None:
    cached = post(running, JSON, b'{"provider": ""}').body
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = raw(LIST, b'{"provider": ""}')
    for start in range(0, len(data), size):
        opened.sendall(data[start : start + size])
    opened.sendall(raw(LIST, b'{"provider": ""}'))
    assert responses(opened, 2) == [cached, cached]


def test_the_connection_of_an_http_1_0_client_ends_with_the_response(
    running: Gateway, opened: socket.socket, hits: list[bool]
) -> None:
    cached = post(running, JSON, b"{}").body
    opened.sendall(raw(LIST, b"{}", version="1.0").replace(b"\r\n", b"\r\nconnection: keep-alive\r\n", 1))
    with opened.makefile("rb") as file:
        head, body = file.read().split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == cached
    assert hits == [False]


def test_a_truncated_request_does_nothing(running: Gateway, opened: socket.socket, hits: list[bool]) -> None:
    post(running, JSON, b"{}")
    opened.sendall(raw(LIST, b"{}")[:-1])
    opened.shutdown(socket.SHUT_WR)
    assert opened.recv(1000) == b""
    assert hits == [False]


def test_it_handles_cacheable_methods_only(running: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    handled: set[str] = set()
    original = CachedResponder.handles

    def handles(self: CachedResponder, path: bytes) -> bool:
        if original(self, path):
            handled.add(path.decode())
        return False

    monkeypatch.setattr(CachedResponder, "handles", handles)
    for method in METHODS:
        request(running.http_target, "POST", method.path, b"", {"content-type": "text/plain"})
    assert handled == {method.path for method in CACHEABLE_METHODS}


def test_it_handles_nothing_where_the_revision_has_to_be_awaited(
    postgresql_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise AssertionError

    monkeypatch.setattr(CachedResponder, "try_respond", fail)
    with serving(postgresql_place) as server:
        for _ in range(2):
            assert post_json(server.http_target, LIST, {}).status == 200


def test_other_headers_on_one_connection_are_parsed_again(running: Gateway, opened: socket.socket) -> None:
    """Headers that differ on one connection are parsed again, whether or not the requests are on the fast path."""
    other = raw(methods.LIST_GATEWAY_ENDPOINTS, b"{}", host="localhost:1")
    opened.sendall(raw(LIST, b"{}") + other + raw(LIST, b"{}") + other)
    first, *rest = responses(opened, 4)
    assert rest[1] == first
    assert b"secrets" not in rest[0] + rest[2]
    opened.sendall(raw(LIST, b"{}", host="attacker.example"))
    assert opened.recv(1000).startswith(b"HTTP/1.1 403 ")


def test_trailers_are_not_headers_of_the_next_request(running: Gateway, opened: socket.socket) -> None:
    post(running, JSON, b"{}")
    chunked = raw(LIST, b"", **{"transfer-encoding": "chunked"}).replace(b"content-length: 0\r\n", b"")
    opened.sendall(chunked + b"2\r\n{}\r\n0\r\norigin: https://elsewhere.example\r\n\r\n")
    responses(opened, 1)
    foreign = chunked.replace(b"localhost", b"attacker.example")
    opened.sendall(foreign.replace(b"\r\n\r\n", b"\r\norigin: https://elsewhere.example\r\n\r\n"))
    opened.sendall(b"2\r\n{}\r\n0\r\n\r\n")
    assert opened.recv(1000).startswith(b"HTTP/1.1 403 ")


def test_clients_see_no_difference(running: Gateway, hits: list[bool]) -> None:
    with GatewayClient(running.http_target) as client:
        assert client.list_secrets() == client.list_secrets()
    assert hits == [False, True]
