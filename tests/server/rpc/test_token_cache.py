"""The cache of tokens: its cost is bounded by the tokens in use, whatever the store holds and callers make up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc import auth, token_cache
from gateway_entities.server.rpc.auth import ANONYMOUS, Authenticator, Credentials, Principal
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.store import Store
from gateway_entities.server.store.admin.token_manager import TokenManager, open_tokens
from gateway_entities.server.store.repositories.token import AccessScope, Token, new_text
from tests.stores import Place

READ = AccessScope.READ


class Clock:
    """A monotonic clock that a test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(token_cache, "time", clock)
    return clock


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    store = place.open(busy_timeout=5)
    yield store
    store.close()


@pytest.fixture
def manager(store: Store, place: Place) -> Iterator[TokenManager]:
    with open_tokens(place.url) as manager:
        yield manager


@pytest.fixture
def reads(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One item for each transaction that reads the store."""
    counted: list[None] = []
    read = store.read

    def count() -> Any:
        counted.append(None)
        return read()

    monkeypatch.setattr(store, "read", count)
    return counted


def bearer(text: str) -> Credentials:
    return Credentials((f"Bearer {text}",))


def error_of(attempt: Callable[..., object], *arguments: object) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        attempt(*arguments)
    return caught.value


def add_many(store: Store, count: int, **fields: Any) -> None:
    with store.write() as transaction:
        for number in range(count):
            token = Token(f"{number:016x}", f"name {number}", READ, bytes(32), 1, None, None)
            transaction.tokens.add(token._replace(**fields))
        transaction.state.record_token()


def test_a_token_is_looked_up_once_per_ttl(store, manager, reads, clock):
    text = manager.create("alice", READ).text
    authenticator = Authenticator(store, required=True)
    for _ in range(100):
        assert authenticator.authenticate(bearer(text), READ) == Principal("alice", scope=READ)
    assert len(reads) == 1
    assert authenticator.authenticate_from_cache(bearer(text), READ) == Principal("alice", scope=READ)
    clock.now += auth.TOKEN_CACHE_TTL_S
    assert authenticator.authenticate_from_cache(bearer(text), READ) is None
    assert authenticator.authenticate(bearer(text), READ) == Principal("alice", scope=READ)
    assert len(reads) == 2


def test_many_tokens_in_the_store_do_not_slow_a_look_up(store, manager, clock):
    add_many(store, 3000)
    text = manager.create("alice", READ).text
    authenticator = Authenticator(store, required=False)
    authenticator.authenticate(bearer(text), READ)
    with store.read() as transaction:
        started = time.perf_counter()
        transaction.tokens.list()
        whole = time.perf_counter() - started
    durations = []
    for _ in range(20):
        clock.now += auth.TOKEN_CACHE_TTL_S
        started = time.perf_counter()
        authenticator.authenticate(bearer(text), READ)
        durations.append(time.perf_counter() - started)
    assert min(durations) < whole / 2, "it reads one row"


def test_made_up_tokens_are_looked_up_at_a_bounded_rate(store, manager, reads, clock):
    text = manager.create("alice", READ).text
    authenticator = Authenticator(store, required=True, limits=Limits(token_lookups_per_s=50))
    assert authenticator.authenticate(bearer(text), READ) == Principal("alice", scope=READ)
    errors = [error_of(authenticator.authenticate, bearer(new_text()), READ) for _ in range(500)]
    assert len(reads) == 50
    assert {(error.code, error.reason) for error in errors[:49]} == {(Code.UNAUTHENTICATED, "TOKEN_INVALID")}
    assert {(error.code, error.reason) for error in errors[49:]} == {(Code.UNAVAILABLE, "TOKEN_LOOKUPS")}
    clock.now += auth.TOKEN_CACHE_TTL_S
    for _ in range(60):
        error_of(authenticator.authenticate, bearer(new_text()), READ)
    assert authenticator.authenticate(bearer(text), READ) == Principal("alice", scope=READ), (
        "a known token is looked up regardless"
    )
    clock.now += 1
    other = manager.create("bob", READ).text
    assert authenticator.authenticate(bearer(other), READ) == Principal("bob", scope=READ)


def test_a_repeated_made_up_token_costs_one_look_up(store, reads):
    authenticator = Authenticator(store, required=True)
    text = new_text()
    for _ in range(100):
        assert error_of(authenticator.authenticate, bearer(text), READ).reason == "TOKEN_INVALID"
    assert len(reads) == 1
    assert error_of(authenticator.authenticate_from_cache, bearer(text), READ).reason == "TOKEN_INVALID"


def test_the_cache_has_a_maximum_size(store, manager):
    texts = [manager.create(f"name {number}", READ).text for number in range(6)]
    authenticator = Authenticator(store, required=True, limits=Limits(cached_tokens=4))
    for text in (*texts, *texts):
        authenticator.authenticate(bearer(text), READ)
    for _ in range(token_cache._MAX_UNKNOWN + 10):
        authenticator._tokens._put(new_text(), token_cache.CachedToken(None, 0.0, 0))
    assert len(authenticator._tokens._known) == 4
    assert len(authenticator._tokens._unknown) == token_cache._MAX_UNKNOWN


def test_a_store_without_tokens_is_read_once_per_ttl(store, reads, clock):
    authenticator = Authenticator(store, required=False)
    for _ in range(100):
        assert authenticator.authenticate(bearer(new_text()), READ) == ANONYMOUS
    assert len(reads) == 1
    clock.now += auth.TOKEN_CACHE_TTL_S
    assert authenticator.authenticate_from_cache(bearer("x"), READ) is None
    authenticator.authenticate(bearer("x"), READ)
    assert len(reads) == 2


def test_a_store_stays_closed_when_all_its_tokens_are_deleted(store, place, manager):
    manager.create("alice", READ)
    place.execute("DELETE FROM tokens")
    authenticator = Authenticator(store, required=False)
    assert error_of(authenticator.authenticate, Credentials(), READ).reason == "TOKEN_MISSING"
    assert error_of(authenticator.authenticate_from_cache, Credentials(), READ).reason == "TOKEN_MISSING"


def test_known_tokens_are_accepted_offline_only_where_that_is_allowed(store, manager, clock):
    text = manager.create("alice", READ).text
    authenticator = Authenticator(store, required=False)
    assert authenticator.authenticate(bearer(text), READ) == Principal("alice", scope=READ)
    store.close()
    clock.now += auth.TOKEN_CACHE_TTL_S
    assert authenticator.authenticate(bearer(text), READ, offline=True) == Principal("alice", scope=READ)
    assert error_of(authenticator.authenticate, bearer(text), READ).code is Code.UNAVAILABLE
    with pytest.raises(GatewayError) as caught:
        authenticator.authenticate(bearer(new_text()), READ, offline=True)
    assert caught.value.code is Code.UNAVAILABLE
