"""A cached response is the one that the service would return now."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateway_entities import GatewayClient, GatewayEndpointModelConfig, GatewayError, GatewayModelLinkageType
from gateway_entities.methods import GET_GATEWAY_ENDPOINT, METHODS
from gateway_entities.server.rpc import auth, response_cache
from gateway_entities.server.rpc.auth import Credentials, Principal
from gateway_entities.server.rpc.response_cache import ResponseCache
from gateway_entities.server.server import Server
from gateway_entities.server.service import GatewayService
from gateway_entities.server.store import Store
from gatewayentities.v1.endpoint_pb2 import (
    GetGatewayEndpointRequest,
    GetGatewayEndpointResponse,
    SetGatewayEndpointTagRequest,
)
from tests import profiles
from tests.server.raw import http_failure, post_json, post_proto
from tests.stores import Place, serving

NOBODY = Credentials()
MODEL = GatewayModelLinkageType.PRIMARY
READERS, WRITES = profiles.whole(8, 4), profiles.whole(100, 25)


@pytest.fixture
def with_tables() -> bool:
    return True


@pytest.fixture
def running(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    # Otherwise some reads go to the store for the tokens.
    monkeypatch.setattr(auth, "TOKEN_CACHE_TTL_S", 1000.0)
    with serving(place) as running:
        yield running


@pytest.fixture(params=["grpc", "http"])
def client(request: Any, running: Server) -> Iterator[GatewayClient]:
    with GatewayClient(getattr(running, f"{request.param}_target"), timeout=30) as client:
        yield client


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the handlers that were called."""
    called: list[str] = []
    for name in [method.handler for method in METHODS]:
        original = getattr(GatewayService, name)

        def handler(self: Any, request: Any, original: Any = original, name: str = name) -> Any:
            called.append(name)
            return original(self, request)

        monkeypatch.setattr(GatewayService, name, handler)
    return called


