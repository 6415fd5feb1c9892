"""What a request is: trailers are no headers, an upgrade is ignored, and the host is named once."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest

from gateway_entities import methods
from gateway_entities.server.rpc.limits import MAX_HEADER_BYTES
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.testing import Gateway, gateway
from tests.server.http.raw_http import LIST, connect, head, is_alive, is_closed, post, read
from tests.server.raw import post_json, write_lock

CHUNKED = head(LIST, "transfer-encoding: chunked")


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


@pytest.fixture
def opened(running: Gateway) -> Iterator[socket.socket]:
    with connect(running.http_target) as opened:
        yield opened


def test_trailers_do_not_authenticate() -> None:
    with gateway() as running:
        with open_tokens(f"sqlite:///{running.store_path}") as tokens:
            token = tokens.create("reader", AccessScope.READ).text
        with connect(running.http_target) as opened:
            opened.sendall(CHUNKED + b"2\r\n{}\r\n0\r\nauthorization: Bearer " + token.encode() + b"\r\n\r\n")
            assert read(opened).status == 401
            opened.sendall(post(b"{}", f"authorization: Bearer {token}"))
            assert read(opened).status == 200


def test_trailers_are_ignored_and_the_connection_goes_on(opened: socket.socket) -> None:
    for _ in range(2):
        opened.sendall(CHUNKED + b"2\r\n{}\r\n0\r\nx: y\r\nhost: attacker.example\r\ncontent-type: text/plain\r\n\r\n")
        assert read(opened).status == 200


def test_a_packet_without_a_part_of_the_body_does_not_stop_reading(running: Gateway, opened: socket.socket) -> None:
    opened.sendall(head(LIST, "transfer-encoding: chunked", "expect: 100-continue"))
    # From here on the app waits for the body.
    assert opened.recv(1000).startswith(b"HTTP/1.1 100 ")
    for packet in (b"1;x", b"=y\r\n", b"{", b"\r\n", b"1\r\n}\r\n", b"0\r\nx: ", b"y\r\n\r\n"):
        opened.sendall(packet)
        # The server has read the packet when it answers this.
        assert is_alive(running.http_target)
    assert read(opened).status == 200


@pytest.mark.parametrize("trailer", [b"x: y\r\n" * 1000, b"x" * 6000], ids=["many lines", "one line"])
def test_trailers_over_the_limit_end_the_connection(running: Gateway, opened: socket.socket, trailer: bytes) -> None:
    opened.sendall(CHUNKED + b"2\r\n{}\r\n0\r\n")
    # Far above the limit, but bounded, so that a server without a limit fails the test.
    for _ in range(200 * MAX_HEADER_BYTES // len(trailer)):
        opened.sendall(trailer)
        if select.select([opened], [], [], 0)[0]:
            break
    assert read(opened).status == 431
    assert is_closed(opened)
    assert is_alive(running.http_target)


def test_framing_of_chunks_over_the_limit_ends_the_connection(opened: socket.socket) -> None:
    opened.sendall(CHUNKED + b"2;x=" + b"y" * (MAX_HEADER_BYTES + 33_000))
    assert read(opened).status == 431


@pytest.mark.parametrize(
    "fields",
    [
        ("transfer-encoding: gzip, chunked",),
        ("transfer-encoding: gzip", "transfer-encoding: chunked"),
        ("transfer-encoding: Deflate,chunked",),
        ("transfer-encoding: identity, chunked",),
    ],
)
def test_an_unknown_transfer_coding_is_not_implemented(
    running: Gateway, opened: socket.socket, fields: tuple[str, ...]
) -> None:
    opened.sendall(head(LIST, *fields) + b"2\r\n{}\r\n0\r\n\r\n")
    response = read(opened)
    assert (response.status, response.json["code"]) == (501, "unimplemented")
    assert is_closed(opened)
    assert is_alive(running.http_target)


def test_the_chunked_transfer_coding_has_any_case(opened: socket.socket) -> None:
    opened.sendall(head(LIST, "transfer-encoding: Chunked") + b"2\r\n{}\r\n0\r\n\r\n")
    assert read(opened).status == 200


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_an_upgrade_is_ignored_and_the_body_read(opened: socket.socket, running: Gateway, protocol: str, size: int) -> None:
    for name in ("one", "two"):
        secret = {"secretName": f"{name}-{protocol}-{size}", "secretValue": {"api_key": "sk-0123456789abcdef"}}
        assert post_json(running.http_target, methods.CREATE_GATEWAY_SECRET, secret).status == 200
    upgrade = ("connection: Upgrade, HTTP2-Settings", f"upgrade: {protocol}", "http2-settings: AAEAAEAAAAIAAAAB")
    request = post(b'{"pageSize": 1}', *upgrade)
    # The connection goes on, with and without an upgrade.
    for data in (request, request, post(b'{"pageSize": 1}')):
        for start in range(0, len(data), size):
            opened.sendall(data[start : start + size])
        response = read(opened)
        assert (response.status, len(response.json["secrets"])) == (200, 1)
        assert "upgrade" not in response.headers


def test_an_upgrade_with_a_chunked_body_and_without_keep_alive(opened: socket.socket) -> None:
    fields = (
        "connection: close, Upgrade, HTTP2-Settings",
        "upgrade: h2c",
        "http2-settings: AA",
        "transfer-encoding: chunked",
    )
    opened.sendall(head(LIST, *fields) + b'f\r\n{"pageSize": 1}\r\n0\r\n\r\n')
    response = read(opened)
    assert (response.status, response.headers["connection"]) == (200, "close")
    assert is_closed(opened)


def test_connect_is_refused(opened: socket.socket) -> None:
    opened.sendall(b"CONNECT localhost:80 HTTP/1.1\r\nhost: localhost:80\r\n\r\n")
    assert read(opened).status == 400
    assert is_closed(opened)


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(host=None),
        post(b"{}", "host: localhost"),
        post(b"{}", "host: attacker.example"),
        post(url=f"http://attacker.example{LIST.path}"),
        post(url=f"http://attacker.example@localhost{LIST.path}"),
        post(url=f"ftp://localhost{LIST.path}"),
        post(host=None, url=f"http://localhost{LIST.path}"),
        b"GET /healthz HTTP/1.0\r\n\r\n",
    ],
)
def test_a_request_without_one_host_is_refused(opened: socket.socket, request_bytes: bytes) -> None:
    opened.sendall(request_bytes)
    response = read(opened)
    assert (response.status, response.json["code"]) == (400, "invalid_argument")
    assert "host" in response.json["message"].lower()
    assert is_closed(opened)


@pytest.mark.parametrize("url", [None, f"http://localhost{LIST.path}", f"HTTP://LOCALHOST{LIST.path}"])
def test_a_request_with_one_host_is_served(opened: socket.socket, url: str | None) -> None:
    for _ in range(2):
        opened.sendall(post(url=url))
        assert read(opened).status == 200


def test_an_absolute_url_of_a_foreign_host_is_refused_like_its_host_header(opened: socket.socket) -> None:
    opened.sendall(post(url=f"http://attacker.example{LIST.path}", host="attacker.example"))
    assert read(opened).status == 403


def test_an_error_of_a_pipelined_request_comes_after_the_responses_before(running: Gateway, opened: socket.socket) -> None:
    create = post(b"{}", method=methods.CREATE_GATEWAY_SECRET)
    opened.sendall(create + b"nonsense\r\n\r\n")
    response = read(opened)
    assert (response.status, response.json["code"]) == (400, "invalid_argument")
    assert "secret" in response.json["message"]
    assert is_closed(opened)


def test_few_requests_wait_for_the_response_before(running: Gateway, opened: socket.socket) -> None:
    secret = b'{"secretName": "waits", "secretValue": {"api_key": "sk-0123456789abcdef"}}'
    with write_lock(running.store_path):
        opened.sendall(post(secret, method=methods.CREATE_GATEWAY_SECRET) + post() * 100)
        # The rest is refused before the first response, by a server that is busy with nothing else.
        assert is_alive(running.http_target)
    with opened.makefile("rb") as file:
        assert file.read().count(b"HTTP/1.1 200 OK") == 17
