"""A name with several addresses: new connections use them in turn, and a dead one delays no call to its deadline."""

from __future__ import annotations

import errno
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1 import dialer
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest
from gateway_entities.transports.http1.route import Route
from gateway_entities.transports.target import Target
from tests.transports.conftest import blocking
from tests.transports.raw_server import raw_server, read_request, unreachable

NAME = "gateway.test"
# The connection ends with the response.
CLOSE = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture
def resolver(monkeypatch):
    """Gives the name addresses. The rest of the resolver is the system's."""
    real = socket.getaddrinfo
    addresses = []

    def resolve(host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002 - the system's names.
        if host != NAME:
            return real(host, port, family, type, proto, flags)
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [found for address in addresses for found in real(address, port, family, type, proto, flags)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return addresses


@contextmanager
def pool_of(mode, port):
    target = Target("http", NAME, port)
    with blocking(mode, lambda: ConnectionPool(target), lambda: AsyncConnectionPool(target)) as pool:
        yield pool


def get(pool, timeout=10.0):
    return pool.request(HttpRequest("POST", "/", [("host", "h")], b""), Deadline(timeout)).body


def counting(calls, address, response=CLOSE):
    def talk(sock):
        while read_request(sock):
            calls.append(address)
            sock.sendall(response)

    return talk


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_new_connections_use_the_addresses_in_turn(resolver, mode, monkeypatch):
    monkeypatch.setattr(dialer, "_ATTEMPT_DELAY_S", 10)
    resolver += ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    calls = []
    with raw_server(counting(calls, 1)) as target:
        port = Target.parse(target).port
        with (
            raw_server(counting(calls, 2), address=("127.0.0.2", port)),
            raw_server(counting(calls, 3), address=("127.0.0.3", port)),
            pool_of(mode, port) as pool,
        ):
            for _ in range(12):
                get(pool)
    assert {address: calls.count(address) for address in (1, 2, 3)} == {1: 4, 2: 4, 3: 4}


def test_concurrent_calls_spread_over_the_addresses(resolver, monkeypatch):
    monkeypatch.setattr(dialer, "_ATTEMPT_DELAY_S", 10)
    resolver += ["127.0.0.1", "127.0.0.2"]
    calls, connections = [], []
    all_callers = threading.Barrier(6)

    def waiting(address):
        def talk(sock):
            connections.append(address)
            all_callers.wait(10)
            while read_request(sock):
                calls.append(address)
                sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

        return talk

    with raw_server(waiting(1)) as target:
        port = Target.parse(target).port
        with (
            raw_server(waiting(2), address=("127.0.0.2", port)),
            pool_of("sync", port) as pool,
            ThreadPoolExecutor(6) as threads,
        ):
            list(threads.map(lambda _: get(pool), range(30)))
    assert sorted(connections) == [1, 1, 1, 2, 2, 2]
    assert len(calls) == 30


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("order", [1, -1])
def test_an_address_that_refuses_is_skipped(resolver, mode, order):
    resolver += ["127.0.0.3", "127.0.0.1", "127.0.0.2"][::order]
    with raw_server(counting([], 1)) as target, pool_of(mode, Target.parse(target).port) as pool:
        assert [get(pool, timeout=2) for _ in range(6)] == [b"ok"] * 6


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("order", [1, -1])
def test_an_address_that_does_not_respond_delays_a_call_by_little(resolver, mode, order):
    resolver += ["127.0.0.1", "127.0.0.2"][::order]
    calls = []
    with unreachable() as silent:
        port = Target.parse(silent).port
        with raw_server(counting(calls, 2), address=("127.0.0.2", port)), pool_of(mode, port) as pool:
            start = time.monotonic()
            assert [get(pool) for _ in range(2)] == [b"ok"] * 2
            assert time.monotonic() - start < 2


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_deadline_holds_while_no_address_responds(resolver, mode, monkeypatch):
    monkeypatch.setattr(dialer, "_ATTEMPT_DELAY_S", 0.05)
    resolver += ["127.0.0.1", "127.0.0.1"]
    with unreachable() as silent, pool_of(mode, Target.parse(silent).port) as pool:
        with pytest.raises(GatewayError) as caught:
            get(pool, timeout=0.3)
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        inner = getattr(pool, "wrapped", pool)
        latest = time.monotonic() + 5
        while inner._sockets._open and time.monotonic() < latest:
            time.sleep(0.01)
        assert not inner._sockets._open


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_error_is_that_of_the_last_address(resolver, mode, free_port):
    resolver += ["127.0.0.1", "127.0.0.2"]
    with pool_of(mode, free_port) as pool:
        with pytest.raises(GatewayError) as caught:
            get(pool)
        assert caught.value.code is Code.UNAVAILABLE
        assert f"Errno {errno.ECONNREFUSED}" in caught.value.message


def addresses(*hosts):
    return [(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 80)) for host in hosts]


def test_families_alternate_and_the_preferred_one_is_first():
    route = Route(Target("http", NAME, 80))
    found = addresses("::1", "::2", "10.0.0.1", "10.0.0.2", "10.0.0.3")
    orders = [[each[4][0] for each in route.order(found)] for _ in range(6)]
    assert all(":" in order[0] and ":" not in order[1] and ":" in order[2] for order in orders)
    assert {order[0] for order in orders} == {"::1", "::2"}
    assert {order[1] for order in orders} == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}
    assert all(sorted(order) == sorted(each[4][0] for each in found) for order in orders)