def endpoint(client: GatewayClient) -> Any:
    secret = client.create_secret("k", {"api_key": "sk-0123456789"})
    model = client.create_model_definition("m", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
    return client.create_endpoint("e", [GatewayEndpointModelConfig(model.model_definition_id, MODEL)])


def until_cached(read: Callable[[], Any], count: list[str]) -> Any:
    """Read until no handler is called; return the result."""
    deadline = time.monotonic() + 30
    while True:
        before = len(count)
        found = read()
        if len(count) == before:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_repeated_read_comes_from_the_cache(client: GatewayClient, count: list[str]) -> None:
    made = endpoint(client)
    assert until_cached(lambda: client.get_endpoint(name="e"), count) == made
    count.clear()
    assert client.list_endpoints() == client.list_endpoints() == [made]
    assert [client.get_endpoint(name="e") for _ in range(20)] == [made] * 20
    assert count == ["list_gateway_endpoints"]


def test_every_change_is_visible_to_the_next_read(client: GatewayClient, running: Server) -> None:
    made = endpoint(client)
    with GatewayClient(running.http_target) as other:
        for number in range(20):
            other.set_endpoint_tag(made.endpoint_id, "n", str(number))
            assert client.get_endpoint(name="e").tags[0].value == str(number)
            assert client.list_endpoints()[0].tags[0].value == str(number)
        other.delete_endpoint(made.endpoint_id)
        with pytest.raises(GatewayError, match="not found"):
            client.get_endpoint(name="e")
        assert client.list_endpoints() == []


def tag(store: Store, made: Any, value: str) -> None:
    request = SetGatewayEndpointTagRequest(endpoint_id=made.endpoint_id, key="k", value=value)
    GatewayService(store).set_gateway_endpoint_tag(request)


def test_a_change_by_another_process_is_visible_to_the_next_read(
    client: GatewayClient, place: Place, count: list[str]
) -> None:
    """Another server on the same store, as far as this one can tell: another store, with connections of its own."""
    made = endpoint(client)
    assert until_cached(lambda: client.get_endpoint(name="e").tags, count) == []
    other = place.open()
    try:
        for number in range(20):
            tag(other, made, str(number))
            assert client.get_endpoint(name="e").tags[0].value == str(number)
            assert client.get_endpoint(name="e").tags[0].value == str(number)
    finally:
        other.close()
    count.clear()
    client.get_endpoint(name="e")
    assert count == [], "it was in the cache"


def test_a_read_is_never_older_than_an_acknowledged_write(
    client: GatewayClient, place: Place, running: Server, count: list[str]
) -> None:
    """One thread changes a number over another store; others read it concurrently, some of them the same response."""
    made = endpoint(client)
    other = place.open()
    tag(other, made, "0")
    until_cached(lambda: client.get_endpoint(name="e"), count)
    count.clear()
    acknowledged, over = 0, threading.Event()

    def read(target: str) -> int:
        reads = 0
        with GatewayClient(target, timeout=30) as reader:
            while not over.is_set():
                least = acknowledged
                assert int(reader.get_endpoint(name="e").tags[0].value) >= least
                reads += 1
        return reads

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read, target) for target in (running.grpc_target, running.http_target) * (READERS // 2)]
        try:
            for number in range(1, WRITES + 1):
                tag(other, made, str(number))
                acknowledged = number
                time.sleep(0.01)
        finally:
            over.set()
        reads = sum(reader.result() for reader in readers)
    other.close()
    assert len(count) < reads + WRITES, "some came from the cache"


def test_without_its_database_it_is_unavailable_and_recovers(
    postgresql_place: Place, count: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "TOKEN_CACHE_TTL_S", 1000.0)
    database = postgresql_place.server
    with serving(postgresql_place) as running, GatewayClient(running.http_target, timeout=30) as client:
        made = endpoint(client)
        for end in (database.stop, database.kill):
            assert until_cached(lambda: client.get_endpoint(name="e"), count) == made
            end()
            try:
                for _ in range(2):
                    response = post_json(running.http_target, GET_GATEWAY_ENDPOINT, {"name": "e"})
                    assert http_failure(response).code == "unavailable"
                    response = post_proto(running.http_target, GET_GATEWAY_ENDPOINT, GetGatewayEndpointRequest(name="e"))
                    assert http_failure(response).code == "unavailable"
            finally:
                database.start()
            assert client.get_endpoint(name="e") == made
        assert until_cached(lambda: client.get_endpoint(name="e"), count) == made


def test_a_database_that_was_replaced_by_an_older_state_of_itself_is_read_again(
    postgresql_place: Place, count: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failover may lose the last changes, and later ones get the same revisions."""
    monkeypatch.setattr(auth, "TOKEN_CACHE_TTL_S", 1000.0)
    with serving(postgresql_place) as running, GatewayClient(running.http_target, timeout=30) as client:
        made = endpoint(client)
        client.set_endpoint_tag(made.endpoint_id, "k", "lost")
        for read in (lambda: client.get_endpoint(name="e"), client.list_endpoints):
            until_cached(read, count)
        postgresql_place.execute("UPDATE endpoint_tags SET value = 'new'")
        assert client.get_endpoint(name="e").tags[0].value == "lost", "only the revision shows a change"
        postgresql_place.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid != pg_backend_pid()"
        )
        deadline = time.monotonic() + 20
        # The connections that end may still respond once.
        while client.get_endpoint(name="e").tags[0].value != "new":
            assert time.monotonic() < deadline
        assert until_cached(lambda: client.get_endpoint(name="e"), count).tags[0].value == "new"
        assert client.list_endpoints()[0].tags[0].value == "new"


def test_spend_is_never_cached(client: GatewayClient, count: list[str]) -> None:
    client.list_budget_windows()
    client.list_budget_windows()
    assert count.count("list_gateway_budget_windows") == 2


def test_errors_are_not_cached(client: GatewayClient, count: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(GatewayError, match="not found"):
            client.get_endpoint(name="nope")
    assert count.count("get_gateway_endpoint") == 2


async def test_a_store_without_a_revision_clears_the_cache() -> None:
    revision: int | None = 1
    cache = ResponseCache(lambda: revision, lambda *_: Principal(None))
    put(cache, "a", 1)
    assert await look_up(cache, "a") is not None
    revision = None
    assert await look_up(cache, "a") is None
    revision = 1
    assert await look_up(cache, "a") is None
    put(cache, "a", 1)
    assert await look_up(cache, "a") is not None


async def test_the_response_is_the_one_of_the_revision() -> None:
    revision: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    cache = ResponseCache(lambda: None, lambda *_: Principal(None), probe=lambda: revision)
    put(cache, "a", 1)
    reading = [asyncio.create_task(look_up(cache, name)) for name in "ab"]
    await asyncio.sleep(0)
    put(cache, "a", 2)
    put(cache, "b", 2)
    revision.set_result(2)
    assert [await each for each in reading] == [(Principal(None), b"x" * 1000), None]


async def test_responses_of_former_revisions_are_not_kept() -> None:
    """Such as pages of a list that began before the last write."""
    revision = 2
    cache = ResponseCache(lambda: revision, lambda *_: Principal(None))
    put(cache, "a", 1)
    put(cache, "b", 2)
    assert list(cache._entries) == [key("b")]
    revision = 3
    assert await look_up(cache, "b") is None
    assert (list(cache._entries), cache._bytes) == ([], 0)


async def test_responses_of_former_revisions_are_not_kept_with_a_probe() -> None:
    revision: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    revision.set_result(2)
    cache = ResponseCache(lambda: None, lambda *_: Principal(None), probe=lambda: revision)
    put(cache, "a", 1)
    put(cache, "b", 3)
    assert await look_up(cache, "a") is None
    assert await look_up(cache, "b") is None, "it is newer than the look-up"
    put(cache, "c", 1)
    assert list(cache._entries) == [key("b")]


async def test_a_deadline_ends_the_wait_for_the_revision() -> None:
    asked: list[asyncio.Future[int | None]] = []

    def probe() -> asyncio.Future[int | None]:
        asked.append(asyncio.get_running_loop().create_future())
        return asked[-1]

    cache = ResponseCache(lambda: None, lambda *_: Principal(None), probe=probe)
    put(cache, "a", 1)
    assert await asyncio.wait_for(cache.revalidate(key("a"), GET_GATEWAY_ENDPOINT, NOBODY, 0.01), 20) is None
    reading = asyncio.create_task(look_up(cache, "a"))
    await asyncio.sleep(0)
    asked[1].set_result(1)
    assert await reading is not None, "it is still in the cache"


async def test_a_caller_who_cannot_be_authenticated_from_the_cache_gets_nothing() -> None:
    cache = ResponseCache(lambda: 1, lambda *_: None)
    put(cache, "a", 1)
    assert await look_up(cache, "a") is None


async def test_the_least_recently_used_response_is_evicted_first() -> None:
    cache = ResponseCache(lambda: 1, lambda *_: Principal("ann"), max_bytes=3 * 1600)
    for name in "abc":
        put(cache, name, 1)
    assert await look_up(cache, "a") == (Principal("ann"), b"x" * 1000)
    put(cache, "d", 1)
    assert [name for name in "abcd" if await look_up(cache, name)] == ["a", "c", "d"]


async def test_a_response_larger_than_the_cache_is_not_stored() -> None:
    cache = ResponseCache(lambda: 1, lambda *_: Principal(None), max_bytes=999)
    put(cache, "a", 1)
    assert await look_up(cache, "a") is None


def test_the_cacheable_methods_are_the_reads_of_configuration() -> None:
    assert {method.name for method in response_cache.CACHEABLE_METHODS} == {
        *("GetGatewaySecretInfo", "ListGatewaySecretInfos", "GetGatewayModelDefinition", "ListGatewayModelDefinitions"),
        *("GetGatewayEndpoint", "ListGatewayEndpoints", "ListGatewayEndpointBindings", "GetGatewayBudgetPolicy"),
        *("ListGatewayBudgetPolicies", "GetGatewayGuardrail", "ListGatewayGuardrails", "ListEndpointGuardrailConfigs"),
        *("ListGatewayChanges", "ExportGatewayConfiguration"),
    }


def test_a_read_does_not_wait_for_a_writer(client: GatewayClient, place: Place, count: list[str]) -> None:
    made = endpoint(client)
    until_cached(lambda: client.get_endpoint(name="e"), count)
    count.clear()
    other = place.open()
    try:
        with other.write() as transaction:
            transaction.endpoints.remove(made.endpoint_id)
            assert client.get_endpoint(name="e") == made
    finally:
        other.close()
    assert count == []


def key(name: str) -> response_cache.Key:
    return GET_GATEWAY_ENDPOINT.path, "proto", GetGatewayEndpointRequest(name=name).SerializeToString()


def put(cache: ResponseCache, name: str, revision: int) -> None:
    cache.put(key(name), GetGatewayEndpointResponse(revision=revision), b"x" * 1000)


async def look_up(cache: ResponseCache, name: str) -> Any:
    return await cache.revalidate(key(name), GET_GATEWAY_ENDPOINT, NOBODY)
