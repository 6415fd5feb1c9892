from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_entities.errors import Code, GatewayError


@pytest.fixture
def with_secrets(store, make):
    with store.write() as transaction:
        transaction.secrets.add(make.secret(1), {"k": "v"})
        transaction.secrets.add(make.secret(2), {"k": "v"})
    return store


def test_round_trip_with_secret_name(with_secrets, make):
    definition = make.definition(secret_id="s-0001", created_by="ana", last_updated_by="")
    with with_secrets.write() as transaction:
        transaction.model_definitions.add(definition)
    expected = replace(definition, secret_name="secret 1")
    with with_secrets.read() as transaction:
        assert transaction.model_definitions.get("d-0001") == expected
        assert transaction.model_definitions.find("definition 1") == expected
        assert transaction.model_definitions.list() == [expected]
        assert transaction.model_definitions.get("d-0002") is None
        assert transaction.model_definitions.find("definition 2") is None


def test_deleting_a_secret_clears_references(with_secrets, make):
    with with_secrets.write() as transaction:
        transaction.model_definitions.add(make.definition(secret_id="s-0001"))
        transaction.secrets.remove("s-0001")
        assert transaction.model_definitions.get("d-0001") == make.definition(secret_id=None, secret_name=None)


def test_names_are_unique(store, make):
    with store.write() as transaction:
        transaction.model_definitions.add(make.definition(1, name="md1"))
        transaction.model_definitions.add(make.definition(2, name="md2"))
    for attempt in (
        lambda transaction: transaction.model_definitions.add(make.definition(3, name="md1")),
        lambda transaction: transaction.model_definitions.update(make.definition(2, name="md1")),
    ):
        with pytest.raises(GatewayError) as caught, store.write() as transaction:
            attempt(transaction)
        assert caught.value.code is Code.ALREADY_EXISTS
        assert caught.value.message == "Model definition with name 'md1' already exists"
        assert caught.value.reason == "NAME_TAKEN"


def test_secret_not_found(store, make):
    with store.write() as transaction:
        transaction.model_definitions.add(make.definition(1))
    for attempt in (
        lambda transaction: transaction.model_definitions.add(make.definition(2, secret_id="s-7")),
        lambda transaction: transaction.model_definitions.update(make.definition(1, secret_id="s-7")),
    ):
        with pytest.raises(GatewayError) as caught, store.write() as transaction:
            attempt(transaction)
        assert caught.value.code is Code.NOT_FOUND
        assert caught.value.message == "GatewaySecret not found (secret_id='s-7')"


def test_update(with_secrets, make):
    with with_secrets.write() as transaction:
        transaction.model_definitions.add(make.definition(secret_id="s-0001", created_by="ana"))
        changed = make.definition(
            name="new",
            secret_id="s-0002",
            provider="azure",
            model_name="m",
            last_updated_at=9000,
            last_updated_by="bo",
            created_by="eve",
            created_at=1,
        )
        transaction.model_definitions.update(changed)
        assert transaction.model_definitions.get("d-0001") == replace(
            changed, secret_name="secret 2", created_by="ana", created_at=2001
        )
        transaction.model_definitions.update(replace(changed, secret_id=None))
        assert transaction.model_definitions.get("d-0001").secret_id is None
        with pytest.raises(GatewayError) as caught:
            transaction.model_definitions.update(make.definition(9))
    assert caught.value.code is Code.NOT_FOUND


def test_a_definition_in_use_cannot_be_removed(store, make):
    with store.write() as transaction:
        transaction.model_definitions.add(make.definition(1))
        transaction.endpoints.add(make.endpoint(1, model_mappings=[make.mapping(1)]))
    with pytest.raises(GatewayError) as caught, store.write() as transaction:
        transaction.model_definitions.remove("d-0001")
    assert caught.value.code is Code.FAILED_PRECONDITION
    assert caught.value.message == (
        "Cannot delete model definition that is currently in use by endpoints. Detach it from all endpoints first."
    )
    with store.write() as transaction:
        transaction.endpoints.remove("e-0001")
        assert transaction.model_definitions.remove("d-0001")
        assert not transaction.model_definitions.remove("d-0001")


def test_of_ids_with_any_number_of_ids(store, make):
    with store.write() as transaction:
        stored = {f"d-{number:04}": make.definition(number) for number in (1, 2, 3)}
        for definition in stored.values():
            transaction.model_definitions.add(definition)
        some = transaction.model_definitions.of_ids(["d-0001", "d-0003", "d-x", "d-0001"])
        assert some == {"d-0001": stored["d-0001"], "d-0003": stored["d-0003"]}
        assert transaction.model_definitions.of_ids([]) == {}
        many = [f"d-{number:04}" for number in range(40_000)]
        assert transaction.model_definitions.of_ids(many) == stored


def test_list(with_secrets, make):
    with with_secrets.write() as transaction:
        for number, provider, secret_id, created_at in [
            (4, "a", "s-0001", 70),
            (2, "a", "s-0002", 50),
            (1, "b", "s-0001", 50),
            (3, "a", "s-0001", 50),
        ]:
            transaction.model_definitions.add(
                make.definition(number, provider=provider, secret_id=secret_id, created_at=created_at)
            )
    with with_secrets.read() as transaction:
        listing = transaction.model_definitions.list
        assert ids(listing()) == ["d-0001", "d-0002", "d-0003", "d-0004"]
        assert ids(listing(provider="a")) == ["d-0002", "d-0003", "d-0004"]
        assert ids(listing(secret_id="s-0001")) == ["d-0001", "d-0003", "d-0004"]
        assert ids(listing(provider="a", secret_id="s-0001")) == ["d-0003", "d-0004"]
        assert ids(listing(provider="a", secret_id="s-0001", after=(50, "d-0003"))) == ["d-0004"]
        assert ids(listing(limit=1, after=(50, "d-0002"))) == ["d-0003"]


def ids(definitions):
    return [definition.model_definition_id for definition in definitions]
