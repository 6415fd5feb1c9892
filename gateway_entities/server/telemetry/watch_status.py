"""What metrics show of the watch stream."""

from __future__ import annotations

from typing import NamedTuple


class WatchStatus(NamedTuple):
    """The state of the watch stream of one server.

    Attributes:
        watchers: the number of watchers.
        revision: the revision of the feed; None without watchers.
        lag: the number of changes that the slowest watcher is behind the feed.
        ring_bytes: bytes of the recent updates.
        outside_bytes: bytes of the snapshots and other updates outside the ring that watchers are reading.
        updates: updates that were added to the ring.
        catch_ups: updates that were read for watchers behind the ring.
        snapshots: snapshots that were read.
    """

    watchers: int
    revision: int | None
    lag: int
    ring_bytes: int
    outside_bytes: int
    updates: int
    catch_ups: int
    snapshots: int
