"""The state of the store itself survives every clean-up."""

from __future__ import annotations

import re

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.change import Effect
from gateway_entities.server.store.repositories.token import AccessScope
from tests.stores import sqlite_place


def state(store):
    with store.read() as transaction:
        return transaction.state.get()


def change(store):
    with store.write() as transaction:
        return transaction.changes.add("Create", None, 1, [Effect("secret", "s-1", None, None, None)])


def test_a_new_store_has_a_random_id(place, store, tmp_path):
    first = state(store)
    assert re.fullmatch("[0-9a-f]{32}", first.store_id)
    assert first[1:] == (0, False)
    place.open().close()
    assert state(store) == first
    other = sqlite_place(tmp_path / "other.sqlite").open()
    assert state(other).store_id != first.store_id
    other.close()


def test_revisions_count_on_when_the_change_log_is_empty(place, store):
    assert [change(store) for _ in range(3)] == [1, 2, 3]
    place.execute("DELETE FROM changes")
    assert state(store).last_revision == 3
    if place.path is not None:
        assert store.revision() == 3
    with store.read() as transaction:
        assert transaction.changes.last() == 3
    assert change(store) == 4


def test_a_mutation_that_is_rolled_back_leaves_the_revision(store):
    change(store)
    with pytest.raises(GatewayError):
        change_with_a_duplicate(store)
    assert state(store).last_revision == 1
    assert change(store) == 2


def change_with_a_duplicate(store):
    effect = Effect("secret", "s-1", None, None, None)
    with store.write() as transaction:
        transaction.changes.add("Create", None, 1, [effect])
        transaction.state.set_revision(1)
        transaction.changes.add("Create", None, 1, [effect])


def test_a_store_has_had_a_token_from_the_first_one_on(place, store):
    with open_tokens(place.url) as manager:
        with pytest.raises(GatewayError):
            manager.create("", AccessScope.READ)
        assert not state(store).has_had_token
        manager.create("alice", AccessScope.READ)
        assert state(store).has_had_token
    place.execute("DELETE FROM tokens")
    assert state(store).has_had_token


def test_a_missing_row_is_data_loss(place, store):
    place.execute("DELETE FROM store_state")
    for attempt in (lambda: state(store), lambda: change(store), place.open):
        with pytest.raises(GatewayError) as caught:
            attempt()
        assert (caught.value.code, caught.value.reason) == (Code.DATA_LOSS, "STORE_DAMAGED")
    assert store.revision() is None
