"""The ring of recent updates."""

from __future__ import annotations

from gateway_entities.server.watch.ring import Ring
from gateway_entities.server.watch.update import Update


def update(since: int, revision: int, size: int = 100) -> Update:
    return Update(since, revision, (bytes(size),))


def test_a_watcher_gets_the_first_update_after_its_revision() -> None:
    ring = Ring(3, 10_000)
    updates = [update(3, 4), update(4, 9), update(9, 10)]
    assert ring.after(3) is None
    for each in updates:
        ring.append(each)
    assert [ring.after(revision) for revision in (3, 4, 9, 10)] == [*updates, None]
    # One that has read the store itself may be between two.
    assert ring.after(6) is updates[1]
    assert ring.revision == 10
    assert not ring.covers(2)
    assert ring.covers(3)
    assert [ring.size_after(revision) for revision in (3, 6, 9, 10)] == [300, 200, 100, 0]


def test_the_oldest_updates_go_first_and_the_last_one_stays() -> None:
    ring = Ring(0, 2_000)
    for revision in range(10):
        ring.append(update(revision, revision + 1, 400))
    assert ring.bytes <= 2_000
    assert [revision for revision in range(11) if ring.covers(revision)] == [8, 9, 10]
    large = update(10, 11, 5_000)
    ring.append(large)
    assert ring.after(10) is large
    assert not ring.covers(9)
    ring.append(update(11, 12))
    assert not ring.covers(10)
    assert ring.bytes < 1_000
