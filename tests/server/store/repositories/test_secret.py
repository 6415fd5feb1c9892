from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text, update

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql.schema import secrets
from tests.server.store.crypto.test_envelope import of_first_version

VALUE = {"zeta": "one", "alpha": "two", "": "\U0001f511"}


def test_round_trip_by_id_by_name_and_in_the_list(store, make):
    info = make.secret(
        provider="openai",
        masked_values={"zeta": "***", "alpha": "abc...wxyz"},
        auth_config={"region": "eu", "api_version": ""},
        created_by="ana",
        last_updated_by="bo",
    )
    with store.write() as transaction:
        transaction.secrets.add(info, VALUE)
    with store.read() as transaction:
        assert transaction.secrets.get(info.secret_id) == info
        assert transaction.secrets.find(info.secret_name) == info
        assert transaction.secrets.list() == [info]
        revealed = transaction.secrets.reveal(info.secret_id)
    assert revealed == VALUE
    assert list(revealed) == list(VALUE), "the order of the keys is preserved"


def test_an_empty_store(store):
    with store.read() as transaction:
        assert transaction.secrets.get("s-0001") is None
        assert transaction.secrets.find("secret 1") is None
        assert transaction.secrets.reveal("s-0001") is None
        assert transaction.secrets.list() == []


def test_names_are_case_and_space_sensitive(store, make):
    with store.write() as transaction:
        transaction.secrets.add(make.secret(1, secret_name="Key"), VALUE)
        transaction.secrets.add(make.secret(2, secret_name="key"), VALUE)
        transaction.secrets.add(make.secret(3, secret_name="key "), VALUE)
        assert transaction.secrets.find("key").secret_id == "s-0002"
        assert transaction.secrets.find("KEY") is None


@pytest.mark.parametrize("name", [None, ""])
def test_absent_and_empty_are_different(store, make, name):
    info = make.secret(provider=name, created_by=name, last_updated_by=name, auth_config={}, masked_values={})
    with store.write() as transaction:
        transaction.secrets.add(info, VALUE)
    with store.read() as transaction:
        assert transaction.secrets.get(info.secret_id) == info


def test_names_are_unique(store, make):
    with store.write() as transaction:
        transaction.secrets.add(make.secret(1, secret_name="k1"), VALUE)
    with pytest.raises(GatewayError) as caught, store.write() as transaction:
        transaction.secrets.add(make.secret(2, secret_name="k1"), VALUE)
    assert caught.value.code is Code.ALREADY_EXISTS
    assert caught.value.message == "Secret with name 'k1' already exists"
    assert caught.value.reason == "NAME_TAKEN"


def test_ids_are_unique(store, make):
    with store.write() as transaction:
        transaction.secrets.add(make.secret(1), VALUE)
    with pytest.raises(GatewayError) as caught, store.write() as transaction:
        transaction.secrets.add(make.secret(1, secret_name="other"), VALUE)
    assert (caught.value.code, caught.value.reason) == (Code.ALREADY_EXISTS, "ID_TAKEN")
    assert "secrets." not in caught.value.message


def test_update_without_a_value_leaves_it_unchanged(store, make):
    info = make.secret(created_by="ana")
    changed = replace(info, provider="azure", auth_config={"a": "b"}, last_updated_at=9000, last_updated_by="bo")
    with store.write() as transaction:
        transaction.secrets.add(info, VALUE)
        transaction.secrets.update(changed, None)
        assert transaction.secrets.get(info.secret_id) == changed
        assert transaction.secrets.reveal(info.secret_id) == VALUE


def test_update_with_a_value_uses_a_new_data_key(store, make, place):
    info = make.secret()
    with store.write() as transaction:
        transaction.secrets.add(info, VALUE)
    before = rows(place)
    with store.write() as transaction:
        transaction.secrets.update(replace(info, masked_values={"new": "***"}), {"new": "value"})
    after = rows(place)
    with store.read() as transaction:
        assert transaction.secrets.reveal(info.secret_id) == {"new": "value"}
        assert transaction.secrets.get(info.secret_id).masked_values == {"new": "***"}
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_update_leaves_name_and_creation_unchanged(store, make):
    info = make.secret(created_by="ana")
    with store.write() as transaction:
        transaction.secrets.add(info, VALUE)
        transaction.secrets.update(replace(info, created_by="eve", created_at=1), None)
        assert transaction.secrets.get(info.secret_id) == info
        with pytest.raises(GatewayError) as caught:
            transaction.secrets.update(replace(info, secret_name="other"), None)
    assert caught.value.code is Code.NOT_FOUND


def test_update_not_found(store, make):
    with pytest.raises(GatewayError) as caught, store.write() as transaction:
        transaction.secrets.update(make.secret(), None)
    assert caught.value.code is Code.NOT_FOUND
    assert caught.value.message == "GatewaySecret not found (secret_id='s-0001')"


def test_remove(store, make):
    with store.write() as transaction:
        transaction.secrets.add(make.secret(), VALUE)
        assert transaction.secrets.remove("s-0001")
        assert not transaction.secrets.remove("s-0001")
        assert transaction.secrets.get("s-0001") is None


def test_list(store, make):
    with store.write() as transaction:
        for number, provider, created_at in [(3, "b", 50), (1, None, 60), (2, "b", 50), (4, "", 40)]:
            transaction.secrets.add(make.secret(number, provider=provider, created_at=created_at), VALUE)
    with store.read() as transaction:
        listing = transaction.secrets.list
        assert ids(listing()) == ["s-0004", "s-0002", "s-0003", "s-0001"]
        assert ids(listing(provider="b")) == ["s-0002", "s-0003"]
        assert ids(listing(provider="")) == ["s-0004"]
        assert ids(listing(provider="none")) == []
        assert ids(listing(limit=2)) == ["s-0004", "s-0002"]
        assert ids(listing(limit=2, after=(50, "s-0002"))) == ["s-0003", "s-0001"]
        assert ids(listing(after=(60, "s-0001"))) == []
        assert ids(listing(provider="b", after=(50, "s-0002"), limit=5)) == ["s-0003"]
        assert ids(listing(limit=0)) == []


