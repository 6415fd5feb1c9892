"""The feed: notices new revisions of the store, and serves the watchers of this process from shared updates.

A watcher is an async generator at a revision. It has no queue: when it is resumed it gets the next update of the ring or, if
the ring no longer has what follows its revision, one update with everything since, read from the store. So it never has a
gap, and one that reads slowly costs no more than the update that it is reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.repositories.state import State
from gateway_entities.server.telemetry.watch_status import WatchStatus
from gateway_entities.server.watch import reader, resume_token
from gateway_entities.server.watch.alerts import Alerts
from gateway_entities.server.watch.resume_token import ResumeToken
from gateway_entities.server.watch.ring import Ring
from gateway_entities.server.watch.update import Update, UpdateEncoder

if TYPE_CHECKING:
    from gateway_entities.server.store import Store
    from gateway_entities.server.store.sql.revision_listener import RevisionListener

_POLL_S: Final = 0.2
"""Seconds between two looks at the revision, so that with the read a change of another process shows within 250 ms."""
_STATE_S: Final = 2.0
"""Seconds after which the state of the store is read in any case: its revision alone does not show that it was replaced."""
_MAX_PAUSE_S: Final = 0.05
"""Seconds, at most, between an update and the next one."""
_PAUSE_FACTOR: Final = 1.5
"""A pause is so many times as long as the update took to reach the watchers, so that calls have most of the time."""
_WOKEN_AT_ONCE: Final = 64
"""Watchers that are woken in one turn of the loop, which is a few milliseconds."""
_SNAPSHOT_TTL_S: Final = 30.0
"""Seconds after which a snapshot that no watcher has asked for is dropped."""
BOOKMARK_S: Final = 9.0
"""Seconds without a message after which a watcher gets an update without resources."""
RING_BYTES: Final = 16 * 1024 * 1024
"""Maximum bytes of the recent updates."""
SHARED_BYTES: Final = 128 * 1024 * 1024
"""Bytes of the snapshots and other updates outside the ring that watchers are reading, beyond which no more are made."""

_log = logging.getLogger(__name__)

T = TypeVar("T")
Probe = Callable[[], Awaitable[int | None] | None]
"""Reads the revision without a thread, as ``RevisionProbe.query``."""


class _Watcher:
    """One watcher.

    Attributes:
        revision: the revision that it has; NOTHING before the first.
        alert_id: the last alert that it has had.
        wake: set while it waits for an update.
        sent_at: the time of its last message.
    """

    __slots__ = ("alert_id", "revision", "sent_at", "wake")

    def __init__(self) -> None:
        self.alert_id = 0
        self.revision = reader.NOTHING
        self.wake: asyncio.Future[None] | None = None
        self.sent_at = time.monotonic()


class Feed:
    """The watch stream of one server process. It belongs to one event loop; only ``notify`` is thread-safe.

    It works while there are watchers. There is one for each Store, whose commits it observes.
    """

    def __init__(
        self,
        store: Store,
        probe: Probe | None = None,
        *,
        ring_bytes: int = RING_BYTES,
        shared_bytes: int = SHARED_BYTES,
        bookmark_s: float = BOOKMARK_S,
    ) -> None:
        """Create a feed.

        Args:
            store: the store.
            probe: reads the revision where ``Store.revision`` is None; None without one.
            ring_bytes: maximum bytes of the recent updates.
            shared_bytes: bytes of the updates outside the ring, beyond which no more are made.
            bookmark_s: seconds without a message after which a watcher gets an update without resources.
        """
        self._store = store
        self._probe = probe
        self._ring_bytes = ring_bytes
        self._shared_bytes = shared_bytes
        self._bookmark_s = bookmark_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._listener: RevisionListener | None = None
        self._wake = asyncio.Event()
        self._notified = False
        self._is_failing = False
        self._advancing = asyncio.Lock()
        self._reading = asyncio.Lock()
        # A long snapshot must not delay updates.
        self._update_thread = ThreadPoolExecutor(1, thread_name_prefix="gateway-feed")
        self._other_thread = ThreadPoolExecutor(1, thread_name_prefix="gateway-snapshot")
        self._alerts = Alerts(store, self._in_update_thread)
        self._watchers = set[_Watcher]()
        self._store_id: str | None = None
        self._ring = Ring(0, ring_bytes)
        self._generation = 0
        """Number of stores and of states that this store was set back to; a stream lasts within one."""
        self._read_at = self._looked_at = 0.0
        self._snapshot: Update | None = None
        self._snapshot_at = 0.0
        self._catch_up: Update | None = None
        self._bookmark: Update | None = None
        self._outside_bytes = 0
        self._updates = self._catch_ups = self._snapshots = 0
        store.observe(self._observe)

    def status(self) -> WatchStatus:
        """Return what metrics show. It may be called in any thread; the numbers are of about the same moment."""
        revision = self._ring.revision
        return WatchStatus(
            watchers=len(self._watchers),
            revision=None if self._store_id is None else revision,
            lag=max((revision - each.revision for each in self._watchers.copy() if each.revision >= 0), default=0),
            ring_bytes=self._ring.bytes,
            outside_bytes=self._outside_bytes,
            updates=self._updates,
            catch_ups=self._catch_ups,
            snapshots=self._snapshots,
        )

    def notify(self) -> None:
        """Look at the revision now, because the store may have changed. Thread-safe."""
        loop = self._loop
        if loop is None or self._notified:
            return
        self._notified = True
        # The loop may have ended.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._wake.set)

    def watch(self, token: str) -> AsyncGenerator[bytes]:
        """Return a stream of encoded WatchGatewayResponse messages. It ends only with an error, or when it is closed.

        Args:
            token: the resume token of the last complete update that the watcher has; empty for a snapshot first.

        Raises:
            GatewayError: INVALID_ARGUMENT; the token cannot be read. From the stream, too: OUT_OF_RANGE (reasons
                STORE_CHANGED and REVISION_COMPACTED), RESOURCE_EXHAUSTED (too many updates are being read by slow watchers)
                or UNAVAILABLE (the store cannot be read).
        """
        return self._watch(ResumeToken(token) if token else None)

    async def close(self) -> None:
        """End the feed, after its watchers."""
        self._loop = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        if self._listener is not None:
            await self._listener.close()
        for executor in (self._update_thread, self._other_thread):
            await asyncio.to_thread(executor.shutdown)

    async def _watch(self, token: ResumeToken | None) -> AsyncGenerator[bytes]:
        watcher = _Watcher()
        self._watchers.add(watcher)
        try:
            await self._start()
            generation = self._generation
            watcher.alert_id = self._alerts.last
            if token is not None:
                await self._verify(token)
                watcher.revision, watcher.alert_id = token.revision, token.alert_id
            while True:
                self._check_generation(generation)
                # Without a coroutine where there is something to send: with many watchers that is a tenth of the work.
                update = self._ready(watcher) or await self._next(watcher)
                if update is None:
                    continue
                *parts, last = update.messages
                for part in parts:
                    yield part
                    watcher.sent_at = time.monotonic()
                    # What follows a replaced store must not complete an update of the former one.
                    self._check_generation(generation)
                watcher.revision = update.revision
                if update.alert_id is not None:
                    watcher.alert_id = update.alert_id
                # A watcher that waits must not keep a snapshot in memory.
                del update, parts
                yield last
                watcher.sent_at = time.monotonic()
        finally:
            self._watchers.discard(watcher)
            if not self._watchers:
                # The next watcher begins with the revision of its time.
                self._reset(None)

    async def _start(self) -> None:
        """Begin with the current revision, if this is the first watcher."""
        if self._task is None:
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(self._run())
            self._listener = self._store.revision_listener(self.notify)
        async with self._advancing:
            if self._store_id is None:
                state = await self._in_update_thread(lambda: reader.read_state(self._store))
                await self._alerts.look(in_any_case=True)
                self._reset(state)

    def _reset(self, state: State | None) -> None:
        """Begin with a state of the store; None to end without watchers."""
        self._store_id = None if state is None else state.store_id
        self._ring = Ring(0 if state is None else state.last_revision, self._ring_bytes)
        self._snapshot = self._catch_up = self._bookmark = None
        self._read_at = self._looked_at = time.monotonic()

    async def _verify(self, token: ResumeToken) -> None:
        """Check a token. One of another server may be of a later revision than this one has seen."""
        if token.revision > self._ring.revision and await self._advance(in_any_case=True):
            # Without a turn of the loop in between, because this watcher may go.
            for watcher in self._watchers:
                _wake(watcher)
        if self._store_id is None:
            raise resume_token.store_changed()
        token.verify(self._store, State(self._store_id, self._ring.revision, has_had_token=False))

    def _check_generation(self, generation: int) -> None:
        if generation != self._generation:
            raise resume_token.store_changed()

    def _ready(self, watcher: _Watcher) -> Update | None:
        """Return the next update of a watcher, if it is in memory."""
        if not self._ring.covers(watcher.revision):
            return None
        if watcher.alert_id < self._alerts.last:
            return self._alerts.cached(self._store_id, watcher.revision, watcher.alert_id)
        if (update := self._ring.after(watcher.revision)) is not None:
            return update
        return self._shared_bookmark(watcher.revision) if self._is_due(watcher) else None

    async def _next(self, watcher: _Watcher) -> Update | None:
        """Read the next update of a watcher from the store, or wait for it and return None."""
        if watcher.revision == reader.NOTHING:
            return await self._shared_snapshot()
        if watcher.alert_id < self._alerts.last and self._store_id is not None:
            update = await self._alerts.read(self._store_id, watcher.revision, watcher.alert_id)
            # None once they have outlived their retention.
            watcher.alert_id = self._alerts.last if update is None else watcher.alert_id
            return update
        if not self._ring.covers(watcher.revision):
            return await self._shared_catch_up(watcher.revision)
        watcher.wake = asyncio.get_running_loop().create_future()
        try:
            await watcher.wake
        finally:
            watcher.wake = None
        return None

    async def _shared_snapshot(self) -> Update:
        async with self._reading:
            found = self._snapshot
            # An earlier one will do, if what follows it is less than a new one.
            if found is None or not self._ring.covers(found.revision) or self._ring.size_after(found.revision) > found.size:
                self._snapshot = found = None
                found = self._snapshot = await self._read_outside(reader.NOTHING)
                self._snapshots += 1
            self._snapshot_at = time.monotonic()
            return found

    async def _shared_catch_up(self, revision: int) -> Update:
        async with self._reading:
            found = self._catch_up
            # After an interruption many watchers are at the same revision.
            if found is None or found.since != revision or not self._ring.covers(found.revision):
                self._catch_up = found = None
                found = self._catch_up = await self._read_outside(revision)
                self._catch_ups += 1
            self._snapshot_at = time.monotonic()
            return found

    async def _read_outside(self, since: int) -> Update:
        if self._outside_bytes > self._shared_bytes:
            raise GatewayError(
                Code.RESOURCE_EXHAUSTED,
                "watchers that read slowly keep too many updates in memory; try again later",
                reason="TOO_MANY_UPDATES",
            )
        store_id, alert_id = self._store_id, self._alerts.last

        def read() -> Update | None:
            return reader.read_update(self._store, store_id, since, alert_id)

        update = await _run_in(self._other_thread, read)
        if update is None:
            # The ring is ahead of the watcher, and so was the store.
            raise resume_token.store_changed()
        self._outside_bytes += update.size
        weakref.finalize(update, self._count_dropped, update.size).atexit = False
        return update

    def _count_dropped(self, size: int) -> None:
        self._outside_bytes -= size

    def _shared_bookmark(self, revision: int) -> Update:
        """Return an update without resources."""
        if self._bookmark is None or self._bookmark.revision != revision:
            assert self._store_id is not None  # noqa: S101 - there are watchers.
            encoder = UpdateEncoder(self._store_id, revision, revision)
            token = resume_token.create(self._store, self._store_id, revision, self._alerts.last)
            self._bookmark = encoder.finish(token)
        return self._bookmark

    def _is_due(self, watcher: _Watcher) -> bool:
        """Return whether a watcher gets a bookmark, which says that the store has been looked at since its last message."""
        return self._looked_at > watcher.sent_at and time.monotonic() - watcher.sent_at >= self._bookmark_s

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._wake.wait()
            # Before the look, so that a commit after it wakes again.
            self._wake.clear()
            self._notified = False
            if not self._watchers:
                continue
            began = time.monotonic()
            try:
                is_new = await self._advance()
                if await self._alerts.look():
                    is_new, self._bookmark = True, None
                self._is_failing = False
            except Exception as error:
                self._log_failure(error)
                is_new = False
            now = time.monotonic()
            if is_new:
                await self._wake_watchers()
                await self._leave_time(now)
            elif now - self._snapshot_at >= _SNAPSHOT_TTL_S:
                self._snapshot = self._catch_up = None
            for watcher in self._watchers:
                if self._is_due(watcher):
                    _wake(watcher)
            if self._is_failing:
                await asyncio.sleep(max(0.0, began + _POLL_S - now))

    async def _leave_time(self, published_at: float) -> None:
        # The first turn of the loop resumes the last watchers, and the second sends.
        for _ in range(2):
            await asyncio.sleep(0)
        await asyncio.sleep(min(_PAUSE_FACTOR * (time.monotonic() - published_at), _MAX_PAUSE_S))

    def _log_failure(self, error: Exception) -> None:
        if self._is_failing:
            return
        self._is_failing = True
        if isinstance(error, GatewayError):
            _log.warning("the watch stream cannot read the store: %s", error.message)
        else:
            _log.error("the watch stream cannot read the store", exc_info=error)

    async def _advance(self, *, in_any_case: bool = False) -> bool:
        """Read what was written since the last update, if anything was; return whether there is something for watchers."""
        async with self._advancing:
            began = time.monotonic()
            if self._store_id is None or not (in_any_case or await self._may_have_changed()):
                self._looked_at = began
                return False
            store_id, since, alert_id = self._store_id, self._ring.revision, self._alerts.last
            try:
                update = await self._in_update_thread(lambda: reader.read_update(self._store, store_id, since, alert_id))
            except GatewayError as error:
                if error.code != Code.OUT_OF_RANGE:
                    raise
                await self._begin_again(store_id)
                return True
            self._read_at = self._looked_at = began
            # The last watcher may have gone meanwhile.
            if update is None or self._is_idle():
                return False
            self._ring.append(update)
            self._updates += 1
            return True

    def _is_idle(self) -> bool:
        return self._store_id is None

    async def _begin_again(self, store_id: str) -> None:
        """Go on where the ring cannot: in a store that was replaced or set back, or after a gap in its change log."""
        state = await self._in_update_thread(lambda: reader.read_state(self._store))
        await self._alerts.look(in_any_case=True)
        if self._store_id is None:
            return
        if state.store_id != store_id or state.last_revision < self._ring.revision:
            self._generation += 1
        # Watchers before a gap read the store themselves, and learn of it there.
        self._reset(state)

    async def _may_have_changed(self) -> bool:
        if time.monotonic() - self._read_at >= _STATE_S:
            return True
        revision = self._store.revision()
        if revision is None and self._probe is not None and (query := self._probe()) is not None:
            revision = await query
        return revision is None or revision != self._ring.revision

    async def _wake_watchers(self) -> None:
        """Wake all watchers, few in each turn of the loop, so that calls do not wait for all of them."""
        for number, watcher in enumerate(tuple(self._watchers), 1):
            _wake(watcher)
            if number % _WOKEN_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _in_update_thread(self, read: Callable[[], T]) -> T:
        return await _run_in(self._update_thread, read)

    def _observe(self, kind: str, _waited: float, _took: float) -> None:
        if kind == "write":
            self.notify()


async def _run_in(thread: ThreadPoolExecutor, read: Callable[[], T]) -> T:
    # Not as the result of the future: that of the loop and that of the thread refer to each other, and would keep a snapshot
    # in memory until the garbage collector runs.
    results: list[T] = []
    await asyncio.get_running_loop().run_in_executor(thread, lambda: results.append(read()))
    return results.pop()


def _wake(watcher: _Watcher) -> None:
    if watcher.wake is not None and not watcher.wake.done():
        watcher.wake.set_result(None)
