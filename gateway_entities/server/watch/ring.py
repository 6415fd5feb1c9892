"""The recent updates, shared by all watchers."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from gateway_entities.server.watch.update import Update

_OVERHEAD: Final = 512
"""Bytes that an update takes besides its messages."""


class Ring:
    """Consecutive updates, the oldest of which are dropped beyond a number of bytes. The last one always stays.

    Attributes:
        revision: the revision after the last update.
        bytes: the size of its updates.
    """

    __slots__ = ("_max_bytes", "_revisions", "_start", "_updates", "bytes", "revision")

    def __init__(self, revision: int, max_bytes: int) -> None:
        """Create an empty ring.

        Args:
            revision: the current revision.
            max_bytes: maximum bytes.
        """
        self.revision = self._start = revision
        self.bytes = 0
        self._max_bytes = max_bytes
        self._updates: list[Update] = []
        self._revisions: list[int] = []

    def append(self, update: Update) -> None:
        """Append the update that follows the last one."""
        assert update.since == self.revision < update.revision  # noqa: S101 - only the feed appends.
        self._updates.append(update)
        self._revisions.append(update.revision)
        self.revision = update.revision
        self.bytes += update.size + _OVERHEAD
        dropped = 0
        while self.bytes > self._max_bytes and dropped < len(self._updates) - 1:
            self.bytes -= self._updates[dropped].size + _OVERHEAD
            self._start = self._updates[dropped].revision
            dropped += 1
        del self._updates[:dropped], self._revisions[:dropped]

    def covers(self, revision: int) -> bool:
        """Return whether the ring has all that was written after a revision."""
        return revision >= self._start

    def after(self, revision: int) -> Update | None:
        """Return the first update for a watcher at a covered revision; None if there is none yet.

        It starts at that revision or, if the watcher read the store itself, before it: it has states, not differences.
        """
        place = bisect_right(self._revisions, revision)
        return self._updates[place] if place < len(self._updates) else None

    def size_after(self, revision: int) -> int:
        """Return the bytes of the updates after a covered revision."""
        return sum(update.size for update in self._updates[bisect_right(self._revisions, revision) :])
