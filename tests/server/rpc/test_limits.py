"""The limits of requests, and the error beyond each."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import grpc
import pytest

from gateway_entities import methods
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.http.allowed_hosts import check_hosts
from gateway_entities.server.rpc.limits import MAX_HEADER_BYTES, MAX_REQUEST_BYTES, MAX_STREAMS
from gateway_entities.testing import Gateway, gateway
from gatewayentities.v1 import secret_pb2
from tests.server.raw import channel, post_json, post_proto, request, write_lock

CREATE, LIST = methods.CREATE_GATEWAY_SECRET, methods.LIST_GATEWAY_SECRET_INFOS


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


@pytest.mark.parametrize("excess", [-2048, 1, 50_000, 200_000])
def test_headers_over_the_limit_of_http(running, excess):
    value = "x" * (MAX_HEADER_BYTES + excess)
    response = request(running.http_target, "POST", LIST.path, b"{}", {"content-type": "application/json", "x-long": value})
    if excess < 0:
        assert response.status == 200
        return
    assert response.status == 431
    assert response.json == {
        "code": "resource_exhausted",
        "error_code": "RESOURCE_LIMIT_EXCEEDED",
        "message": f"the headers are larger than {MAX_HEADER_BYTES} bytes",
    }


def test_headers_that_never_end(running):
    host, port = running.http_target.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=20)) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        response = b""
        try:
            for _ in range(1000):
                connection.sendall(b"x" * 4096)
        except OSError:
            pass
        try:
            response = connection.recv(65536)
        except OSError:
            return  # It is closed already.
    assert response.startswith(b"HTTP/1.1 431 ")


def test_many_small_headers_and_a_long_path(running):
    many = {f"x-{number}": "y" * 90 for number in range(200)}
    assert request(running.http_target, "GET", "/healthz", None, many).status == 431
    assert request(running.http_target, "GET", "/healthz?" + "q" * MAX_HEADER_BYTES).status == 431


def test_the_header_limit_does_not_apply_to_bodies(running):
    host = running.http_target.removeprefix("http://")
    with closing(http.client.HTTPConnection(host, timeout=20)) as connection:
        for _ in range(3):
            connection.request("POST", LIST.path, b" " * 100_000 + b"{}", {"content-type": "application/json"})
            response = connection.getresponse()
            assert (response.status, bool(response.read())) == (200, True)


def test_a_request_that_is_not_http(running):
    host, port = running.http_target.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=20)) as connection:
        connection.sendall(b"\x16\x03\x01 this is TLS, perhaps\r\n\r\n")
        response = connection.recv(65536)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b'"message": "this is not an HTTP request"' in response


def test_metadata_over_the_limit_of_grpc(running):
    with channel(running.grpc_target) as opened:
        send = opened.unary_unary(LIST.path)
        send(b"", timeout=20, metadata=[("x-long", "x" * (MAX_HEADER_BYTES - 2048))])
        with pytest.raises(grpc.RpcError) as caught:
            send(b"", timeout=20, metadata=[("x-long", "x" * (MAX_HEADER_BYTES + 1))])
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "metadata" in caught.value.details()
        send(b"", timeout=20)


def test_a_request_over_the_limit(running):
    body = b" " * (MAX_REQUEST_BYTES + 1)
    response = post_json(running.http_target, CREATE, body)
    assert response.error == ("resource_exhausted", f"the request is larger than {MAX_REQUEST_BYTES} bytes")
    assert post_proto(running.http_target, CREATE, body).status == 429
    path = "/api/3.0/mlflow/gateway/secrets/create"
    response = request(running.http_target, "POST", path, body, {"content-type": "application/json"})
    assert (response.status, response.json["error_code"]) == (413, "RESOURCE_LIMIT_EXCEEDED")
    with channel(running.grpc_target) as opened, pytest.raises(grpc.RpcError) as caught:
        opened.unary_unary(CREATE.path)(body, timeout=20)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("method", [LIST, methods.LIST_GATEWAY_ENDPOINTS, methods.LIST_GATEWAY_CHANGES])
def test_a_page_over_the_limit(running, method):
    field = "pageSize"
    assert post_json(running.http_target, method, {field: 1000}).status == 200
    response = post_json(running.http_target, method, {field: 1001})
    assert response.status == 400
    assert "page_size" in response.error[1]


def secret(number: int) -> bytes:
    value = {"api_key": "sk-0123456789abcdef"}
    return secret_pb2.CreateGatewaySecretRequest(secret_name=f"s{number}", secret_value=value).SerializeToString()


def again_and_again(calls: list[Any]) -> Iterator[Any]:
    for _ in range(600):
        time.sleep(0.05)
        yield from calls


def test_calls_over_the_limit_of_a_connection_are_unavailable_and_the_others_are_served(running):
    with channel(running.grpc_target) as opened:
        # Its response is never cached.
        create, read = opened.unary_unary(CREATE.path), opened.unary_unary(methods.LIST_GATEWAY_BUDGET_WINDOWS.path)
        with write_lock(running.store_path):
            # While the lock is held these occupy all workers, so that none of the others ends.
            busy = [create.future(secret(number), timeout=60) for number in range(16)]
            waiting = [read.future(b"", timeout=60) for _ in range(MAX_STREAMS + 500)]
            first = next(each for each in again_and_again(waiting) if each.done() and each.exception())
        assert first.code() is grpc.StatusCode.UNAVAILABLE
        errors = [each.exception(timeout=60) for each in (*busy, *waiting)]
        assert {error.code() for error in errors if error} == {grpc.StatusCode.UNAVAILABLE}
        assert errors.count(None) >= MAX_STREAMS // 2
        read(b"", timeout=20)


def test_host_names_are_checked():
    assert check_hosts(["Gateway.Example", "[2001:DB8::1]", "10.0.0.1", "gateway."]) == (
        "gateway.example",
        "2001:db8::1",
        "10.0.0.1",
        "gateway",
    )
    for wrong in ("*", "", "gateway.example:8080", "https://gateway.example", "a b", "*.example", "é.example", "-a", "a..b"):
        with pytest.raises(GatewayError) as caught:
            check_hosts([wrong])
        assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "BAD_HOST")
