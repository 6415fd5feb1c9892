"""Recording of accesses to secret values, in batches by one thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.repositories.access import Access

if TYPE_CHECKING:
    from gateway_entities.server.store import Store

ACCESS_RETENTION_MS: Final = 90 * 24 * 60 * 60 * 1000
"""Retention of accesses, in milliseconds."""
_MAX_BATCH: Final = 5000
"""Maximum number of accesses in one transaction."""
_TIMEOUT_S: Final = 10.0
"""Seconds that a caller waits for its accesses to be recorded."""

_log = logging.getLogger(__name__)


class _Job(NamedTuple):
    accesses: Sequence[Access]
    done: Future[None]


class AccessRecorder:
    """Records accesses in the store, for many callers in one transaction. Thread-safe; the thread starts with the first one.

    While one transaction commits, the accesses for the next one gather: an idle server records one access immediately, a
    busy one hundreds together.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._observer: Callable[[int], None] | None = None

    def observe(self, observer: Callable[[int], None]) -> None:
        """Call a function with the number of accesses after each transaction that has recorded some."""
        self._observer = observer

    def record(self, accesses: Sequence[Access]) -> None:
        """Record accesses, and return when they are committed.

        Raises:
            GatewayError: UNAVAILABLE; they may not have been recorded.
        """
        if not accesses:
            return
        job = _Job(accesses, Future())
        with self._lock:
            if self._closed:
                raise _not_recorded("the server is stopping")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gateway-accesses", daemon=True)
                self._thread.start()
            self._jobs.put(job)
        try:
            job.done.result(_TIMEOUT_S)
        except TimeoutError:
            raise _not_recorded(f"the store has not been written for {_TIMEOUT_S:g} seconds") from None

    def close(self) -> None:
        """End after the accesses that were given so far."""
        with self._lock:
            self._closed = True
            thread = self._thread
            self._jobs.put(None)
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        more = True
        while more:
            jobs, more = self._next_batch()
            if jobs:
                self._write(jobs)

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Wait for a job, and return it with those that are there; and whether more can follow."""
        jobs: list[_Job] = []
        count = 0
        while not jobs or (count < _MAX_BATCH and not self._jobs.empty()):
            job = self._jobs.get()
            if job is None:
                return jobs, False
            jobs.append(job)
            count += len(job.accesses)
        return jobs, True

    def _write(self, jobs: Sequence[_Job]) -> None:
        try:
            with self._store.write() as transaction:
                transaction.require_room(from_reserve=True)
                transaction.secret_accesses.add([access for job in jobs for access in job.accesses])
        except Exception as error:
            if not isinstance(error, GatewayError):
                _log.exception("accesses to secrets were not recorded")
            cause = error.message if isinstance(error, GatewayError) else "an internal error"
            for job in jobs:
                job.done.set_exception(_not_recorded(cause))
        else:
            if self._observer is not None:
                self._observer(sum(len(job.accesses) for job in jobs))
            for job in jobs:
                job.done.set_result(None)


def _not_recorded(cause: str) -> GatewayError:
    return GatewayError(
        Code.UNAVAILABLE,
        f"the access to the secret cannot be recorded, so it is refused: {cause}",
        reason="ACCESS_NOT_RECORDED",
    )
