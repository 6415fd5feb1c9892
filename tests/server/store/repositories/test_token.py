from __future__ import annotations

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.admin import token_manager
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.open import find_database
from gateway_entities.server.store.repositories.token import (
    GATEWAY,
    AccessScope,
    digest_of,
    id_of,
    is_text_of,
    new_text,
    scope_names,
    with_included,
)
from gateway_entities.server.store.sql import migrations


def test_list_is_ordered_and_contains_no_text(place):
    with open_tokens(place.url, create=True) as manager:
        made = [manager.create(f"name {number}", scope) for number, scope in enumerate(AccessScope)]
        assert sorted(manager.list()) == sorted(each.token for each in made)
        assert [each.created_at for each in manager.list()] == sorted(each.created_at for each in manager.list())
    for each in made:
        assert is_text_of(each.text, each.token)
        assert id_of(each.text) == each.token.token_id
        assert each.text not in repr(each) + repr(each.token)
    rows = place.execute("SELECT * FROM tokens")
    assert len(rows) == len(AccessScope)
    assert not any(each.text.rpartition("_")[2] in repr(row) for each in made for row in rows)


SCOPES = [
    (AccessScope.READ, AccessScope.READ, ("read",)),
    (AccessScope.WRITE, AccessScope.READ | AccessScope.WRITE, ("write",)),
    (AccessScope.ADMIN, AccessScope.READ | AccessScope.WRITE | AccessScope.ADMIN, ("admin",)),
    (AccessScope.RESOLVE, AccessScope.RESOLVE, ("resolve",)),
    (GATEWAY, GATEWAY, ("read", "resolve", "spend", "node")),
    (
        AccessScope.WRITE | AccessScope.RESOLVE,
        AccessScope.READ | AccessScope.WRITE | AccessScope.RESOLVE,
        ("write", "resolve"),
    ),
]


@pytest.mark.parametrize(("given", "own", "names"), SCOPES)
def test_a_token_has_the_scopes_that_its_scopes_include(place, given, own, names):
    assert with_included(given) == own
    assert scope_names(own) == scope_names(given) == names
    with open_tokens(place.url, create=True) as manager:
        manager.create("alice", given)
        (token,) = manager.list()
    assert (token.scope, token.endpoints) == (own, None)


def test_a_token_may_be_limited_to_endpoints(store, place):
    with open_tokens(place.url) as manager:
        made = manager.create("alice", GATEWAY, endpoints=["chat", "mail", "chat"]).token
        for wrong in ([], [""], ["x" * 256], [f"e{number}" for number in range(1001)]):
            with pytest.raises(GatewayError) as caught:
                manager.create("bob", GATEWAY, endpoints=wrong)
            assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "TOKEN_ENDPOINTS")
        with pytest.raises(GatewayError) as caught:
            manager.create("bob", AccessScope(0))
        assert caught.value.reason == "TOKEN_SCOPE"
    assert made.endpoints == {"chat", "mail"}
    with store.read() as transaction:
        assert transaction.tokens.get(made.token_id) == made


def test_the_first_token_closes_a_store_only_if_it_may(place):
    with open_tokens(place.url, create=True) as manager:
        with pytest.raises(GatewayError) as caught:
            manager.create("gw", GATEWAY, closes=False)
        assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "FIRST_TOKEN")
        assert manager.list() == []
        manager.create("boss", AccessScope.ADMIN, closes=False)
        manager.create("gw", GATEWAY, closes=False)


def test_an_open_store_sees_changes_of_the_manager(store, place):
    with open_tokens(place.url) as manager:
        made = manager.create("alice", AccessScope.WRITE, 1000)
        with store.read() as transaction:
            assert transaction.tokens.list() == [made.token]
            assert transaction.tokens.named("alice") == made.token
        revoked = manager.revoke("alice")
        with store.read() as transaction:
            assert transaction.tokens.named("alice") is None
            assert transaction.tokens.list() == [revoked]
    assert revoked.revoked_at is not None
    assert made.token.expires_at == made.token.created_at + 1000


def test_the_database_enforces_one_unrevoked_token_per_name(store, place):
    with open_tokens(place.url) as manager:
        token = manager.create("alice", AccessScope.READ).token
    with pytest.raises(GatewayError) as caught, store.write() as transaction:
        transaction.tokens.add(token._replace(token_id="0" * 16))
    assert caught.value.code is Code.ALREADY_EXISTS


def test_only_create_upgrades_an_older_store(place):
    database = find_database(place.url)
    database.prepare(create=True)
    with database.write() as connection:
        migrations.upgrade(connection, "0004")
    database.dispose()
    with pytest.raises(GatewayError) as caught, open_tokens(place.url):
        pass
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "STORE_SCHEMA")
    with open_tokens(place.url, create=True) as manager:
        assert manager.list() == []


def test_text_form():
    texts = {new_text() for _ in range(200)}
    assert len(texts) == 200
    text = texts.pop()
    assert len(text) == 4 + 16 + 1 + 43
    for wrong in (text[:-1], text + "a", text.upper(), f" {text}", text.replace("_", "-"), "", "gwe__"):
        assert id_of(wrong) is None
        assert digest_of(wrong) != digest_of(text)
    assert not is_text_of(text, None)


def test_ended_tokens_are_pruned_after_their_retention(store, place, monkeypatch):
    monkeypatch.setattr(token_manager, "_PRUNED_PER_PASS", 3)
    with open_tokens(place.url) as manager:
        kept = [manager.create("valid", AccessScope.READ, 10**9).token, manager.create("ever", AccessScope.READ).token]
        for number in range(8):
            manager.create(f"revoked {number}", AccessScope.READ)
            manager.revoke(f"revoked {number}")
        manager.create("expired", AccessScope.READ, 1)
        assert len(manager.list()) == 11
        assert manager.prune() == 0, "they ended a moment ago"
        retention = token_manager.RETENTION_MS + 1000
        place.execute("UPDATE tokens SET revoked_at = revoked_at - :ms", {"ms": retention})
        last = manager.create("another", AccessScope.READ).token
        assert len(manager.list()) == 12 - 3, "a creation prunes a bounded number"
        place.execute("UPDATE tokens SET expires_at = expires_at - :ms WHERE name = 'expired'", {"ms": retention})
        assert manager.prune() == 6
        assert manager.list() == [*kept, last]
        assert manager.prune(0) == 0
        for name in ("valid", "ever", "another"):
            manager.revoke(name)
        assert manager.prune(0) == 3
        assert manager.list() == []
    with store.read() as transaction:
        assert transaction.state.get().has_had_token
