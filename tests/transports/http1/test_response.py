"""Reading an HTTP answer, wherever the network splits it."""

from __future__ import annotations

import gc

import pytest

from gateway_entities.transports.http1.response import HttpResponse, NotHttpError, ResponseParser

ANSWERS = {
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
    "provisional": (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno",
        (500, [(b"content-length", b"2")], b"no"),
    ),
}
UNTIL_THE_END = b"HTTP/1.1 200 OK\r\nx: y\r\n\r\nhello"


def plain(answer: HttpResponse):
    return answer.status, [(name.lower(), value.strip()) for name, value in answer.headers], answer.body


def read(*parts: bytes) -> tuple[ResponseParser, HttpResponse | None]:
    reader = ResponseParser()
    answer = None
    for part in parts:
        assert answer is None, "an answer was there before its end"
        answer = reader.feed(part)
    return reader, answer


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_may_be_split_anywhere(name):
    data, expected = ANSWERS[name]
    splits = [(data,), tuple(data[i : i + 1] for i in range(len(data)))]
    splits += [(data[:at], data[at:]) for at in range(1, len(data))]
    for parts in splits:
        reader, answer = read(*parts)
        assert answer is not None
        assert plain(answer) == expected
        assert reader.reusable


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_ends_too_early_is_none(name):
    data, _ = ANSWERS[name]
    for at in range(len(data)):
        reader, answer = read(data[:at]) if at else read()
        assert answer is None
        with pytest.raises(ConnectionError):
            reader.end()


def test_an_answer_without_length_ends_with_the_connection():
    headers = UNTIL_THE_END.index(b"hello")
    for at in range(1, len(UNTIL_THE_END)):
        reader, answer = read(UNTIL_THE_END[:at], UNTIL_THE_END[at:])
        assert answer is None
        assert plain(reader.end()) == (200, [(b"x", b"y")], b"hello")
        assert not reader.reusable
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
def test_a_connection_that_closes_or_has_more_to_say_carries_no_other_request(data):
    reader, answer = read(data)
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"ok")
    assert not reader.reusable


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
def test_what_is_no_answer_is_refused(data):
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


def test_a_long_body_is_no_long_header():
    part = b"x" * 50_000
    _, answer = read(b"HTTP/1.1 200 OK\r\ncontent-length: 500000\r\n\r\n", *[part] * 10)
    assert answer is not None
    assert answer.body == part * 10


def test_an_interrupt_while_parsing_is_not_lost():
    class Interrupted(ResponseParser):
        def on_body(self, body: bytes) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted().feed(ANSWERS["length"][0])


def test_an_answer_leaves_nothing_for_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            read(ANSWERS["length"][0])
        assert gc.collect() == 0
    finally:
        gc.enable()
