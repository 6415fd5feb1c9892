"""Whether the writes of a store get through, and since when they do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql.database import BUSY

_STORE_ERRORS: Final = frozenset({"STORE_BUSY", "STORE_UNAVAILABLE", "STORE_DAMAGED"})


class WriteMonitor:
    """Follows the write transactions of one store. Thread-safe.

    Writes do not get through if the disk or the database has refused the last one, or if some have waited or failed for
    too long and none has succeeded since.
    """

    def __init__(self, stall: float) -> None:
        """Create a monitor.

        Args:
            stall: seconds after which waiting is reported.
        """
        self._stall = stall
        self._lock = threading.Lock()
        self._started: dict[object, float] = {}
        self._succeeded_at = 0.0
        self._failure: GatewayError | None = None
        self._failed_since = 0.0

    @contextmanager
    def observe(self) -> Generator[None]:
        """Follow one write transaction, from the wait for its lock to its commit, for the duration of the block."""
        key, started = object(), time.monotonic()
        with self._lock:
            self._started[key] = started
        try:
            yield
        except GatewayError as error:
            # Others are about the request.
            if error.reason in _STORE_ERRORS:
                self._fail(error, started)
            raise
        else:
            self._succeed()
        finally:
            with self._lock:
                del self._started[key]

    def error(self) -> GatewayError | None:
        """Return UNAVAILABLE with the cause if writes do not get through."""
        with self._lock:
            since = list(self._started.values())
            if self._failure is not None:
                since.append(self._failed_since)
            if not since:
                return None
            seconds = time.monotonic() - max(min(since), self._succeeded_at)
            failure = self._failure
        waits = failure is None or failure.reason == BUSY.reason
        if waits and seconds < self._stall:
            return None
        cause = "they wait for a lock on it" if failure is None else failure.message
        return GatewayError(
            Code.UNAVAILABLE,
            f"no write to the store has succeeded for {seconds:.0f} seconds: {cause}",
            reason="STORE_NOT_WRITABLE",
        )

    def _fail(self, error: GatewayError, started: float) -> None:
        with self._lock:
            # The one that has waited longest need not fail first.
            self._failed_since = started if self._failure is None else min(self._failed_since, started)
            self._failure = error

    def _succeed(self) -> None:
        with self._lock:
            self._succeeded_at = time.monotonic()
            self._failure = None
