"""Compaction of a store: regularly by its servers, and as a whole by a command."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from gateway_entities.errors import GatewayError
from gateway_entities.server.service.writes.compaction import STEP_ROWS, Retention, compact
from gateway_entities.server.store import Store
from gateway_entities.server.store.crypto.envelope import Cipher
from gateway_entities.server.store.crypto.keyring import KeyRing, generate_key
from gateway_entities.server.store.sql.database import Database, StoreSize
from gateway_entities.server.store.sql.errors import map_db_errors
from gateway_entities.server.store.store import Transaction

_INTERVAL_S: Final = 60.0
"""Seconds between two compactions."""
_PAUSE_S: Final = 0.05
"""Seconds between two steps of one compaction, in which writers have the store."""
_STEP_BYTES: Final = 4 * 1024 * 1024
"""Maximum number of bytes that one step gives back to the file system."""
_KEPT_FREE_SHARE: Final = 4
"""Free bytes stay in the file up to this part of the used ones, because a file that shrinks and grows again costs more."""

_log = logging.getLogger(__name__)


class Compactor:
    """Deletes what has outlived its retention, and gives space back, once a minute. All servers of a store may do so."""

    def __init__(self, store: Store, retention: Retention, *, interval: float = _INTERVAL_S) -> None:
        """Create it with the seconds between two compactions."""
        self._store = store
        self._retention = retention
        self._interval = interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway-compact", daemon=True)

    def start(self) -> None:
        """Start; the first compaction begins after the interval."""
        self._thread.start()

    def close(self) -> None:
        """End, after a step that is under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self._repeat(self._compact)
                self._repeat(self._release)
            except GatewayError as error:
                _log.warning("the store was not compacted: %s", error.message)
            except Exception:
                _log.exception("the store was not compacted")

    def _repeat(self, step: Callable[[], bool]) -> None:
        while step() and not self._stopping.wait(_PAUSE_S):
            pass

    def _compact(self) -> bool:
        with self._store.write() as transaction:
            return compact(transaction, self._retention, transaction.now) >= STEP_ROWS

    def _release(self) -> bool:
        size = self._store.size()
        excess = size.free_bytes - max(size.used_bytes // _KEPT_FREE_SHARE, _STEP_BYTES)
        return excess > 0 and self._store.release(min(excess, _STEP_BYTES)) > 0


class Compacted(NamedTuple):
    """Result of a compaction.

    Attributes:
        oldest: the oldest revision in the change log.
        revision: the last one; 0 in a new store.
        before: the size of the store before.
        after: its size afterwards.
    """

    oldest: int
    revision: int
    before: StoreSize
    after: StoreSize


def compact_database(database: Database, retention: Retention, *, vacuum: bool) -> Compacted:
    """Delete what has outlived its retention, and give space back to the file system. Safe while servers run.

    Args:
        database: the store's open database, with tables at the latest revision.
        retention: the retention of the change log.
        vacuum: rewrite the database, as ``Database.vacuum``.

    Raises:
        GatewayError: UNAVAILABLE (the database is locked or cannot be written) or FAILED_PRECONDITION (its clock has
            jumped).
    """
    # A random key suffices, because nothing is decrypted.
    cipher = Cipher(KeyRing([generate_key()[0]]))
    with map_db_errors():
        with database.read() as connection:
            before = database.size(connection)
        rows = STEP_ROWS
        while rows >= STEP_ROWS:
            with database.write() as connection:
                # What a clock that has jumped calls old may be new.
                database.clock.check(connection)
                transaction = Transaction(connection, cipher, database.clock)
                rows = compact(transaction, retention, transaction.now)
        released = 1
        while released > 0 and not vacuum:
            released = database.release(_STEP_BYTES)
        if vacuum:
            database.vacuum()
        with database.read() as connection:
            changes = Transaction(connection, cipher, database.clock).changes
            return Compacted(changes.oldest(), changes.last(), before, database.size(connection))
