"""Connection pools: which connections are reused, and that every wait ends."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1 import pool as connections
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest
from gateway_entities.transports.target import Target
from tests.transports.conftest import blocking
from tests.transports.raw_server import raw_server, read_request

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture(params=["sync", "async"])
def connect(request):
    """Opens sync or async pools, with blocking methods."""
    opened = []

    def start(target):
        parsed = Target.parse(target)
        opened.append(blocking(request.param, lambda: ConnectionPool(parsed), lambda: AsyncConnectionPool(parsed)))
        return opened[-1].__enter__()

    yield start
    for context in opened:
        context.__exit__(None, None, None)


def get(pool, path="/", body=b"", timeout=10.0):
    response = pool.request(HttpRequest("POST", path, [("host", "h")], body), Deadline(timeout))
    return response.status, response.body


def error_of(pool, **options) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        get(pool, **options)
    return caught.value


class Script:
    """Sends each connection its script: one item per request; None closes the connection."""

    def __init__(self, *connections):
        self._scripts = list(connections)
        self.requests = []

    def __call__(self, sock):
        script = self._scripts.pop(0)
        number = len(self._scripts)
        for data in script:
            request = read_request(sock)
            if not request:
                break
            self.requests.append((number, request))
            if data is None:
                return
            sock.sendall(data)
        with suppress(OSError):
            while sock.recv(65536):
                pass


def test_the_bytes_of_a_request(connect):
    server = Script([OK])
    with raw_server(server) as target:
        pool = connect(target)
        request = HttpRequest("PATCH", "/a?b=c", [("host", "h:1"), ("X-y", "z")], b"")
        assert pool.request(request, Deadline(5)).status == 200
        pool.close()
    assert server.requests[0][1] == b"PATCH /a?b=c HTTP/1.1\r\nhost: h:1\r\nX-y: z\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/ü", []),
        ("/ HTTP/1.1\r\nx: y", []),
        ("/a b", []),
        ("/", [("x", "y\r\nz: 1")]),
        ("/", [("x", "a\nb")]),
        ("/", [("x\r", "y")]),
    ],
)
def test_a_request_with_invalid_framing_is_not_sent(connect, path, headers):
    server = Script([OK])
    with raw_server(server) as target:
        pool = connect(target)
        with pytest.raises(GatewayError) as caught:
            pool.request(HttpRequest("POST", path, [("host", "h"), *headers], b""), Deadline(5))
        assert caught.value.code is Code.INTERNAL
        pool.close()
    assert server.requests == []


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc"),
    ],
)
def test_a_connection_is_reused_after_every_form_of_response(connect, response, body):
    server = Script([response] * 3)
    with raw_server(server) as target:
        pool = connect(target)
        assert [get(pool) for _ in range(3)] == [(200, body)] * 3
        pool.close()
    assert {number for number, _ in server.requests} == {0}


def test_a_response_may_arrive_byte_by_byte(connect):
    def drip(sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while read_request(sock):
            for i in range(len(OK)):
                sock.sendall(OK[i : i + 1])
                time.sleep(0.001)

    with raw_server(drip) as target:
        pool = connect(target)
        assert [get(pool) for _ in range(2)] == [(200, b"ok")] * 2
        pool.close()


def test_a_response_without_length_ends_with_the_connection(connect):
    def talk(sock):
        read_request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nall ")
        sock.sendall(b"of it")

    with raw_server(talk) as target:
        pool = connect(target)
        assert [get(pool) for _ in range(2)] == [(200, b"all of it")] * 2
        pool.close()


@pytest.mark.parametrize("notifies", [True, False])
def test_over_tls_a_response_without_length_needs_close_notify(connect, tls, certificate, monkeypatch, notifies):
    """Otherwise an attacker on the network path could truncate it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    def talk(sock):
        read_request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        if notifies:
            with suppress(OSError):
                sock.unwrap()

    with raw_server(talk, context=tls) as target:
        pool = connect(target)
        if notifies:
            assert get(pool) == (200, b"all of it")
        else:
            assert error_of(pool).code is Code.UNAVAILABLE
        pool.close()


def test_a_large_response_over_tls(connect, tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    body = bytes(range(256)) * 20_000
    response = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    server = Script([response] * 3)
    with raw_server(server, context=tls) as target:
        pool = connect(target)
        assert all(get(pool) == (200, body) for _ in range(3))
        pool.close()
    assert {number for number, _ in server.requests} == {0}


@pytest.mark.parametrize("surplus", [OK.replace(b"ok", b"no"), b"HTTP/1.1 200", b"???"])
@pytest.mark.parametrize("later", [True, False])
def test_surplus_data_is_never_the_next_response(connect, surplus, later):
    responses = [OK, OK.replace(b"ok", b"me")]

    def talk(sock):
        read_request(sock)
        first = len(responses) == 2
        sock.sendall(responses.pop(0) + (surplus if first and not later else b""))
        if first and later:
            time.sleep(0.05)
            sock.sendall(surplus)
        # The next request comes on another connection.
        assert not sock.recv(1)

    with raw_server(talk) as target:
        pool = connect(target)
        assert get(pool) == (200, b"ok")
        time.sleep(0.2 if later else 0)
        assert get(pool) == (200, b"me")
        pool.close()


def test_a_late_response_is_never_the_next_response(connect):
    late = threading.Event()

    def talk(sock):
        while request := read_request(sock):
            if b"slow" in request:
                late.wait(5)
            sock.sendall(OK.replace(b"ok", b"no" if b"slow" in request else b"ok"))

    with raw_server(talk) as target:
        pool = connect(target)
        assert error_of(pool, path="/slow", timeout=0.2).code is Code.DEADLINE_EXCEEDED
        late.set()
        assert [get(pool) for _ in range(3)] == [(200, b"ok")] * 3
        pool.close()


@pytest.mark.parametrize("partial", [b"", b"HTTP/1.1 200"])
def test_a_request_on_an_idle_connection_that_closes_is_not_sent_again(connect, partial):
    """The server may have processed it: only the client knows whether a retry is safe."""
    requests = []

    def talk(sock):
        while request := read_request(sock):
            requests.append(request)
            if len(requests) == 2:
                sock.sendall(partial)
                return
            sock.sendall(OK)

    with raw_server(talk) as target:
        pool = connect(target)
        assert get(pool) == (200, b"ok")
        assert error_of(pool).code is Code.UNAVAILABLE
        assert len(requests) == 2
        assert get(pool) == (200, b"ok")
        pool.close()


def test_a_connection_past_its_idle_time_is_replaced(connect, monkeypatch):
    server = Script([OK], [OK])
    monkeypatch.setattr(connections, "_KEEPALIVE_S", 0.05)
    with raw_server(server) as target:
        pool = connect(target)
        get(pool)
        time.sleep(0.1)
        get(pool)
        assert [number for number, _ in server.requests] == [1, 0]
        pool.close()


def test_an_error_may_come_before_the_server_has_read_the_request(connect):
    def talk(sock):
        sock.recv(10)
        sock.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1 << 20):
            pass

    with raw_server(talk) as target:
        pool = connect(target)
        assert get(pool, body=b"x" * 10_000_000) == (413, b"big")
        pool.close()


