"""Connect streams that no server of ours sends: cut anywhere, malformed, too large."""

from __future__ import annotations

import json
import struct

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports import open_transport
from gateway_entities.transports.connect_stream import EnvelopeReader
from tests.streams import watch
from tests.transports.raw_server import raw_server, read_request

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/connect+proto\r\ntransfer-encoding: chunked\r\n\r\n"
END = (2, b"{}")


def envelopes(*items: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack(">BI", flags, len(data)) + data for flags, data in items)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def failure(*parts: bytes) -> GatewayError:
    """Return the error of a stream whose response is these bytes."""

    def talk(sock):
        read_request(sock)
        for part in parts:
            sock.sendall(part)

    with raw_server(talk) as target:
        transport = open_transport(target)
        with pytest.raises(GatewayError) as caught:
            list(watch(transport, "", timeout=5))
        transport.close()
    return caught.value


def test_a_stream_may_be_cut_anywhere():
    body = envelopes((0, b"one"), (0, b""), (0, bytes(300)), END)
    for size in (1, 2, 3, 5, 7, 100, len(body)):
        reader = EnvelopeReader()
        found = [each for start in range(0, len(body), size) for each in reader.feed(body[start : start + size])]
        assert found == [b"one", b"", bytes(300)]
        assert reader.has_ended


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        pytest.param([], Code.UNAVAILABLE, id="no response"),
        pytest.param([HEAD, chunk(envelopes((0, b"x")))], Code.UNAVAILABLE, id="the connection ends in the stream"),
        pytest.param([HEAD, chunk(envelopes((0, b"x"))), b"0\r\n\r\n"], Code.INTERNAL, id="no end"),
        pytest.param([HEAD, chunk(b"\0\0\0\0\x09x"), b"0\r\n\r\n"], Code.INTERNAL, id="half a message"),
        pytest.param([HEAD, chunk(envelopes((1, b"x"), END))], Code.INTERNAL, id="compressed"),
        pytest.param([HEAD, chunk(envelopes((3, b"{}")))], Code.INTERNAL, id="compressed end"),
        pytest.param([HEAD, chunk(b"\0\xff\xff\xff\xff")], Code.RESOURCE_EXHAUSTED, id="four gigabytes"),
        pytest.param([HEAD, chunk(envelopes(END, (0, b"x")))], Code.INTERNAL, id="more after the end"),
        pytest.param([HEAD, chunk(envelopes((2, b"")))], Code.INTERNAL, id="an end that is not JSON"),
        pytest.param([HEAD, chunk(envelopes((2, b"[]")))], Code.INTERNAL, id="an end that is no object"),
        pytest.param([HEAD, chunk(envelopes((2, b'{"error": 1}')))], Code.UNKNOWN, id="an error that is none"),
        pytest.param([b"SMTP\r\n"], Code.INTERNAL, id="not HTTP"),
        pytest.param(
            [HEAD.replace(b"connect+proto", b"connect+json"), chunk(envelopes(END))], Code.INTERNAL, id="other codec"
        ),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi"], Code.UNKNOWN, id="a web page"
        ),
        pytest.param([b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"], Code.UNAVAILABLE, id="a proxy"),
        pytest.param([b"HTTP/1.1 503 x\r\n\r\n" + bytes(1 << 20)], Code.UNAVAILABLE, id="a long error"),
    ],
)
def test_a_malformed_stream_is_an_error(parts, code):
    assert failure(*parts).code is code


def test_an_error_without_a_stream_keeps_its_text():
    body = json.dumps({"code": "permission_denied", "message": "another host"}).encode()
    error = failure(
        b"HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    assert (error.code, error.message) == (Code.PERMISSION_DENIED, "another host")


def test_messages_before_a_malformed_part_are_delivered():
    def talk(sock):
        read_request(sock)
        sock.sendall(HEAD + chunk(envelopes((0, b""), (1, b"x"))))

    with raw_server(talk) as target:
        transport = open_transport(target)
        stream = watch(transport, "")
        assert next(stream) == b""
        with pytest.raises(GatewayError):
            next(stream)
        transport.close()
