"""Pools after a fork: a child has its own connections and its own locks, and the parent notices nothing."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

import pytest

from gateway_entities.client._retry import RetryBudget
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest
from gateway_entities.transports.target import Target
from tests.forks import in_children
from tests.transports.conftest import blocking
from tests.transports.raw_server import raw_server, read_request

CALLS = 20


@pytest.fixture(params=["plain", "tls"])
def echo(request):
    """A server that sends back the path of each request, and the connections that it has accepted."""
    accepted = []

    def talk(sock):
        accepted.append(sock)
        while received := read_request(sock):
            path = received.split(b" ", 2)[1]
            sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(path), path))

    context = None
    if request.param == "tls":
        context = request.getfixturevalue("tls")
        certificate = request.getfixturevalue("certificate")[0]
        request.getfixturevalue("monkeypatch").setenv("SSL_CERT_FILE", str(certificate))
    with raw_server(talk, context=context) as target:
        yield Target.parse(target), accepted


@contextmanager
def pools(mode, target):
    with blocking(mode, lambda: ConnectionPool(target), lambda: AsyncConnectionPool(target)) as pool:
        yield pool


def paths_of(process):
    return [f"/{process}-{number}" for number in range(CALLS)]


def get(pool, path):
    return HttpRequest("POST", path, [("host", "h")], b""), Deadline(10)


def sent_back(pool, process):
    """Return what the server sends back to the calls of a process."""
    return [pool.request(*get(pool, path)).body.decode() for path in paths_of(process)]


async def sent_back_async(pool, process):
    return [(await pool.request(*get(pool, path))).body.decode() for path in paths_of(process)]


def in_child(mode, pool, process):
    if mode == "sync":
        return sent_back(pool, process)
    return asyncio.run(sent_back_async(pool.wrapped, process))


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_children_and_parent_receive_their_own_responses(echo, mode):
    target, accepted = echo
    with pools(mode, target) as pool:
        sent_back(pool, "before")
        own = []
        results = in_children(
            4, lambda child: in_child(mode, pool, child), meanwhile=lambda: own.extend(sent_back(pool, "parent"))
        )
        assert results == [paths_of(child) for child in range(4)]
        assert own == paths_of("parent")
        # The parent keeps its connection, which the ends of the children have not closed.
        assert sent_back(pool, "after") == paths_of("after")
        assert len(accepted) == 5


def test_a_coroutine_may_fork_children_that_have_event_loops_of_their_own(echo):
    target, accepted = echo

    async def parent():
        pool = AsyncConnectionPool(target)
        await sent_back_async(pool, "before")
        results = in_children(2, lambda child: asyncio.run(sent_back_async(pool, child)))
        after = await sent_back_async(pool, "after")
        await pool.close()
        return results, after

    results, after = asyncio.run(parent())
    assert results == [paths_of(0), paths_of(1)]
    assert after == paths_of("after")
    assert len(accepted) == 3


def test_a_child_of_a_child_has_connections_of_its_own(echo):
    target, accepted = echo
    with pools("sync", target) as pool:
        sent_back(pool, "before")
        [[own, [grandchild]]] = in_children(
            1, lambda child: [sent_back(pool, child), in_children(1, lambda _: sent_back(pool, "grandchild"))]
        )
        assert (own, grandchild) == (paths_of(0), paths_of("grandchild"))
        assert len(accepted) == 3


@contextmanager
def held(lock):
    """Hold a lock in another thread, which a child does not have."""
    taken, release = threading.Event(), threading.Event()

    def hold():
        with lock:
            taken.set()
            release.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(5)
    try:
        yield
    finally:
        release.set()
        thread.join()


@pytest.mark.parametrize("lock", ["_available", "_sockets._lock"])
def test_a_child_does_not_wait_for_a_lock_that_a_thread_of_its_parent_holds(echo, lock):
    with pools("sync", echo[0]) as pool:
        sent_back(pool, "before")
        owner, _, name = f"pool.{lock}".rpartition(".")
        with held(getattr(pool if owner == "pool" else pool._sockets, name)):
            assert in_children(1, lambda child: sent_back(pool, child)) == [paths_of(0)]


def test_nor_for_the_lock_of_the_retry_budget():
    budget = RetryBudget()
    with held(budget._lock):
        assert in_children(1, lambda _: budget.take()) == [True]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_child_does_not_wait_for_the_connections_that_its_parent_uses(echo, mode, monkeypatch):
    from gateway_entities.transports.http1 import pool as module

    monkeypatch.setattr(module, "_MAX_CONNECTIONS", 1)
    release, arrived = threading.Event(), threading.Event()

    def talk(sock):
        while received := read_request(sock):
            if b"/slow" in received:
                arrived.set()
                release.wait(30)
            path = received.split(b" ", 2)[1]
            sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(path), path))

    with raw_server(talk) as target, pools(mode, Target.parse(target)) as pool:
        responses = []
        thread = threading.Thread(target=lambda: responses.append(pool.request(*get(pool, "/slow")).body))
        thread.start()
        assert arrived.wait(5)
        assert in_children(1, lambda child: in_child(mode, pool, child)) == [paths_of(0)]
        release.set()
        thread.join()
        assert responses == [b"/slow"]
