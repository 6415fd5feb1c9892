"""Reads of a PostgreSQL store's revision on an event loop, without a thread, one query for many concurrent callers.

It uses libpq directly, which takes half the time of psycopg's asynchronous cursor.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg

_QUERY_TIMEOUT_S: Final = 1.0
"""Time after which an unanswered query drops the connection."""
_RECONNECT_INTERVAL_S: Final = 1.0
"""Minimum time between the starts of two connection attempts."""
_SQL: Final = b"SELECT last_revision FROM store_state"
_BINARY: Final = 1

Connect = Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]


class RevisionProbe:
    """Reads the revision over a separate connection. Not thread-safe: use and close it on one event loop.

    It connects at the first query, and reconnects in the background. Without a connection its result is None: errors are
    reported by reads of the store.
    """

    def __init__(self, connect: Connect) -> None:
        """Create a probe; it connects later."""
        self._connect = connect
        self._connection: _Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._not_before = -math.inf
        self._is_new = False
        self._closed = False

    def query(self) -> Awaitable[int | None] | None:
        """Return an awaitable of the revision, as of now or later; its result is None if the connection is lost.

        Returns None without a connection, and once for each new connection: the database may have been replaced by an older
        state in the meantime, with other changes under the same revisions.
        """
        if self._connection is None or self._connection.is_lost:
            self._connection = None
            self._reconnect()
            return None
        if self._is_new:
            self._is_new = False
            return None
        return self._connection.query()

    async def close(self) -> None:
        """Close the connection; pending queries return None."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait((self._connecting,))
        if self._connection is not None:
            self._connection.drop()

    def _reconnect(self) -> None:
        loop = asyncio.get_running_loop()
        if self._closed or self._connecting is not None or loop.time() < self._not_before:
            return
        self._not_before = loop.time() + _RECONNECT_INTERVAL_S
        self._connecting = loop.create_task(self._open())

    async def _open(self) -> None:
        try:
            self._connection = _Connection(await self._connect())
            self._is_new = True
        except (psycopg.Error, OSError):
            pass
        finally:
            self._connecting = None


class _Connection:
    """A connection with at most one query in flight.

    A call during a query must not get its result, which may be older than the call; all such calls share the next query.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self.is_lost = False
        # Keeps a reference, because psycopg closes collected connections.
        self._connection = connection
        self._libpq = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._in_flight: list[asyncio.Future[int | None]] = []
        self._waiting: list[asyncio.Future[int | None]] = []
        self._revision: int | None = None
        self._timeout: asyncio.TimerHandle | None = None
        self._libpq.nonblocking = 1
        # libpq does not return it once the connection is broken.
        self._socket = self._libpq.socket
        self._loop.add_reader(self._socket, self._guard, self._receive)

    def query(self) -> Awaitable[int | None]:
        waiter: asyncio.Future[int | None] = self._loop.create_future()
        self._waiting.append(waiter)
        if self._timeout is None:
            self._guard(self._send)
        return waiter

    def drop(self) -> None:
        if self.is_lost:
            return
        self.is_lost = True
        if self._timeout is not None:
            self._timeout.cancel()
        self._loop.remove_reader(self._socket)
        self._libpq.finish()
        _resolve([*self._in_flight, *self._waiting], None)

    def _send(self) -> None:
        self._in_flight, self._waiting = self._waiting, []
        self._revision = None
        # Not prepared: behind a pooler the next query may reach another session.
        self._libpq.send_query_params(_SQL, None, result_format=_BINARY)
        # It fits into any socket's send buffer, unless the server has stopped reading.
        if self._libpq.flush() != 0:
            raise psycopg.OperationalError
        self._timeout = self._loop.call_later(_QUERY_TIMEOUT_S, self.drop)

    def _receive(self) -> None:
        self._libpq.consume_input()
        while self._timeout is not None and not self._libpq.is_busy():
            result = self._libpq.get_result()
            if result is None:
                self._timeout.cancel()
                self._timeout = None
                _resolve(self._in_flight, self._revision)
            elif result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
                raise psycopg.OperationalError
            elif (value := result.get_value(0, 0)) is not None:
                self._revision = int.from_bytes(value)
        if self._waiting and self._timeout is None:
            self._send()

    def _guard(self, step: Callable[[], None]) -> None:
        try:
            step()
        except psycopg.Error:
            self.drop()


def _resolve(waiters: list[asyncio.Future[int | None]], revision: int | None) -> None:
    for waiter in waiters:
        # A waiter may have been cancelled.
        if not waiter.done():
            waiter.set_result(revision)
