"""A server compacts its store by itself, and gives space back."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway_entities.server.compactor import Compactor, compact_database
from gateway_entities.server.service.writes.compaction import Retention
from gateway_entities.server.store import Store
from gateway_entities.server.store.open import find_database, open_database
from gateway_entities.server.store.repositories.change import Effect
from tests.stores import Place, sqlite_place

DAY_MS = 24 * 60 * 60 * 1000
SHORT = Retention(0, 0)


def fill(store: Store, *, changes: int = 60) -> None:
    """Append old mutations of a megabyte each, some 20 MB in all, and a new one."""
    with store.write() as transaction:
        old = transaction.now - 2 * DAY_MS
        for number in range(changes):
            effects = [Effect("secret", f"s-{number}-{each}", "0" * 32, None, os.urandom(4000)) for each in range(100)]
            transaction.changes.add("DeleteGatewaySecret", None, old, effects)
        transaction.changes.add("DeleteGatewaySecret", None, transaction.now, [Effect("secret", "s", "0" * 32, None, b"x")])


def eventually(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_server_compacts_at_intervals_and_other_writers_get_through(place: Place) -> None:
    store = place.open()
    fill(store)
    compactor = Compactor(store, SHORT, interval=0.01)
    compactor.start()

    def is_compacted() -> bool:
        with store.write() as transaction:
            return transaction.changes.oldest() == transaction.changes.last()

    eventually(is_compacted)
    if place.path is not None:
        eventually(lambda: store.size().free_bytes <= 5 * 2**20)
    compactor.close()
    store.close()


def test_an_error_does_not_end_the_compactor(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    store = place.open()
    store.close()
    compactor = Compactor(store, SHORT, interval=0.01)
    compactor.start()
    eventually(lambda: len(caplog.records) > 1)
    compactor.close()
    assert "the store was not compacted: The store is closed" in caplog.text


@pytest.mark.parametrize("vacuum", [False, True], ids=["plain", "vacuum"])
def test_a_compacted_store_is_small_again(place: Place, *, vacuum: bool) -> None:
    store = place.open()
    fill(store)
    store.close()
    database = find_database(place.url)
    open_database(database, create=False)
    done = compact_database(database, SHORT, vacuum=vacuum)
    database.dispose()
    assert (done.oldest, done.revision) == (61, 61)
    assert done.before.used_bytes > 20 * 2**20
    if vacuum or place.path is not None:
        assert done.after.used_bytes + done.after.free_bytes < 2**20
    if place.path is not None:
        assert place.path.stat().st_size < 2**20


def test_a_file_of_an_older_release_gives_space_back_once_it_was_vacuumed(tmp_path: Any) -> None:
    place = sqlite_place(tmp_path / "old.sqlite", with_tables=True)
    with sqlite3.connect(place.path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.isolation_level = None
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
    connection.close()
    for vacuum, is_small in ((False, False), (True, True), (False, True)):
        store = place.open()
        fill(store)
        store.close()
        database = find_database(place.url)
        open_database(database, create=False)
        after = compact_database(database, SHORT, vacuum=vacuum).after
        database.dispose()
        assert (after.free_bytes < 2**20) is is_small