@pytest.mark.parametrize("swapped", ["ciphertext", "wrapped_key", "ciphertext, wrapped_key"])
def test_swapped_values_are_unreadable(store, make, place, swapped):
    with store.write() as transaction:
        transaction.secrets.add(make.secret(1), {"k": "first"})
        transaction.secrets.add(make.secret(2), {"k": "second"})
    with place.connected() as connection:
        connection.execute(text("CREATE TEMP TABLE before AS SELECT * FROM secrets"))
        of_the_other = f"(SELECT {swapped} FROM before WHERE before.secret_id != secrets.secret_id)"
        connection.execute(text(f"UPDATE secrets SET ({swapped}) = {of_the_other}"))
    for secret_id in ("s-0001", "s-0002"):
        unreadable(store, secret_id)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE secrets SET secret_name = 'renamed'",
        "UPDATE secrets SET ciphertext = substr(ciphertext, 1, length(ciphertext) - 1)",
        "UPDATE secrets SET ciphertext = substr(ciphertext, 1, 0)",
        "UPDATE secrets SET wrapped_key = substr(wrapped_key, 1, 1)",
    ],
)
def test_an_altered_value_is_unreadable(store, make, place, change):
    with store.write() as transaction:
        transaction.secrets.add(make.secret(), VALUE)
    place.execute(change)
    unreadable(store, "s-0001")


def test_a_missing_key_is_reported(store, make, place):
    with store.write() as transaction:
        transaction.secrets.add(make.secret(), VALUE)
    place.execute("UPDATE secrets SET key_id = '0000000000000000'")
    with pytest.raises(GatewayError) as caught, store.read() as transaction:
        transaction.secrets.reveal("s-0001")
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "KEY_MISSING")


def test_a_value_with_a_changed_id_is_unreadable(store, make, place):
    with store.write() as transaction:
        transaction.secrets.add(make.secret(), VALUE)
    place.execute("UPDATE secrets SET secret_id = 's-9999'")
    unreadable(store, "s-9999")


def ids(infos):
    return [info.secret_id for info in infos]


def unreadable(store, secret_id):
    with pytest.raises(GatewayError) as caught, store.read() as transaction:
        transaction.secrets.reveal(secret_id)
    assert caught.value.code is Code.DATA_LOSS
    assert caught.value.reason == "SECRET_UNREADABLE"
    assert secret_id in caught.value.message


def rows(place):
    return place.execute("SELECT ciphertext, wrapped_key FROM secrets")[0]


def test_a_change_of_the_destination_binds_the_stored_value_to_it(store, make, place):
    info = make.secret(provider="openai", auth_config={"api_base": "https://a.example"})
    with store.write() as transaction:
        transaction.secrets.add(info, VALUE)
    ciphertext = place.execute("SELECT ciphertext FROM secrets")
    with store.write() as transaction:
        transaction.secrets.update(replace(info, auth_config={**info.auth_config, "region": "eu"}, last_updated_at=1), None)
    assert place.execute("SELECT ciphertext FROM secrets") == ciphertext, "the value is bound to no other setting"
    for provider, settings in ((None, {}), ("azure", {"api_base": "https://b.example"}), ("azure", {})):
        with store.write() as transaction:
            transaction.secrets.update(replace(info, provider=provider, auth_config=settings), None)
        with store.read() as transaction:
            assert transaction.secrets.reveal("s-0001") == VALUE


def test_the_value_of_an_altered_secret_does_not_follow_a_change(store, make, place):
    info = make.secret(auth_config={"api_base": "https://a.example"})
    with store.write() as transaction:
        transaction.secrets.add(info, VALUE)
    place.execute('UPDATE secrets SET auth_config = \'{"api_base"\\: "https\\://evil.example"}\'')
    for settings in ({}, {"api_base": "https://b.example"}):
        with pytest.raises(GatewayError) as caught, store.write() as transaction:
            transaction.secrets.update(replace(info, auth_config=settings), None)
        assert caught.value.reason == "SECRET_UNREADABLE"
    with store.write() as transaction:
        transaction.secrets.update(replace(info, auth_config={}), VALUE)
    with store.read() as transaction:
        assert transaction.secrets.reveal("s-0001") == VALUE


def test_a_value_of_the_first_version_is_bound_by_the_next_write(store, make, place):
    info = make.secret(provider="openai", auth_config={"api_base": "https://a.example"})
    with store.write() as transaction:
        transaction.secrets.add(info, VALUE)
        to_first_version(transaction, info, VALUE)
    with store.read() as transaction:
        assert transaction.secrets.reveal("s-0001") == VALUE
    with store.write() as transaction:
        transaction.secrets.update(replace(info, last_updated_at=9), None)
    assert place.execute("SELECT envelope_version FROM secrets") == [(2,)]
    place.execute("UPDATE secrets SET auth_config = '{}'")
    with pytest.raises(GatewayError), store.read() as transaction:
        transaction.secrets.reveal("s-0001")


def to_first_version(transaction, info, value):
    """Store the value as the first release did."""
    encrypted = of_first_version(transaction.secrets._cipher, info.secret_id, info.secret_name, value)
    transaction.secrets._connection.execute(
        update(secrets).where(secrets.c.secret_id == info.secret_id).values(encrypted._asdict())
    )
