"""Nothing stays open, and no wake-up is lost, when a call or a pool ends at a bad moment."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1 import pool as connections
from gateway_entities.transports.http1.asyncio import HttpStream
from gateway_entities.transports.http1.blocking import HttpSocket, OpenSockets
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest
from gateway_entities.transports.http1.route import Route
from gateway_entities.transports.target import Target
from tests.transports.raw_server import OK, raw_server, read_request, reply

REQUEST = HttpRequest("POST", "/", [("host", "h")], b"")


def open_sockets() -> set[str]:
    """Return the sockets of this process."""
    links = []
    for name in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            continue  # The list's own.
    return {link for link in links if link.startswith("socket:")}


class Interrupted(threading.Condition):
    """A condition whose first waiter is interrupted, as by Ctrl-C, just after it has consumed a notification."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waiting += 1
        first = self.waiting == 1
        notified = super().wait(timeout)
        if first and notified:
            raise KeyboardInterrupt
        return notified

    def await_waiters(self, count: int) -> None:
        deadline = time.monotonic() + 5
        while self.waiting < count:
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_an_interrupted_waiter_passes_its_notification_on(monkeypatch):
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS", 1)
    arrived, release = threading.Event(), threading.Event()

    def talk(sock):
        while read_request(sock):
            arrived.set()
            release.wait(10)
            sock.sendall(OK)

    with raw_server(talk) as target, ThreadPoolExecutor(3) as threads:
        pool = ConnectionPool(Target.parse(target))
        pool._available = available = Interrupted()
        busy = threads.submit(pool.request, REQUEST, Deadline(10))
        assert arrived.wait(5)
        interrupted = threads.submit(pool.request, REQUEST, Deadline(10))
        available.await_waiters(1)
        waiting = threads.submit(pool.request, REQUEST, Deadline(10))
        available.await_waiters(2)
        release.set()
        assert busy.result(5).status == waiting.result(5).status == 200
        assert isinstance(interrupted.exception(5), KeyboardInterrupt)
        pool.close()


@pytest.mark.parametrize("secured", [False, True])
def test_a_connection_made_while_the_pool_closes_is_closed(tls, certificate, monkeypatch, secured):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with raw_server(reply(OK), context=tls if secured else None) as address:
        target = Target.parse(address)
        before = open_sockets()
        sockets = OpenSockets()
        sockets.shut_down()
        with pytest.raises(GatewayError) as caught:
            HttpSocket(Route(target), connections._ssl_context(target, None), sockets, Deadline(5))
        # The error is still there, and with it the frames that would keep a forgotten socket alive.
        assert caught.value.code is Code.CANCELLED
        assert open_sockets() - before == set()


def test_a_pool_closed_during_a_connect_leaves_no_socket(monkeypatch):
    real = socket.socket.connect_ex
    with raw_server(reply(OK)) as address:
        before = open_sockets()
        pool = ConnectionPool(Target.parse(address))

        def connect(sock, where):
            result = real(sock, where)
            pool.close()
            return result

        monkeypatch.setattr(socket.socket, "connect_ex", connect)
        with pytest.raises(GatewayError) as caught:
            pool.request(REQUEST, Deadline(5))
        assert caught.value.code is Code.CANCELLED
        assert {link for link in open_sockets() - before if link in client_side(address)} == set()


def client_side(address: str) -> set[str]:
    """Return the sockets of this process that are connected to an address."""
    port = int(address.rpartition(":")[2])
    remote = f"0100007F:{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {f"socket:[{fields[9]}]" for line in lines if (fields := line.split())[2] == remote}


async def test_an_async_pool_closed_during_a_connect_leaves_no_socket(monkeypatch):
    real = HttpStream.connect
    with raw_server(reply(OK)) as address:
        pool = AsyncConnectionPool(Target.parse(address))

        async def connect(*arguments):
            stream = await real(*arguments)
            await pool.close()
            return stream

        monkeypatch.setattr(HttpStream, "connect", connect)
        with pytest.raises(GatewayError) as caught:
            await pool.request(REQUEST, Deadline(5))
        assert caught.value.code is Code.CANCELLED
        await asyncio.sleep(0)
        assert client_side(address) & open_sockets() == set()


def test_a_refused_connect_leaves_no_socket(free_port):
    before = open_sockets()
    sockets = OpenSockets()
    with pytest.raises(OSError, match="refused"):
        HttpSocket(Route(Target.parse(f"http://127.0.0.1:{free_port}")), None, sockets, Deadline(5))
    assert open_sockets() - before == set()
    assert sockets._open == set()


def test_a_connection_over_tls_is_registered_once(tls, certificate, monkeypatch):
    """Each connection would otherwise leave an entry for as long as the client lives."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with raw_server(reply(OK), context=tls) as address:
        target = Target.parse(address)
        sockets = OpenSockets()
        opened = HttpSocket(Route(target), connections._ssl_context(target, None), sockets, Deadline(5))
        assert len(sockets._open) == 1
        opened.close()
        assert sockets._open == set()


@pytest.mark.parametrize("secured", [False, True])
async def test_a_call_that_is_cancelled_while_it_connects_leaves_no_socket(tls, certificate, monkeypatch, secured):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    made = HttpStream.connection_made
    calls: list[asyncio.Task[object]] = []

    def cancelled_when_connected(stream, transport):
        made(stream, transport)
        while calls:
            calls.pop().cancel()

    monkeypatch.setattr(HttpStream, "connection_made", cancelled_when_connected)
    with raw_server(reply(OK), context=tls if secured else None) as address:
        for _ in range(5):
            pool = AsyncConnectionPool(Target.parse(address))
            call = asyncio.create_task(pool.request(REQUEST, Deadline(5)))
            calls.append(call)
            with pytest.raises(asyncio.CancelledError):
                await call
            # It gets the same descriptor if that is free again.
            assert (await pool.request(REQUEST, Deadline(5))).status == 200
            await pool.close()
        end = time.monotonic() + 5
        while client_side(address) & open_sockets():
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