@pytest.mark.parametrize("secured", [True, False])
def test_the_deadline_holds_while_sending(connect, secured, tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    done = threading.Event()

    def drip(sock):
        # Each read lets a little more be sent.
        while not done.wait(0.02):
            sock.recv(1000)

    with raw_server(drip, context=tls if secured else None) as target:
        pool = connect(target)
        start = time.monotonic()
        assert error_of(pool, body=b"x" * 30_000_000, timeout=0.5).code is Code.DEADLINE_EXCEEDED
        assert time.monotonic() - start < 5
        done.set()
        pool.close()


@pytest.fixture
def one_connection(connect, monkeypatch):
    """A pool with its one connection in use: by a call that ends with the pool, or the event."""
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS", 1)
    arrived, release = threading.Event(), threading.Event()

    def talk(sock):
        while read_request(sock):
            arrived.set()
            release.wait(10)
            sock.sendall(OK)

    with raw_server(talk) as target, ThreadPoolExecutor(3) as threads:
        pool = connect(target)
        first = threads.submit(get, pool)
        assert arrived.wait(5)
        yield pool, threads, first, release
        release.set()
        pool.close()


def test_the_deadline_holds_while_waiting_for_a_connection(one_connection):
    pool, _, first, release = one_connection
    assert error_of(pool, timeout=0.2).code is Code.DEADLINE_EXCEEDED
    release.set()
    assert first.result(5) == get(pool) == (200, b"ok")


def test_closing_ends_a_call_that_waits_for_a_connection(one_connection):
    pool, threads, first, _ = one_connection
    waiting = threads.submit(error_of, pool, timeout=None)
    time.sleep(0.2)
    pool.close()
    assert waiting.result(5).code is Code.CANCELLED
    with pytest.raises(GatewayError) as caught:
        first.result(5)
    assert caught.value.code is Code.CANCELLED


def test_concurrent_callers_receive_their_own_responses(connect):
    seen = []

    def echo(sock):
        seen.append(sock)
        while request := read_request(sock):
            name = request.split(b" ", 2)[1]
            sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(name), name))

    with raw_server(echo, backlog=200) as target, ThreadPoolExecutor(130) as threads:
        pool = connect(target)
        paths = [f"/{number}" for number in range(2000)]
        responses = list(threads.map(lambda path: get(pool, path=path, timeout=60), paths))
        assert responses == [(200, path.encode()) for path in paths]
        assert len(seen) <= 100
        pool.close()


def test_closing_leaves_no_connection_open(connect):
    accepted, ended = [], []

    def talk(sock):
        accepted.append(sock)
        while read_request(sock):
            sock.sendall(OK)
        ended.append(sock)

    with raw_server(talk) as target:
        pool = connect(target)
        with ThreadPoolExecutor(5) as threads:
            list(threads.map(lambda _: get(pool), range(50)))
        pool.close()
        latest = time.monotonic() + 5
        while len(ended) < len(accepted) and time.monotonic() < latest:
            time.sleep(0.01)
        assert len(ended) == len(accepted) > 0


@pytest.mark.parametrize("greeting", [b"220 mail.example ESMTP\r\n", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"])
def test_a_greeting_is_not_a_response(connect, greeting):
    """The error is INTERNAL, which clients do not retry."""

    def talk(sock):
        sock.sendall(greeting)
        while sock.recv(65536):
            pass

    with raw_server(talk) as target:
        pool = connect(target)
        for _ in range(20):
            got = error_of(pool)
            assert got.code is Code.INTERNAL
            assert "is not valid HTTP" in got.message
        pool.close()


def test_a_response_before_the_request_is_returned(connect):
    def talk(sock):
        sock.sendall(b"HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbusy")
        while sock.recv(65536):
            pass

    with raw_server(talk) as target:
        pool = connect(target)
        assert [get(pool) for _ in range(20)] == [(503, b"busy")] * 20
        pool.close()


def test_a_certificate_of_another_name_is_not_trusted(connect, tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with raw_server(lambda sock: sock.recv(1), context=tls) as target:
        pool = connect(target.replace("127.0.0.1", "localhost"))
        got = error_of(pool)
        assert got.code is Code.UNAVAILABLE
        assert "cannot connect" in got.message
        pool.close()
