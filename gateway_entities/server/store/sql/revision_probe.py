"""The revision of a store in PostgreSQL, asked for on an event loop: without a thread, and many calls with one question.

It speaks to libpq itself. A question over psycopg's own asynchronous cursor takes twice as long.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg

_ANSWER_SECONDS: Final = 1.0
"""How long the database may take to answer before its connection counts as lost."""
_AGAIN_SECONDS: Final = 1.0
"""How long after the start of one attempt to connect the next one may follow."""
_NAME: Final = b"revision"
_QUESTION: Final = b"SELECT coalesce(max(revision), 0) FROM changes"
_BINARY: Final = 1

Connect = Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]


class RevisionProbe:
    """Asks for the revision over a connection of its own. Use and close it on one event loop.

    It connects when it is first asked, and again, in the background, when the connection was lost. Meanwhile it tells
    nothing, and reports no errors: whoever reads the store itself does.
    """

    def __init__(self, connect: Connect) -> None:
        """Take what opens a connection; nothing is opened yet."""
        self._connect = connect
        self._line: _Line | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._not_before = -math.inf
        self._is_new = False
        self._closed = False

    def ask(self) -> Awaitable[int | None] | None:
        """Ask for the revision of the last change, as it is now or later; the answer is None when there is none.

        None at once when there is no connection, and once for each new connection: the database may have been replaced by
        an older state of itself meanwhile, and have other changes under numbers that were seen before.
        """
        if self._line is None or self._line.is_lost:
            self._line = None
            self._reconnect()
            return None
        if self._is_new:
            self._is_new = False
            return None
        return self._line.ask()

    async def close(self) -> None:
        """Close the connection; whoever still waits for an answer gets none."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait((self._connecting,))
        if self._line is not None:
            self._line.lose()

    def _reconnect(self) -> None:
        loop = asyncio.get_running_loop()
        if self._closed or self._connecting is not None or loop.time() < self._not_before:
            return
        self._not_before = loop.time() + _AGAIN_SECONDS
        self._connecting = loop.create_task(self._open())

    async def _open(self) -> None:
        try:
            self._line = _Line(await self._connect())
            self._is_new = True
        except (psycopg.Error, OSError):
            pass
        finally:
            self._connecting = None


class _Line:
    """One connection, and at most one question on its way.

    A call that comes while one is cannot have that one's answer, which may be from before the call; all that come
    meanwhile share the next one.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self.is_lost = False
        # The driver closes what nobody refers to any more.
        self._connection = connection
        self._wire = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._asked: list[asyncio.Future[int | None]] = []
        self._waiting: list[asyncio.Future[int | None]] = []
        self._found: int | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._wire.nonblocking = 1
        # It cannot be asked for once the connection is broken.
        self._socket = self._wire.socket
        self._loop.add_reader(self._socket, self._guarded, self._receive)
        self._guarded(self._prepare)

    def ask(self) -> Awaitable[int | None]:
        waiter: asyncio.Future[int | None] = self._loop.create_future()
        self._waiting.append(waiter)
        if self._limit is None:
            self._guarded(self._send)
        return waiter

    def lose(self) -> None:
        if self.is_lost:
            return
        self.is_lost = True
        if self._limit is not None:
            self._limit.cancel()
        self._loop.remove_reader(self._socket)
        self._wire.finish()
        _tell([*self._asked, *self._waiting], None)

    def _prepare(self) -> None:
        self._wire.send_prepare(_NAME, _QUESTION)
        self._sent()

    def _send(self) -> None:
        self._asked, self._waiting = self._waiting, []
        self._found = None
        self._wire.send_query_prepared(_NAME, None, result_format=_BINARY)
        self._sent()

    def _sent(self) -> None:
        # A question is shorter than any socket's buffer, unless nobody empties it.
        if self._wire.flush() != 0:
            raise psycopg.OperationalError
        self._limit = self._loop.call_later(_ANSWER_SECONDS, self.lose)

    def _receive(self) -> None:
        self._wire.consume_input()
        while self._limit is not None and not self._wire.is_busy():
            result = self._wire.get_result()
            if result is None:
                self._limit.cancel()
                self._limit = None
                _tell(self._asked, self._found)
            elif result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
                raise psycopg.OperationalError
            elif (value := result.get_value(0, 0)) is not None:
                self._found = int.from_bytes(value)
        if self._waiting and self._limit is None:
            self._send()

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except psycopg.Error:
            self.lose()


def _tell(waiters: list[asyncio.Future[int | None]], revision: int | None) -> None:
    for waiter in waiters:
        # Whoever was cancelled waits no more.
        if not waiter.done():
            waiter.set_result(revision)
