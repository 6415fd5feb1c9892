"""Parsing of HTTP responses, split at any byte."""

from __future__ import annotations

import gc

import pytest

from gateway_entities.transports.http1.response import HttpResponse, NotHttpError, ResponseParser

RESPONSES = {
    "length": (
        b"HTTP/1.1 200 OK\r\nContent-Type: text\r\nempty: \r\nnext:a b \r\nContent-Length: 5\r\n\r\nhello",
        (200, [(b"content-type", b"text"), (b"empty", b""), (b"next", b"a b"), (b"content-length", b"5")], b"hello"),
    ),
    "nothing": (b"HTTP/1.1 404 \r\ncontent-length: 0\r\n\r\n", (404, [(b"content-length", b"0")], b"")),
    "no content": (b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n", (204, [(b"x", b"y")], b"")),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        b"3;name=value\r\nhel\r\n02\r\nlo\r\n0\r\ntrailer: t\r\nx: y\r\n\r\n",
        (200, [(b"transfer-encoding", b"Chunked")], b"hello"),
    ),
    "chunks, with blanks around the name of the encoding": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: \t chunked  \r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        (200, [(b"transfer-encoding", b"chunked")], b"hello"),
    ),
    "provisional": (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno",
        (500, [(b"content-length", b"2")], b"no"),
    ),
}
UNTIL_THE_END = b"HTTP/1.1 200 OK\r\nx: y\r\n\r\nhello"


def plain(response: HttpResponse):
    return response.status, [(name.lower(), value.strip()) for name, value in response.headers], response.body


def read(*parts: bytes) -> tuple[ResponseParser, HttpResponse | None]:
    parser = ResponseParser()
    response = None
    for part in parts:
        assert response is None, "the response was complete too early"
        response = parser.feed(part)
    return parser, response


@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_may_be_split_anywhere(name):
    data, expected = RESPONSES[name]
    splits = [(data,), tuple(data[i : i + 1] for i in range(len(data)))]
    splits += [(data[:at], data[at:]) for at in range(1, len(data))]
    for parts in splits:
        parser, response = read(*parts)
        assert response is not None
        assert plain(response) == expected
        assert parser.reusable


@pytest.mark.parametrize("name", RESPONSES)
def test_a_truncated_response_is_an_error(name):
    data, _ = RESPONSES[name]
    for at in range(len(data)):
        parser, response = read(data[:at]) if at else read()
        assert response is None
        with pytest.raises(ConnectionError):
            parser.end()


def test_a_response_without_length_ends_with_the_connection():
    headers = UNTIL_THE_END.index(b"hello")
    for at in range(1, len(UNTIL_THE_END)):
        parser, response = read(UNTIL_THE_END[:at], UNTIL_THE_END[at:])
        assert response is None
        assert plain(parser.end()) == (200, [(b"x", b"y")], b"hello")
        assert not parser.reusable
    with pytest.raises(ConnectionError):
        read(UNTIL_THE_END[: headers - 1])[0].end()


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHT",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok???",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nokHTTP/1.1",
    ],
)
def test_a_connection_that_closes_or_has_surplus_data_is_not_reusable(data):
    parser, response = read(data)
    assert response is not None
    assert (response.status, response.body) == (200, b"ok")
    assert not parser.reusable


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
        b"\x15\x03\x03\x00\x02\x02\x16",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\x00b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1e3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\nPRI",
    ],
)
def test_invalid_responses_are_rejected(data):
    with pytest.raises(NotHttpError):
        read(data)
    with pytest.raises(NotHttpError):
        read(*(data[i : i + 1] for i in range(len(data))))


@pytest.mark.parametrize(
    "endless",
    [
        [b"HTTP/1.1 200 OK\r\nx: ", *[b"y" * 1000] * 200],
        [b"HTTP/1.1 200 OK\r\n", *[b"name: value\r\n" * 100] * 200],
        [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 100] * 200,
        [b"HTTP/1.1 200 " + b"O" * 200_000],
    ],
)
def test_headers_have_a_limit(endless):
    with pytest.raises(NotHttpError, match="longer than"):
        read(*endless)


def test_a_long_body_does_not_count_as_headers():
    part = b"x" * 50_000
    _, response = read(b"HTTP/1.1 200 OK\r\ncontent-length: 500000\r\n\r\n", *[part] * 10)
    assert response is not None
    assert response.body == part * 10


def test_an_interrupt_while_parsing_is_not_lost():
    class Interrupted(ResponseParser):
        def on_body(self, body: bytes) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted().feed(RESPONSES["length"][0])


def test_a_response_leaves_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            read(RESPONSES["length"][0])
        assert gc.collect() == 0
    finally:
        gc.enable()
