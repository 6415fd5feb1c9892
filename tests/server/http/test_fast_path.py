"""What is answered at once is what the app would have answered, byte for byte, and is heard of in the same way."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from gateway_entities import GatewayClient, methods
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.http.fast_path import CachedResponder
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.testing import Gateway, gateway
from tests.server.conftest import Lines
from tests.server.raw import HttpResponse, post_json, request

CREATE, LIST = methods.CREATE_GATEWAY_SECRET, methods.LIST_GATEWAY_SECRET_INFOS
PROTO, JSON = "application/proto", "application/json"
SECRET = {"secretName": "s", "secretValue": {"api_key": "sk-0123456789abcdef"}}


@pytest.fixture
def running() -> Iterator[Gateway]:
    with gateway() as running:
        post_json(running.http_target, CREATE, SECRET)
        yield running


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each list of secrets that was asked about: whether it was answered at once."""
    told: list[bool] = []
    original = CachedResponder.reply

    def reply(self: Any, path: bytes, *args: Any) -> Any:
        found = original(self, path, *args)
        # Calls by other means may come in two packets, and then nobody asks.
        if path == LIST.path.encode():
            told.append(found is not None)
        return found

    monkeypatch.setattr(CachedResponder, "reply", reply)
    return told


def raw(method: Method[Any, Any], body: bytes, kind: str = JSON, version: str = "1.1", **headers: str) -> bytes:
    fields = {"host": "localhost", "content-type": kind, "content-length": str(len(body))} | headers
    lines = [f"POST {method.path} HTTP/{version}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def connect(running: Gateway) -> socket.socket:
    host, _, port = running.http_target.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def post(running: Gateway, kind: str = PROTO, body: bytes = b"", **headers: str) -> HttpResponse:
    """Call LIST in one packet: of what comes in two, the second may be late, and that is for the app."""
    with connect(running) as opened:
        opened.sendall(raw(LIST, body, kind, **headers))
        with closing(http.client.HTTPResponse(opened, method="POST")) as response:
            response.begin()
            return HttpResponse(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )


@pytest.mark.parametrize(("kind", "body"), [(PROTO, b""), (JSON, b"{}"), (JSON + "; charset=utf-8", b" { } ")])
def test_it_is_the_answer_of_the_app(running: Gateway, answered: list[bool], kind: str, body: bytes) -> None:
    first, second = [post(running, kind, body, **{"x-request-id": "mine"}) for _ in range(2)]
    assert answered == [False, True]
    for answer in (first, second):
        answer.headers.pop("date")
    assert second == first
    assert second.headers["x-request-id"] == "mine"


def test_a_change_makes_it_unknown(running: Gateway, answered: list[bool]) -> None:
    before = post(running, JSON, b"{}")
    post(running, JSON, b"{}")
    post_json(running.http_target, CREATE, SECRET | {"secretName": "t"})
    after = post(running, JSON, b"{}")
    assert answered == [False, True, False]
    assert [len(answer.json["secrets"]) for answer in (before, after)] == [1, 2]


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
def test_what_is_not_plain_is_left_to_the_app(
    running: Gateway, answered: list[bool], headers: dict[str, str], status: int
) -> None:
    post(running)
    assert post(running, **headers).status == status
    assert True not in answered


def test_a_get_is_left_to_the_app(running: Gateway, answered: list[bool]) -> None:
    post(running)
    assert request(running.http_target, "GET", LIST.path).status == 405
    assert answered == [False]


def test_who_may_not_read_is_refused(running: Gateway, answered: list[bool]) -> None:
    with open_tokens(f"sqlite:///{running.store_path}") as keeper:
        text = keeper.create("ann", AccessScope.READ)[1]
    authorization = f"Bearer {text}"
    while post(running).status == 200:
        pass  # The first token is in force within two seconds.
    assert post(running, authorization=authorization).status == 200
    answered.clear()
    assert post(running, authorization=authorization).status == 200
    assert post(running).status == 401
    assert post(running, authorization=f"Bearer {text}x").status == 401
    assert answered == [True, False, False]


def test_it_is_logged_and_counted(lines: Lines, running: Gateway, answered: list[bool]) -> None:
    assert lines.one()["method"] == CREATE.path
    told = []
    for _ in range(2):
        post(running)
        told.append(lines.one())
    assert answered == [False, True]
    for line in told:
        line.pop("request_id")
        assert 0 < line.pop("duration_ms") < 60_000  # type: ignore[operator]
    assert told[0] == told[1]
    shown = request(running.http_target, "GET", "/metrics").body.decode()
    labels = f'code="OK",method="{LIST.path}",transport="connect"'
    assert f"gateway_entities_requests_total{{{labels}}} 2.0" in shown
    assert 'gateway_entities_requests_in_flight{transport="connect"} 0.0' in shown


def answers(opened: socket.socket, count: int) -> list[bytes]:
    """Read so many answers from a connection, whatever comes in whatever packets."""
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


def test_requests_on_one_connection_are_answered_in_their_order(
    running: Gateway, opened: socket.socket, answered: list[bool]
) -> None:
    known = post(running, JSON, b"{}").body
    unknown = raw(methods.LIST_GATEWAY_ENDPOINTS, b"{}")
    opened.sendall(raw(LIST, b"{}") * 2 + unknown + raw(LIST, b"{}") * 2)
    first, second, third, *rest = answers(opened, 5)
    assert [first, second, *rest] == [known] * 4
    assert b"secrets" not in third
    # Those behind the one that takes longer wait for it, in the app.
    assert answered == [False, True, True]


@pytest.mark.parametrize("size", [1, 7, 60])
def test_a_request_that_comes_in_parts_is_answered(
    running: Gateway, opened: socket.socket, answered: list[bool], size: int
) -> None:
    known = post(running, JSON, b'{"provider": ""}').body
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = raw(LIST, b'{"provider": ""}')
    for start in range(0, len(data), size):
        opened.sendall(data[start : start + size])
    opened.sendall(raw(LIST, b'{"provider": ""}'))
    assert answers(opened, 2) == [known, known]


def test_the_connection_of_a_client_of_http_1_0_ends_with_the_answer(
    running: Gateway, opened: socket.socket, answered: list[bool]
) -> None:
    known = post(running, JSON, b"{}").body
    opened.sendall(raw(LIST, b"{}", version="1.0").replace(b"\r\n", b"\r\nconnection: keep-alive\r\n", 1))
    with opened.makefile("rb") as file:
        head, body = file.read().split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == known
    assert answered == [False]


def test_a_request_that_is_cut_off_does_nothing(running: Gateway, opened: socket.socket, answered: list[bool]) -> None:
    post(running, JSON, b"{}")
    opened.sendall(raw(LIST, b"{}")[:-1])
    opened.shutdown(socket.SHUT_WR)
    assert opened.recv(1000) == b""
    assert answered == [False]


def test_every_rpc_is_asked_about_and_nothing_else(
    running: Gateway, monkeypatch: pytest.MonkeyPatch, answered: list[bool]
) -> None:
    asked: list[bytes] = []
    monkeypatch.setattr(CachedResponder, "may_know", lambda self, path: asked.append(path))
    for method in METHODS:
        request(running.http_target, "POST", method.path, b"", {"content-type": "text/plain"})
    assert asked == [method.path.encode() for method in METHODS]
    assert not answered


def test_clients_see_no_difference(running: Gateway, answered: list[bool]) -> None:
    with GatewayClient(running.http_target) as client:
        assert client.list_secrets() == client.list_secrets()
    assert answered == [False, True]
