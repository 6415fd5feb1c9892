"""Secrets through every client: what comes back, what stays hidden, what is refused."""

from __future__ import annotations

import pytest

from gateway_entities import Code, GatewayError

VALUE = {"api_key": "sk-0123456789-0123456789abcdef", "organisation": "short"}


def test_lifecycle(client, other, unique):
    name = unique("secret")
    made = client.create_secret(name, VALUE, provider="openai", auth_config={"region": "eu", "note": ""}, created_by="ann")
    assert made.secret_id.startswith("s-")
    assert len(made.secret_id) == 34
    assert made.masked_values == {"api_key": "sk-...cdef", "organisation": "***"}
    assert made.auth_config == {"region": "eu", "note": ""}
    assert (made.created_by, made.last_updated_by) == ("ann", "ann")
    assert made.created_at == made.last_updated_at
    assert other.get_secret(secret_id=made.secret_id) == made
    assert other.get_secret(secret_name=name) == made
    assert made in other.list_secrets()

    changed = client.update_secret(made.secret_id, secret_value={"token": "0123456789abcdef89ab"}, updated_by="bob")
    assert changed.masked_values == {"token": "012...89ab"}
    assert changed.auth_config == made.auth_config
    assert (changed.created_by, changed.last_updated_by) == ("ann", "bob")
    assert changed.last_updated_at >= made.last_updated_at
    assert other.get_secret(secret_id=made.secret_id) == changed

    assert client.delete_secret(made.secret_id) is None
    with pytest.raises(GatewayError) as caught:
        other.get_secret(secret_id=made.secret_id)
    assert caught.value.code is Code.NOT_FOUND
    assert made.secret_id in caught.value.message


def test_absent_and_empty_stay_apart(client, unique):
    without = client.create_secret(unique("secret"), VALUE)
    empty = client.create_secret(unique("secret"), VALUE, provider="")
    assert (without.provider, without.created_by, without.last_updated_by) == (None, None, None)
    assert empty.provider == ""


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("1234567890123456789", "***"),
        ("12345678901234567890", "123...7890"),
        ("\U0001f600" * 19, "***"),
        ("\U0001f600" * 20, "\U0001f600" * 3 + "..." + "\U0001f600" * 4),
    ],
)
def test_masking_counts_characters(client, unique, value, masked):
    assert client.create_secret(unique("secret"), {"k": value}).masked_values == {"k": masked}


def test_list_filters_by_provider(client, unique):
    provider = unique("provider")
    mine = [client.create_secret(unique("secret"), VALUE, provider=provider) for _ in range(3)]
    client.create_secret(unique("secret"), VALUE, provider=provider.upper())
    listed = client.list_secrets(provider=provider)
    assert listed == sorted(mine, key=lambda secret: (secret.created_at, secret.secret_id))
    assert client.list_secrets(provider=unique("nobody")) == []


def test_update_without_updated_by_keeps_the_last_one(client, unique):
    made = client.create_secret(unique("secret"), VALUE, created_by="ann")
    assert client.update_secret(made.secret_id, auth_config={"a": "b"}).last_updated_by == "ann"


def test_auth_config_is_cleared_only_through_the_mask(client, unique):
    made = client.create_secret(unique("secret"), VALUE, auth_config={"a": "b"})
    assert client.update_secret(made.secret_id, auth_config={}).auth_config == {"a": "b"}
    assert client.update_secret(made.secret_id, update_mask=["auth_config"]).auth_config == {}


def test_mask_limits_what_is_written(client, unique):
    made = client.create_secret(unique("secret"), VALUE, auth_config={"a": "b"})
    changed = client.update_secret(
        made.secret_id, secret_value={"other": "0123456789ab"}, auth_config={"c": "d"}, update_mask=["auth_config"]
    )
    assert changed.auth_config == {"c": "d"}
    assert changed.masked_values == made.masked_values


def test_api_base_is_stripped_and_dropped_when_blank(client, unique):
    made = client.create_secret(unique("secret"), VALUE, auth_config={"api_base": "  https://api.example.com/v1 "})
    assert made.auth_config == {"api_base": "https://api.example.com/v1"}
    assert client.create_secret(unique("secret"), VALUE, auth_config={"api_base": "  ", "a": "b"}).auth_config == {"a": "b"}


def test_deleting_a_secret_leaves_its_model_definitions(client, secret, define):
    definition = define()
    assert (definition.secret_id, definition.secret_name) == (secret.secret_id, secret.secret_name)
    client.delete_secret(secret.secret_id)
    orphan = client.get_model_definition(model_definition_id=definition.model_definition_id)
    assert (orphan.secret_id, orphan.secret_name) == (None, None)
