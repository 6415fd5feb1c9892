from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gateway_entities.entities import GatewayEndpointTag
from gateway_entities.errors import Code, GatewayError


def test_an_exception_rolls_back(store, make):
    def write():
        with store.write() as transaction:
            transaction.secrets.add(make.secret(), {"k": "v"})
            transaction.endpoints.add(make.endpoint(tags=[GatewayEndpointTag("k", "v")]))
            raise KeyError

    with pytest.raises(KeyError):
        write()
    with store.read() as transaction:
        assert transaction.secrets.list() == []
        assert transaction.endpoints.list() == []


def test_a_failed_statement_rolls_back(store, make):
    def write():
        with store.write() as transaction:
            transaction.endpoints.add(make.endpoint(1))
            transaction.endpoints.add(make.endpoint(1))

    with pytest.raises(GatewayError):
        write()
    with store.read() as transaction:
        assert transaction.endpoints.list() == []


def test_a_read_sees_one_committed_snapshot(store, make):
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint(1))
    with store.read() as reader:
        assert len(reader.endpoints.list()) == 1
        with store.write() as writer:
            writer.endpoints.add(make.endpoint(2))
            assert len(writer.endpoints.list()) == 2
            with store.read() as other:
                assert len(other.endpoints.list()) == 1
        assert reader.endpoints.get("e-0002") is None
        assert len(reader.endpoints.list()) == 1
    with store.read() as reader:
        assert len(reader.endpoints.list()) == 2


def test_a_read_cannot_write(store, make):
    with pytest.raises(GatewayError) as caught, store.read() as transaction:
        transaction.endpoints.add(make.endpoint())
    assert caught.value.code is Code.UNAVAILABLE
    with store.read() as transaction:
        assert transaction.endpoints.list() == []


def test_concurrent_writers_lose_no_update(store, make):
    """Threads increment a counter, by a read and a write in one transaction, while others read it."""
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint(experiment_id="0"))

    def count_up(_):
        for _ in range(10):
            with store.write() as transaction:
                endpoint = transaction.endpoints.get("e-0001")
                transaction.endpoints.update(replace(endpoint, experiment_id=str(int(endpoint.experiment_id) + 1)))

    def look(_):
        for _ in range(30):
            with store.read() as transaction:
                first = transaction.endpoints.get("e-0001").experiment_id
                assert transaction.endpoints.list()[0].experiment_id == first

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(work, n) for n in range(8) for work in (count_up, look)]:
            done.result()
    with store.read() as transaction:
        assert transaction.endpoints.get("e-0001").experiment_id == "80"


def test_two_stores_on_one_database_lose_no_update(store, place, make):
    other = place.open(busy_timeout=20)
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint(experiment_id="0"))

    def count_up(which):
        for _ in range(20):
            with which.write() as transaction:
                endpoint = transaction.endpoints.get("e-0001")
                transaction.endpoints.update(replace(endpoint, experiment_id=str(int(endpoint.experiment_id) + 1)))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(count_up, which) for which in (store, other, store, other)]:
            done.result()
    with other.read() as transaction:
        assert transaction.endpoints.get("e-0001").experiment_id == "80"
    other.close()


@pytest.fixture
def locked(place):
    """A store with a short busy timeout whose write lock is held by another."""
    store, other = place.open(busy_timeout=0.05), place.open()
    with other.write():
        yield store
    other.close()
    store.close()


def test_a_lock_held_beyond_the_busy_timeout_is_unavailable(locked, make):
    with pytest.raises(GatewayError) as caught, locked.write() as transaction:
        transaction.endpoints.add(make.endpoint())
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "STORE_BUSY")
    assert "BEGIN" not in caught.value.message
    with locked.read() as transaction:
        assert transaction.endpoints.list() == [], "reads are not blocked"
    locked.ping()


def test_the_store_recovers_from_a_lock(place, make):
    store, other = place.open(busy_timeout=0.05), place.open()
    with other.write(), pytest.raises(GatewayError), store.write():
        pass
    other.close()
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint())
    store.close()


def test_a_second_writer_in_one_process_waits_for_the_busy_timeout(place):
    store = place.open(busy_timeout=0.05)
    with store.write(), pytest.raises(GatewayError) as caught, store.write():
        pass
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "STORE_BUSY")
    store.close()


def test_a_full_disk_is_unavailable_and_rolls_back(sqlite_store, make):
    store = sqlite_store
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint(1))
    # With this limit SQLite reports the same error as for a full disk.
    with store._database.writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(GatewayError) as caught, store.write() as transaction:
        transaction.endpoints.add(make.endpoint(2, tags=[GatewayEndpointTag("k", "v" * 100_000)]))
    assert (caught.value.code, caught.value.message) == (Code.UNAVAILABLE, "The store's disk is full")
    with store.read() as transaction:
        assert transaction.endpoints.list() == [make.endpoint(1)]


def test_ping_fails_if_the_file_is_missing(sqlite_store, path):
    sqlite_store.ping()
    path.rename(path.with_suffix(".moved"))
    with pytest.raises(GatewayError) as caught:
        sqlite_store.ping()
    assert caught.value.code is Code.UNAVAILABLE
    path.with_suffix(".moved").rename(path)


def test_a_closed_store_is_unavailable(place):
    store = place.open()
    store.close()
    store.close()
    for attempt in (store.read().__enter__, store.write().__enter__, store.ping):
        with pytest.raises(GatewayError) as caught:
            attempt()
        assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "STORE_CLOSED")


def test_close_waits_for_open_transactions(place, make):
    store = place.open()
    entered, go_on = threading.Event(), threading.Event()

    def write():
        with store.write() as transaction:
            entered.set()
            go_on.wait(10)
            transaction.endpoints.add(make.endpoint())

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(write)
        entered.wait(10)
        closing = pool.submit(store.close)
        time.sleep(0.05)
        assert not closing.done()
        go_on.set()
        writing.result()
        closing.result()
    if place.path is not None:
        assert not place.path.with_name(place.path.name + "-wal").exists()
    again = place.open()
    with again.read() as transaction:
        assert transaction.endpoints.list() == [make.endpoint()]
    again.close()


def test_pragmas_of_all_sqlite_connections(sqlite_store):
    def pragmas(engine):
        with engine.connect() as connection:
            # The journal mode is a property of the file.
            connection.exec_driver_sql("SELECT * FROM secrets").all()
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only", "secure_delete")
            return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert pragmas(sqlite_store._database.writer) == ["wal", 2, 1, 5000, 0, 1]
    assert pragmas(sqlite_store._database.reader)[:5] == ["wal", 2, 1, 5000, 1]


def test_repr_contains_the_location_only(store, place):
    if place.path is not None:
        assert repr(store) == f"<Store {place.path}>"
    else:
        name = place.url.rpartition("/")[2]
        assert repr(store) == f"<Store postgresql://127.0.0.1:{place.server.port}/{name}>"
