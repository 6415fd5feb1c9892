"""Concurrent processes on one store."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from gateway_entities.entities import GatewayEndpoint
from gateway_entities.errors import GatewayError
from gateway_entities.server.store import open_store
from tests import profiles
from tests.server.consistency.failing_server import PROCESSES

MANY = profiles.count(16, 6)


def test_exactly_one_process_creates_a_name(place):
    place.open().close()
    with PROCESSES.Manager() as manager:
        outcomes = in_processes(MANY, create, place, manager.Barrier(MANY))
    assert Counter(outcomes) == {"created": 1, "ALREADY_EXISTS Endpoint with name 'one' already exists": MANY - 1}
    store = place.open()
    with store.read() as transaction:
        assert len(transaction.endpoints.list()) == 1
    store.close()


def test_processes_may_open_a_new_store_concurrently(place):
    with PROCESSES.Manager() as manager:
        assert in_processes(4, count_up, place, manager.Barrier(4)) == ["counted"] * 4
    store = place.open()
    with store.read() as transaction:
        assert transaction.endpoints.get("e-1").experiment_id == "40"
    store.close()


def in_processes(many, work, place, together):
    # Processes forked from this one would share its connections.
    with ProcessPoolExecutor(many, mp_context=PROCESSES) as pool:
        started = [pool.submit(work, place.url, place.keys, together, number) for number in range(many)]
        return [each.result(timeout=300) for each in started]


def create(url, keys, together, number):
    store = open_store(url, keys=keys, busy_timeout=60)
    try:
        together.wait(timeout=120)
        with store.write() as transaction:
            transaction.endpoints.add(GatewayEndpoint(f"e-{number}", "one", 1, 1))
    except GatewayError as error:
        return f"{error.code.name} {error.message}"
    finally:
        store.close()
    return "created"


def count_up(url, keys, together, number):
    together.wait(timeout=120)
    store = open_store(url, keys=keys, busy_timeout=60)
    for _ in range(10):
        with store.write() as transaction:
            endpoint = transaction.endpoints.get("e-1")
            if endpoint is None:
                transaction.endpoints.add(GatewayEndpoint("e-1", "one", 1, 1, experiment_id="1"))
            else:
                transaction.endpoints.update(replace(endpoint, experiment_id=str(int(endpoint.experiment_id) + 1)))
    store.close()
    return "counted"
