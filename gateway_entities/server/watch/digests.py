"""The digests of the recent revisions, as a watcher of the stream has them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from typing import Final

from gateway_entities.entities.digest import digest_of
from gateway_entities.errors import GatewayError
from gatewayentities.v1 import change_pb2 as pb

MAX_DIGESTS: Final = 1024
"""Revisions whose digests are known, at most."""
_KEPT_S: Final = 60.0
"""Seconds for which the stream is followed after the last call that needs it."""
_PAUSE_S: Final = 0.5
"""Seconds from an error of the stream to the next one."""
_FEW: Final = 200
"""Resources whose digest the event loop computes itself."""

_log = logging.getLogger(__name__)


class Digests:
    """Follows the watch stream of this server while nodes acknowledge.

    Create and close it on the event loop; the other methods are thread-safe.
    """

    def __init__(self, watch: Callable[[str], AsyncGenerator[bytes]], notify: Callable[[], None]) -> None:
        """Create it.

        Args:
            watch: returns the stream after a resume token.
            notify: called when another digest is known.
        """
        self._watch = watch
        self._notify = notify
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._needed_at = 0.0
        self._is_closed = False
        self._etags: dict[tuple[str, str], str] = {}
        self._pending: dict[tuple[str, str], str | None] = {}
        # Replaced as a whole, so that a reader never takes a digest for that of another store.
        self._known: tuple[str | None, OrderedDict[int, str]] = (None, OrderedDict())

    def need(self) -> None:
        """Follow the stream for the next minute."""
        self._needed_at = time.monotonic()
        if self._task is None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._start)

    def get(self, store_id: str, revision: int) -> str | None:
        """Return the digest of a revision; None if it is not known (yet, or any more)."""
        known_id, digests = self._known
        return digests.get(revision) if known_id == store_id else None

    def has_had(self, store_id: str, revision: int) -> bool:
        """Return whether the store is known to have this id, and to have been at this revision."""
        known_id, digests = self._known
        try:
            return known_id == store_id and bool(digests) and revision <= next(reversed(digests))
        except RuntimeError:
            # It has just changed.
            return False

    async def close(self) -> None:
        """End."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    def _start(self) -> None:
        if self._task is None and not self._is_closed:
            self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._is_needed():
                try:
                    await self._follow()
                except GatewayError as error:
                    _log.debug("the digests start again: %s", error.message)
                except Exception:
                    _log.exception("the digests start again")
                self._known = (None, OrderedDict())
                if self._is_needed():
                    await asyncio.sleep(_PAUSE_S)
        finally:
            self._etags, self._pending, self._task = {}, {}, None

    def _is_needed(self) -> bool:
        return time.monotonic() - self._needed_at < _KEPT_S

    async def _follow(self) -> None:
        self._etags, self._pending = {}, {}
        async with contextlib.aclosing(self._watch("")) as stream:
            async for message in stream:
                await self._apply(pb.WatchGatewayResponse.FromString(message))
                if not self._is_needed():
                    return

    async def _apply(self, part: pb.WatchGatewayResponse) -> None:
        for resource in part.resources:
            self._pending[resource.noun, resource.id] = resource.content_etag
        for removed in part.removed:
            self._pending[removed.noun, removed.id] = None
        if part.is_partial:
            return
        pending, self._pending = self._pending, {}
        if part.is_snapshot:
            self._etags = {}
        for key, etag in pending.items():
            if etag is None:
                self._etags.pop(key, None)
            else:
                self._etags[key] = etag
        known_id, digests = self._known
        if known_id == part.store_id and part.revision in digests and not pending:
            return
        lines = [(*key, etag) for key, etag in self._etags.items()]
        digest = digest_of(lines) if len(lines) <= _FEW else await asyncio.to_thread(digest_of, lines)
        if known_id != part.store_id:
            digests = OrderedDict[int, str]()
        digests[part.revision] = digest
        while len(digests) > MAX_DIGESTS:
            digests.popitem(last=False)
        self._known = (part.store_id, digests)
        self._notify()
