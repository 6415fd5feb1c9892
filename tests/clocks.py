"""Clocks of test stores, in place of the machine's and the database's."""

from __future__ import annotations

import time

from sqlalchemy import Connection

from gateway_entities.server.store.sql.clock import Clock


class PatchedClock(Clock):
    """The time of ``time.time_ns``, which tests patch. It is always trusted, and the same on each kind of store."""

    def now(self, connection: Connection) -> int:
        return time.time_ns() // 1_000_000

    def check(self, connection: Connection) -> None:
        pass

    def record(self, connection: Connection) -> None:
        pass

    def accept(self, connection: Connection) -> int:
        return self.now(connection)
