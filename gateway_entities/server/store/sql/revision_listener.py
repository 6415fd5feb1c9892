"""Notifications of a PostgreSQL store's commits, so that a server need not wait for its next look at the revision."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg
from psycopg import sql

from gateway_entities.server.store.sql.schema import CHANNEL

_RECONNECT_INTERVAL_S: Final = 1.0
"""Seconds from the loss of a connection to the next attempt."""
_POOLER_INTERVAL_S: Final = 60.0
"""Seconds from an attempt that met a pooler to the next one."""
_CHECK_INTERVAL_S: Final = 20.0
"""Seconds without a notification after which the connection is tried: a lost one may look like a quiet one."""
_LISTEN: Final = sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL))

Connect = Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]


class RevisionListener:
    """Calls a function after commits, of any server. For one event loop.

    It has a connection of its own, and makes another one when it is lost. Behind a pooler there are no notifications. So
    nothing may depend on them.
    """

    def __init__(self, connect: Connect, notify: Callable[[], None]) -> None:
        """Start to listen, on the running event loop.

        Args:
            connect: opens a connection, which does not begin transactions.
            notify: called on the loop after a commit, and whenever commits may have been missed.
        """
        self._connect = connect
        self._notify = notify
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Close the connection; ``notify`` is not called any more."""
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _run(self) -> None:
        while True:
            pause = _RECONNECT_INTERVAL_S
            try:
                async with await self._connect() as connection:
                    if await _is_direct(connection):
                        await self._listen(connection)
                    else:
                        pause = _POOLER_INTERVAL_S
            except (psycopg.Error, OSError):
                pass
            await asyncio.sleep(pause)

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            # The first time it registers; later it shows that the connection lives.
            await connection.execute(_LISTEN, prepare=False)
            self._notify()
            async for _ in connection.notifies(timeout=_CHECK_INTERVAL_S):
                self._notify()


async def _is_direct(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Return the same as ``postgresql.is_direct``."""
    cursor = await connection.execute("SELECT pg_backend_pid()", prepare=False)
    return await cursor.fetchone() == (connection.info.backend_pid,)
