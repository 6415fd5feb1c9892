"""The Connect protocol for streams, byte by byte."""

from __future__ import annotations

import gzip
import json
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import WATCH_GATEWAY
from gateway_entities.server.rpc.limits import MAX_REQUEST_BYTES, Limits
from gatewayentities.v1.change_pb2 import WatchGatewayRequest
from tests.server.http.raw_http import HEALTH, connect, is_closed, read
from tests.streaming_server import StreamingServer, message, streaming_server

PROTO, JSON = "application/connect+proto", "application/connect+json"


@pytest.fixture(scope="module")
def server() -> Iterator[StreamingServer]:
    with streaming_server(Limits(http_idle_timeout_s=0.3, http_head_timeout_s=0.3, http_body_timeout_s=0.3)) as running:
        yield running


def enveloped(data: bytes, flags: int = 0, length: int | None = None) -> bytes:
    return struct.pack(">BI", flags, len(data) if length is None else length) + data


def script(text: str) -> bytes:
    return WatchGatewayRequest(resume_token=text).SerializeToString()


def post(body: bytes, *fields: str, content_type: str = PROTO, verb: str = "POST", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    lines = (f"{verb} {WATCH_GATEWAY.path} HTTP/1.1", "host: localhost", f"content-type: {content_type}", *fields)
    return "\r\n".join([*lines, f"content-length: {size}", "", ""]).encode() + body


@contextmanager
def sent(server: StreamingServer, request: bytes) -> Iterator[socket.socket]:
    with connect(server.targets["http"]) as opened:
        opened.sendall(request)
        yield opened


def messages(body: bytes) -> tuple[list[bytes], Any]:
    """Return the messages of a body, and its end."""
    found = []
    while body:
        flags, length = struct.unpack_from(">BI", body)
        data, body = body[5 : 5 + length], body[5 + length :]
        if flags == 2:
            assert not body
            return found, json.loads(data)
        assert flags == 0
        found.append(data)
    raise AssertionError("the stream has no end")


def outcome(server: StreamingServer, request: bytes) -> tuple[list[bytes], Any]:
    with sent(server, request) as opened:
        response = read(opened)
    assert response.status == 200
    return messages(response.body)


def received(opened: socket.socket, wanted: bytes) -> bytes:
    data = b""
    while wanted not in data:
        part = opened.recv(65536)
        assert part, data
        data += part
    return data


def test_a_stream_is_envelopes_and_an_end(server: StreamingServer) -> None:
    with sent(server, post(enveloped(script("count_to:3")))) as opened:
        response = read(opened)
        assert response.headers["content-type"] == PROTO
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        assert response.headers["x-request-id"]
        assert messages(response.body) == ([message(0), message(1), message(2)], {})
        # The connection takes another request.
        opened.sendall(HEALTH)
        assert read(opened).status == 200


def test_messages_are_json_if_the_request_is(server: StreamingServer) -> None:
    body = enveloped(json.dumps({"resumeToken": "count_to:2"}).encode())
    found, end = outcome(server, post(body, content_type=JSON))
    assert [json.loads(data) for data in found] == [{"storeId": "", "revision": "0"}, {"storeId": "", "revision": "1"}]
    assert end == {}
    body = enveloped(json.dumps({"resumeToken": "huge:100000"}).encode())
    found, _ = outcome(server, post(body, content_type=JSON))
    assert len(json.loads(found[0])["storeId"]) == 100_000


def test_headers_and_messages_are_sent_without_waiting_for_the_next(server: StreamingServer) -> None:
    with sent(server, post(enveloped(script("silent:headers")))) as opened:
        assert received(opened, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    with sent(server, post(enveloped(script("wait:message")))) as opened:
        received(opened, enveloped(message(0)))
    for name in ("silent:headers", "wait:message"):
        # The clients have gone.
        server.service.wait_for_end(name, 1)


def test_times_between_requests_do_not_end_a_stream(server: StreamingServer) -> None:
    with sent(server, post(enveloped(script("tick:0.5")))) as opened:
        received(opened, enveloped(message(3)))


def test_errors_come_in_the_end_with_their_details(server: StreamingServer) -> None:
    found, end = outcome(server, post(enveloped(script("fail:1"))))
    assert found == [message(0)]
    assert end["error"]["code"] == "out_of_range"
    assert end["error"]["message"] == "the revision is gone"
    assert [detail["type"] for detail in end["error"]["details"]] == ["google.rpc.ErrorInfo"]


def test_a_request_may_be_compressed(server: StreamingServer) -> None:
    body = enveloped(gzip.compress(script("count_to:1")), flags=1)
    assert outcome(server, post(body, "connect-content-encoding: gzip")) == ([message(0)], {})


@pytest.mark.parametrize(
    ("body", "fields", "code"),
    [
        pytest.param(b"", (), "unimplemented", id="no message"),
        pytest.param(enveloped(b"") * 2, (), "unimplemented", id="two messages"),
        pytest.param(b"\0\0\0", (), "invalid_argument", id="half a prefix"),
        pytest.param(enveloped(b"abc", length=10), (), "invalid_argument", id="half a message"),
        pytest.param(enveloped(b"", flags=2), (), "invalid_argument", id="an end"),
        pytest.param(enveloped(b"\xff"), (), "invalid_argument", id="not a message"),
        pytest.param(enveloped(b"", length=MAX_REQUEST_BYTES + 1), (), "resource_exhausted", id="too large"),
        pytest.param(enveloped(gzip.compress(b""), flags=1), (), "internal", id="compressed, without the header"),
        pytest.param(enveloped(b"x", 1), ("connect-content-encoding: gzip",), "invalid_argument", id="not gzip"),
        pytest.param(
            enveloped(gzip.compress(bytes(MAX_REQUEST_BYTES + 1)), 1),
            ("connect-content-encoding: gzip",),
            "resource_exhausted",
            id="a gzip bomb",
        ),
        pytest.param(enveloped(b""), ("connect-content-encoding: br",), "unimplemented", id="unknown compression"),
        pytest.param(enveloped(b""), ("connect-protocol-version: 2",), "invalid_argument", id="unknown version"),
        pytest.param(enveloped(b""), ("connect-timeout-ms: soon",), "invalid_argument", id="no timeout"),
        pytest.param(enveloped(script("wait:")), ("connect-timeout-ms: 100",), "deadline_exceeded", id="deadline"),
    ],
)
def test_every_error_of_a_call_is_a_response_with_status_200(
    server: StreamingServer, body: bytes, fields: tuple[str, ...], code: str
) -> None:
    _, end = outcome(server, post(body, *fields))
    assert end["error"]["code"] == code


def test_a_body_that_is_too_large_or_does_not_come_is_refused(server: StreamingServer) -> None:
    with sent(server, post(b"", length=MAX_REQUEST_BYTES + 6)) as opened:
        _, end = messages(read(opened).body)
    assert end["error"]["code"] == "resource_exhausted"
    with sent(server, post(b"\0", length=100)) as opened:
        _, end = messages(read(opened).body)
    assert end["error"]["code"] == "deadline_exceeded"


@pytest.mark.parametrize("content_type", ["application/proto", "application/json", "application/grpc"])
def test_other_content_types_are_refused(server: StreamingServer, content_type: str) -> None:
    with sent(server, post(b"", content_type=content_type)) as opened:
        response = read(opened)
    assert response.status == 415
    assert response.headers["accept-post"] == f"{PROTO}, {JSON}"
    assert "application/connect+proto" in response.json["message"]


def test_a_stream_is_not_called_with_get(server: StreamingServer) -> None:
    with sent(server, post(b"", verb="GET")) as opened:
        response = read(opened)
    assert response.status == 405
    assert response.headers["allow"] == "POST"


def test_a_caller_without_a_token_gets_nothing() -> None:
    def authenticate(_credentials: Any, _scope: Any) -> Any:
        raise GatewayError(Code.UNAUTHENTICATED, "no token", reason="TOKEN_MISSING")

    with streaming_server(authenticate=authenticate) as server:
        assert outcome(server, post(enveloped(script("count_to:1"))))[1]["error"]["code"] == "unauthenticated"
        # It need not send its body for that.
        with sent(server, post(b"", length=1000)) as opened:
            assert messages(read(opened).body)[1]["error"]["code"] == "unauthenticated"
        assert not server.service.sent


def test_a_stream_that_cannot_end_in_order_ends_with_its_connection() -> None:
    with streaming_server() as stopping, sent(stopping, post(enveloped(script("flood:")))) as opened:
        stopping.service.wait_for_begin("flood:")
        stopping.stop()
        body = b""
        while part := _part(opened):
            body += part
        assert b"0\r\n\r\n" not in body[-5:]
        assert is_closed(opened)


def _part(opened: socket.socket) -> bytes:
    try:
        return opened.recv(1 << 20)
    except ConnectionResetError:
        return b""
