"""The clock of a store: which time it is, and whether that can be trusted.

A clock that jumps ahead would delete what is still needed: the counters of current budget windows, and the responses by
which repeated requests are recognized. So on SQLite, whose clock is the machine's, a jump stops writes.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import budget_charges, budget_reservations, changes, clock, stored_responses

TOLERANCE_MS: Final = 60_000
"""Milliseconds by which the wall clock may be set, and by which the newest row may be ahead of it."""

_RECORD_MS: Final = 1000
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

_LOAD: Final = select(clock.c.boot_id, clock.c.booted_at, clock.c.accepted_until)
_CLEAR: Final = delete(clock)
_SAVE: Final = insert(clock)
_NEWEST: Final = (
    # By key, because the whole log has no index by time.
    select(changes.c.changed_at).order_by(changes.c.revision.desc()).limit(1),
    select(func.max(stored_responses.c.answered_at)),
    select(func.max(budget_charges.c.recorded_at)),
    select(func.max(budget_reservations.c.settled_at)),
    # Of the open ones, which are few; those that are settled were made before.
    select(func.max(budget_reservations.c.created_at)).where(budget_reservations.c.settled_at.is_(None)),
)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _boot_ms() -> int:
    # macOS has no such clock, and its monotonic one stands still in suspension: then a wake-up is a step.
    identifier = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.monotonic_ns() if identifier is None else time.clock_gettime_ns(identifier)) // 1_000_000


def _kernel_boot_id() -> str:
    with suppress(OSError):
        return _BOOT_ID.read_text(encoding="ascii").strip()
    return ""


class Clock(ABC):
    """The clock of one store, in milliseconds since the Unix epoch, UTC. Thread-safe."""

    @abstractmethod
    def now(self, connection: Connection) -> int:
        """Return the time of a transaction."""

    @abstractmethod
    def check(self, connection: Connection) -> None:
        """Check that the clock can be trusted.

        Raises:
            GatewayError: FAILED_PRECONDITION with reason CLOCK_JUMP; it cannot.
        """

    @abstractmethod
    def record(self, connection: Connection) -> None:
        """Store what later checks compare with, if the clock can be trusted. In a write transaction."""

    @abstractmethod
    def accept(self, connection: Connection) -> int:
        """Declare the clock to be right, for all servers of the store; return the time. In a write transaction."""


class _Stored(NamedTuple):
    boot_id: str
    # The wall clock's time at which the boot clock was 0.
    booted_at: int
    # Rows up to this time may be ahead.
    accepted_until: int


class MachineClock(Clock):
    """The wall clock of this machine, guarded by its boot clock, which cannot be set.

    After a step of over 60 seconds the time goes on by the boot clock, and writes are refused until the wall clock is right
    again or accepted. The relation of the clocks is stored, so that a step between two starts is found too, unless the
    machine was booted in between. When the store is opened, its newest row must not be more than 60 seconds ahead.
    """

    def __init__(
        self,
        wall: Callable[[], int] = _wall_ms,
        boot: Callable[[], int] = _boot_ms,
        boot_id: str | None = None,
    ) -> None:
        """Create a clock.

        Args:
            wall: returns milliseconds since the Unix epoch.
            boot: returns milliseconds since the machine was booted, suspended time included.
            boot_id: the id of this boot, ``""`` if it is unknown; the default is the kernel's.
        """
        self._wall = wall
        self._boot = boot
        self._boot_id = _kernel_boot_id() if boot_id is None else boot_id
        self._loaded = False
        self._booted_at: int | None = None
        self._newest = 0
        self._stored = _NOTHING_STORED

    def now(self, connection: Connection) -> int:
        """Return the wall clock's time, or after a step what it would be without."""
        self._load(connection)
        boot, wall = self._boot(), self._wall()
        if self._booted_at is None or abs(wall - boot - self._booted_at) <= TOLERANCE_MS:
            return wall
        return self._booted_at + boot

    def check(self, connection: Connection) -> None:
        """Check that the wall clock was not stepped, and is not behind the store."""
        self._load(connection)
        boot, wall = self._boot(), self._wall()
        if self._agree(boot, wall):
            return
        # Another process may have accepted the clock.
        self._stored = _stored(connection)
        if self._stored.boot_id == self._boot_id and abs(wall - boot - self._stored.booted_at) <= TOLERANCE_MS:
            self._booted_at = self._stored.booted_at
            if self._agree(boot, wall):
                return
        raise _jump(wall, self._newest if self._is_behind(wall) or self._booted_at is None else self._booted_at + boot)

    def record(self, connection: Connection) -> None:
        """Store the relation of the clocks where it has changed."""
        self._load(connection)
        boot, wall = self._boot(), self._wall()
        known = self._stored.boot_id == self._boot_id and abs(wall - boot - self._stored.booted_at) <= _RECORD_MS
        if self._agree(boot, wall) and not known:
            self._save(connection, wall - boot, self._stored.accepted_until)

    def accept(self, connection: Connection) -> int:
        """Declare the wall clock to be right, and the rows that are ahead of it to be known."""
        boot, wall = self._boot(), self._wall()
        self._save(connection, wall - boot, _newest(connection))
        return wall

    def _load(self, connection: Connection) -> None:
        if self._loaded:
            return
        self._stored = _stored(connection)
        self._newest = _newest(connection)
        if self._boot_id and self._stored.boot_id == self._boot_id:
            self._booted_at = self._stored.booted_at
        self._loaded = True

    def _agree(self, boot: int, wall: int) -> bool:
        """Return whether the clocks agree. Steps within the tolerance are followed: those of a time service add up."""
        if self._is_behind(wall):
            return False
        if self._booted_at is not None and abs(wall - boot - self._booted_at) > TOLERANCE_MS:
            return False
        self._booted_at = wall - boot
        return True

    def _is_behind(self, wall: int) -> bool:
        return self._newest > max(wall + TOLERANCE_MS, self._stored.accepted_until)

    def _save(self, connection: Connection, booted_at: int, accepted_until: int) -> None:
        self._stored = _Stored(self._boot_id, booted_at, accepted_until)
        self._booted_at = booted_at
        execute.run(connection, _CLEAR, {})
        execute.run(connection, _SAVE, self._stored._asdict())


_NOTHING_STORED: Final = _Stored("", 0, 0)


def _stored(connection: Connection) -> _Stored:
    row = execute.row(connection, _LOAD)
    return _NOTHING_STORED if row is None else _Stored(*row)


def _newest(connection: Connection) -> int:
    found = (execute.row(connection, statement) for statement in _NEWEST)
    return max((row[0] or 0 for row in found if row), default=0)


def _jump(wall: int, expected: int) -> GatewayError:
    ahead = wall - expected
    difference = f"{abs(ahead) // 1000} seconds {'ahead of' if ahead > 0 else 'behind'} the store's time"
    return GatewayError(
        Code.FAILED_PRECONDITION,
        f"The clock says {_text(wall)}, which is {difference}; nothing is written until it is right again. "
        "If it is right now, run: gateway-entities db clock accept",
        reason="CLOCK_JUMP",
    )


def _text(milliseconds: int) -> str:
    try:
        return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{milliseconds} ms"
