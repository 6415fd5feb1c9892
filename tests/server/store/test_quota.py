"""A full store refuses writes, and goes on with reads, deletions and compaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.service import GatewayService
from gateway_entities.server.service.writes.compaction import Retention, compact
from gateway_entities.server.store import Store
from gatewayentities.v1 import secret_pb2 as pb
from tests.stores import Place

MAX_BYTES = 4 * 2**20


@pytest.fixture
def small(place: Place) -> Iterator[Store]:
    store = place.open(busy_timeout=5, max_bytes=MAX_BYTES)
    yield store
    store.close()


def request(number: int, **fields: Any) -> pb.CreateGatewaySecretRequest:
    value = {"api_key": "sk-0123456789" + "x" * 60_000}
    return pb.CreateGatewaySecretRequest(secret_name=f"k{number}", secret_value=value, **fields)


def fill(service: GatewayService) -> list[str]:
    """Create secrets until the store is full; return their ids."""
    ids: list[str] = []

    def create_all() -> None:
        for number in range(200):
            ids.append(service.create_gateway_secret(request(number, request_id=f"r{number}")).secret.secret_id)  # noqa: PERF401 - it ends with an error.

    with pytest.raises(GatewayError) as caught:
        create_all()
    assert (caught.value.code, caught.value.reason) == (Code.RESOURCE_EXHAUSTED, "STORE_FULL")
    return ids


def test_a_full_store_refuses_writes_and_answers_reads_deletions_and_repeats(small: Store) -> None:
    service = GatewayService(small)
    ids = fill(service)
    assert 3 * 2**20 < small.size().used_bytes < MAX_BYTES
    with pytest.raises(GatewayError) as caught:
        small.ensure_room(small.size())
    assert caught.value.reason == "STORE_FULL"
    assert len(service.list_gateway_secret_infos(pb.ListGatewaySecretInfosRequest()).secrets) == len(ids)
    assert service.create_gateway_secret(request(0, request_id="r0")).secret.secret_id == ids[0]
    service.delete_gateway_secret(pb.DeleteGatewaySecretRequest(secret_id=ids[0]))
    with small.write() as transaction:
        assert compact(transaction, Retention(0, 0), transaction.now) == 0


def test_a_full_store_accepts_writes_after_deletions(small: Store, place: Place) -> None:
    service = GatewayService(small)
    for secret_id in fill(service)[:20]:
        service.delete_gateway_secret(pb.DeleteGatewaySecretRequest(secret_id=secret_id))
    if place.path is None:
        small._database.vacuum()
    small.ensure_room(small.size())
    service.create_gateway_secret(request(999))


def test_the_reserve_has_an_end(place: Place) -> None:
    store = place.open(max_bytes=1)
    with store.write() as transaction, pytest.raises(GatewayError) as caught:
        transaction.require_room(from_reserve=True)
    assert caught.value.reason == "STORE_FULL"
    store.close()
