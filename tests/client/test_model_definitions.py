"""Model definitions through every client."""

from __future__ import annotations

import pytest

from gateway_entities import Code, GatewayEndpointModelConfig, GatewayError, GatewayModelLinkageType


def test_lifecycle(client, other, secret, unique):
    name = unique("model")
    made = client.create_model_definition(
        name, secret_id=secret.secret_id, provider="openai", model_name="gpt-4o", created_by="ann"
    )
    assert made.model_definition_id.startswith("d-")
    assert (made.name, made.secret_id, made.secret_name) == (name, secret.secret_id, secret.secret_name)
    assert other.get_model_definition(model_definition_id=made.model_definition_id) == made
    assert other.get_model_definition(name=name) == made

    changed = client.update_model_definition(made.model_definition_id, model_name="gpt-5", updated_by="bob")
    assert (changed.name, changed.provider, changed.model_name) == (name, "openai", "gpt-5")
    assert (changed.created_by, changed.last_updated_by) == ("ann", "bob")
    assert other.get_model_definition(name=name) == changed

    client.delete_model_definition(made.model_definition_id)
    with pytest.raises(GatewayError) as caught:
        other.get_model_definition(name=name)
    assert caught.value.code is Code.NOT_FOUND


def test_filters_combine(client, define, secret, unique):
    provider = unique("provider")
    mine, _ = define(provider=provider), define()
    assert client.list_model_definitions(provider=provider) == [mine]
    assert len(client.list_model_definitions(secret_id=secret.secret_id)) == 2
    assert client.list_model_definitions(provider=provider, secret_id=secret.secret_id) == [mine]
    assert client.list_model_definitions(provider=provider, secret_id="s-none") == []


def test_empty_means_unchanged_and_the_mask_clears(client, define):
    made = define()
    same = client.update_model_definition(made.model_definition_id, name="", secret_id="", model_name="", provider="")
    assert (same.name, same.secret_id, same.model_name, same.provider) == (
        made.name,
        made.secret_id,
        made.model_name,
        made.provider,
    )
    cleared = client.update_model_definition(made.model_definition_id, update_mask=["secret_id"])
    assert (cleared.secret_id, cleared.secret_name) == (None, None)


def test_in_use_cannot_be_deleted(client, define, unique):
    definition = define()
    config = GatewayEndpointModelConfig(definition.model_definition_id, GatewayModelLinkageType.PRIMARY)
    endpoint = client.create_endpoint(unique("endpoint"), [config])
    with pytest.raises(GatewayError) as caught:
        client.delete_model_definition(definition.model_definition_id)
    assert caught.value.code is Code.FAILED_PRECONDITION
    assert "in use" in caught.value.message
    client.delete_endpoint(endpoint.endpoint_id)
    client.delete_model_definition(definition.model_definition_id)


def test_unknown_secret(client, define, unique):
    made = define()
    calls = [
        lambda: client.create_model_definition(unique("model"), secret_id="s-none", provider="openai", model_name="m"),
        lambda: client.update_model_definition(made.model_definition_id, secret_id="s-none"),
    ]
    for call in calls:
        with pytest.raises(GatewayError) as caught:
            call()
        assert caught.value.code is Code.NOT_FOUND
        assert "s-none" in caught.value.message
