"""Connect over HTTP: responses of proxies, stale connections, slow servers, TLS."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import GET_GATEWAY_SECRET_INFO as GET
from gateway_entities.transports.connect import request_headers
from gatewayentities.v1.secret_pb2 import GetGatewaySecretInfoRequest, GetGatewaySecretInfoResponse
from tests.calls import call as send
from tests.transports.raw_server import OK, raw_server, read_request, reply, unreachable

REQUEST = GetGatewaySecretInfoRequest()


@pytest.fixture(params=["http-sync", "http-async"])
def pair(request):
    return request.param


def call(transport, timeout=10.0):
    return send(transport, GET, REQUEST, timeout=timeout)


def error_of(transport, timeout=10.0) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        call(transport, timeout)
    return caught.value


def response(status: int, kind: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, Code.INTERNAL),
        (401, Code.UNAUTHENTICATED),
        (403, Code.PERMISSION_DENIED),
        (404, Code.UNIMPLEMENTED),
        (418, Code.UNKNOWN),
        (429, Code.UNAVAILABLE),
        (500, Code.UNKNOWN),
        (502, Code.UNAVAILABLE),
        (503, Code.UNAVAILABLE),
        (504, Code.UNAVAILABLE),
    ],
)
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"<html><h1>Oops</h1></html>"),
        ("application/json", b'{"error": "not Connect"}'),
        ("application/json", b"[1]"),
        ("application/json", b"{"),
        ("application/json", b"[" * 100_000),
        ("application/json", b'"\xff"'),
    ],
)
def test_an_error_of_a_proxy_has_the_code_of_its_status(connect, status, code, kind, body):
    with raw_server(reply(response(status, kind, body))) as target:
        transport = connect(target)
        got = error_of(transport)
        assert got.code is code
        assert str(status) in got.message
        assert len(got.message) < 200
        assert "<" not in got.message
        transport.close()


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"code": "not_found", "message": "gone"}, Code.NOT_FOUND, "gone"),
        ({"code": "not_found"}, Code.NOT_FOUND, "not found"),
        ({"code": "new_code", "message": "m"}, Code.UNAVAILABLE, "m"),
        ({"message": "m"}, Code.UNAVAILABLE, "m"),
        ({"code": "aborted", "message": "m", "details": 5}, Code.ABORTED, "m"),
        ({"code": "aborted", "message": "m", "details": [5, {}, {"type": "a.B", "value": "!"}]}, Code.ABORTED, "m"),
        (
            {"code": "aborted", "message": "m", "details": [{"type": "google.rpc.ErrorInfo", "value": "/w"}]},
            Code.ABORTED,
            "m",
        ),
    ],
)
def test_an_incomplete_connect_error_is_read_as_far_as_possible(connect, fields, code, message):
    with raw_server(reply(response(503, "application/json; charset=utf-8", json.dumps(fields).encode()))) as target:
        transport = connect(target)
        got = error_of(transport)
        assert (got.code, got.message) == (code, message)
        transport.close()


@pytest.mark.parametrize("kind", ["text/html", "application/grpc", ""])
def test_success_of_another_content_type_is_an_error(connect, kind):
    with raw_server(reply(response(200, kind, b"<html>"))) as target:
        transport = connect(target)
        got = error_of(transport)
        assert got.code is Code.UNKNOWN
        assert "is this the gateway's HTTP address?" in got.message
        transport.close()


@pytest.mark.parametrize("header", ["content-type: application/json", "content-encoding: gzip", "Content-Encoding: x"])
def test_success_in_an_unrequested_encoding_is_an_internal_error(connect, header):
    data = OK.replace(b"\r\n\r\n", f"\r\n{header}\r\n\r\n".encode())
    if header.startswith("content-type"):
        data = data.replace(b"content-type: application/proto\r\n", b"")
    with raw_server(reply(data)) as target:
        transport = connect(target)
        assert error_of(transport).code is Code.INTERNAL
        transport.close()


def test_success_may_have_the_identity_encoding(connect):
    with raw_server(reply(OK.replace(b"\r\n\r\n", b"\r\ncontent-encoding: identity\r\n\r\n"))) as target:
        transport = connect(target)
        assert call(transport) == GetGatewaySecretInfoResponse()
        transport.close()


def test_a_peer_that_does_not_speak_http_is_an_internal_error(connect):
    with raw_server(reply(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00" * 18 + b"\r\n\r\n")) as target:
        transport = connect(target)
        got = error_of(transport)
        assert got.code is Code.INTERNAL
        assert "is not valid HTTP" in got.message
        transport.close()


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n", OK.replace(b"length: 0", b"length: 9") + b"part"])
def test_a_truncated_response_is_unavailable(connect, sent):
    def talk(sock):
        read_request(sock)
        sock.sendall(sent)

    with raw_server(talk) as target:
        transport = connect(target)
        assert error_of(transport).code is Code.UNAVAILABLE
        transport.close()


@pytest.mark.parametrize("steady", [b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n"])
def test_a_slow_response_does_not_extend_the_deadline(connect, steady):
    def drip(sock):
        read_request(sock)
        sock.sendall(steady)
        for _ in range(100):
            time.sleep(0.05)
            sock.sendall(b"x")

    with raw_server(drip) as target:
        transport = connect(target)
        start = time.monotonic()
        assert error_of(transport, timeout=0.4).code is Code.DEADLINE_EXCEEDED
        assert time.monotonic() - start < 5
        transport.close()


def test_the_deadline_holds_while_connecting(connect):
    with unreachable() as target:
        transport = connect(target)
        start = time.monotonic()
        assert error_of(transport, timeout=0.3).code is Code.DEADLINE_EXCEEDED
        assert time.monotonic() - start < 5
        transport.close()


def test_closing_ends_a_call_that_is_connecting(connect):
    with unreachable() as target, ThreadPoolExecutor(1) as pool:
        transport = connect(target)
        waiting = pool.submit(error_of, transport, None)
        time.sleep(0.3)
        transport.close()
        assert waiting.result(1.0).code is Code.CANCELLED


def test_a_connection_is_reused(serve, connect):
    server = serve(lambda _incoming: b"")
    transport = connect(server.target)
    for _ in range(10):
        call(transport)
    assert server.connections == 1


def test_a_connection_that_the_server_closed_between_calls_is_replaced(serve, connect):
    server = serve(lambda _incoming: b"")
    transport = connect(server.target)
    for _ in range(3):
        call(transport)
        server.hang_up()
        time.sleep(0.05)
    assert call(transport) == GetGatewaySecretInfoResponse()
    assert server.connections == 4


def test_the_host_header_of_an_ipv6_address_has_brackets(connect):
    seen = []
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine")

    def one():
        sock, _ = listener.accept()
        with sock:
            seen.append(read_request(sock))
            sock.sendall(OK)

    thread = threading.Thread(target=one)
    thread.start()
    port = listener.getsockname()[1]
    call(connect(f"http://[::1]:{port}"))
    thread.join()
    listener.close()
    assert f"host: [::1]:{port}".encode() in seen[0].lower()


def test_https_with_a_trusted_certificate(connect, tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with raw_server(reply(OK), context=tls) as target:
        transport = connect(target)
        for _ in range(3):
            assert call(transport) == GetGatewaySecretInfoResponse()
        transport.close()


def test_https_with_an_unknown_certificate_is_unavailable(connect, tls):
    with raw_server(reply(OK), context=tls) as target:
        transport = connect(target)
        got = error_of(transport)
        assert got.code is Code.UNAVAILABLE
        assert "certificate" in got.message.lower()
        transport.close()


def test_closing_ends_a_call_over_tls(connect, tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with raw_server(lambda sock: read_request(sock) and sock.recv(1), context=tls) as target, ThreadPoolExecutor(1) as pool:
        transport = connect(target)
        waiting = pool.submit(error_of, transport, None)
        time.sleep(0.3)
        transport.close()
        assert waiting.result(1.0).code is Code.CANCELLED


@pytest.mark.parametrize("end", ["deadline", "close"])
def test_a_handshake_that_hangs_can_be_ended(connect, end):
    with raw_server(lambda sock: sock.recv(65536) and sock.recv(65536)) as target, ThreadPoolExecutor(1) as pool:
        transport = connect(target.replace("http:", "https:"))
        waiting = pool.submit(error_of, transport, 0.4 if end == "deadline" else None)
        time.sleep(0.2)
        if end == "close":
            transport.close()
        assert waiting.result(1.5).code is (Code.CANCELLED if end == "close" else Code.DEADLINE_EXCEEDED)
        transport.close()


@pytest.mark.parametrize(
    ("seconds", "milliseconds"), [(0.0004, "1"), (0.001, "1"), (0.0011, "2"), (1.0, "1000"), (9_999_999.999, "9999999999")]
)
def test_a_timeout_is_rounded_up_to_milliseconds(seconds, milliseconds):
    """Zero would mean that no time is left."""
    assert ("connect-timeout-ms", milliseconds) in request_headers("h", seconds, None)


def test_no_timeout_has_no_header():
    assert "connect-timeout-ms" not in dict(request_headers("h", None, None))
