"""Model definitions."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway_entities.errors import Code
from gatewayentities.v1.endpoint_pb2 import DeleteGatewayEndpointRequest
from gatewayentities.v1.model_definition_pb2 import (
    CreateGatewayModelDefinitionRequest,
    DeleteGatewayModelDefinitionRequest,
    GatewayModelDefinition,
    GetGatewayModelDefinitionRequest,
    ListGatewayModelDefinitionsRequest,
    UpdateGatewayModelDefinitionRequest,
)

ANY_TEXT = " naïve \u202e 🙂 '\"; -- "


def get(gateway: Any, model_definition_id: str) -> GatewayModelDefinition:
    return gateway.do(GetGatewayModelDefinitionRequest(model_definition_id=model_definition_id)).model_definition


def test_create(gateway: Any) -> None:
    secret = gateway.secret()
    given = {"name": ANY_TEXT, "provider": ANY_TEXT, "model_name": ANY_TEXT}
    definition = gateway.definition(secret_id=secret.secret_id, created_by="ann", **given)
    assert re.fullmatch("d-[0-9a-f]{32}", definition.model_definition_id)
    assert definition == GatewayModelDefinition(
        model_definition_id=definition.model_definition_id,
        secret_id=secret.secret_id,
        secret_name=secret.secret_name,
        created_at=definition.created_at,
        last_updated_at=definition.created_at,
        created_by="ann",
        last_updated_by="ann",
        **given,
    )
    assert get(gateway, definition.model_definition_id) == definition
    assert gateway.do(GetGatewayModelDefinitionRequest(name=ANY_TEXT)).model_definition == definition


def test_absent_actors_stay_absent(gateway: Any) -> None:
    definition = get(gateway, gateway.definition().model_definition_id)
    assert not definition.HasField("created_by")
    assert not definition.HasField("last_updated_by")


def test_create_errors(gateway: Any, not_found: Any) -> None:
    old = gateway.definition(name="md1")
    request = CreateGatewayModelDefinitionRequest(name="md1", secret_id="nope", provider="p", model_name="m")
    not_found(gateway.refused(request), "GatewaySecret not found (secret_id='nope')", "secret_id")
    request.secret_id = old.secret_id
    error = gateway.refused(request)
    assert (error.code, error.message) == (Code.ALREADY_EXISTS, "Model definition with name 'md1' already exists")


@pytest.mark.parametrize("key", ["model_definition_id", "name"])
def test_not_found(gateway: Any, not_found: Any, key: str) -> None:
    message = f"GatewayModelDefinition not found ({key}='nope')"
    not_found(gateway.refused(GetGatewayModelDefinitionRequest(**{key: "nope"})), message)
    if key != "name":
        not_found(gateway.refused(UpdateGatewayModelDefinitionRequest(model_definition_id="nope")), message)
        not_found(gateway.refused(DeleteGatewayModelDefinitionRequest(model_definition_id="nope")), message)


def test_update_every_field(gateway: Any) -> None:
    old, secret = gateway.definition(created_by="ann"), gateway.secret()
    changes = {"name": "new", "secret_id": secret.secret_id, "model_name": "m2", "provider": "p2"}
    request = UpdateGatewayModelDefinitionRequest(model_definition_id=old.model_definition_id, updated_by="bob", **changes)
    new = gateway.do(request).model_definition
    assert new.last_updated_at > old.last_updated_at
    for name, value in {**changes, "secret_name": secret.secret_name, "last_updated_by": "bob"}.items():
        setattr(old, name, value)
    old.last_updated_at = new.last_updated_at
    assert new == get(gateway, old.model_definition_id) == old


@pytest.mark.parametrize("changes", [{}, {"name": "", "secret_id": "", "model_name": "", "provider": ""}])
def test_empty_update_changes_only_the_time(gateway: Any, changes: dict[str, str]) -> None:
    old = gateway.definition(created_by="ann")
    request = UpdateGatewayModelDefinitionRequest(model_definition_id=old.model_definition_id, **changes)
    new = gateway.do(request).model_definition
    assert new.last_updated_at > old.last_updated_at
    old.last_updated_at = new.last_updated_at
    assert new == old


@pytest.mark.parametrize("changes", [{}, {"secret_id": ""}])
def test_a_mask_clears_only_the_secret(gateway: Any, changes: dict[str, str]) -> None:
    old = gateway.definition()
    request = UpdateGatewayModelDefinitionRequest(
        model_definition_id=old.model_definition_id, name="ignored", update_mask={"paths": ["secret_id"]}, **changes
    )
    new = gateway.do(request).model_definition
    assert not new.HasField("secret_id")
    assert not new.HasField("secret_name")
    assert new == get(gateway, old.model_definition_id)
    assert new.name == old.name


def test_update_errors(gateway: Any, not_found: Any) -> None:
    taken, old = gateway.definition(name="md1"), gateway.definition()
    key = {"model_definition_id": old.model_definition_id}
    error = gateway.refused(UpdateGatewayModelDefinitionRequest(name=taken.name, **key))
    assert (error.code, error.message) == (Code.ALREADY_EXISTS, "Model definition with name 'md1' already exists")
    unknown = UpdateGatewayModelDefinitionRequest(name="new", secret_id="nope", **key)
    not_found(gateway.refused(unknown), "GatewaySecret not found (secret_id='nope')", "secret_id")
    masked = UpdateGatewayModelDefinitionRequest(update_mask={"paths": ["provider", "model_name", "nope"]}, **key)
    fields = [violation.field for violation in gateway.refused(masked).field_violations]
    assert fields == ["model_name", "provider", "update_mask"]
    assert get(gateway, old.model_definition_id) == old


def test_a_definition_in_use_cannot_be_deleted(gateway: Any) -> None:
    definition = gateway.definition()
    endpoint = gateway.endpoint(gateway.config(model_definition_id=definition.model_definition_id))
    request = DeleteGatewayModelDefinitionRequest(model_definition_id=definition.model_definition_id)
    error = gateway.refused(request)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "MODEL_DEFINITION_IN_USE")
    assert error.message == (
        "Cannot delete model definition that is currently in use by endpoints. Detach it from all endpoints first."
    )
    gateway.do(DeleteGatewayEndpointRequest(endpoint_id=endpoint.endpoint_id))
    gateway.do(request)
    assert gateway.refused(request).code is Code.NOT_FOUND


def test_list_filters(gateway: Any) -> None:
    secret_id = gateway.secret().secret_id
    first = gateway.definition(provider="a", secret_id=secret_id)
    other = gateway.definition(provider="b", secret_id=secret_id)
    last = gateway.definition(provider="a")

    def listed(**filters: str) -> list[GatewayModelDefinition]:
        return list(gateway.do(ListGatewayModelDefinitionsRequest(**filters)).model_definitions)

    assert listed() == listed(provider="", secret_id="") == [first, other, last]
    assert listed(provider="a") == [first, last]
    assert listed(secret_id=secret_id) == [first, other]
    assert listed(provider="a", secret_id=secret_id) == [first]
    assert listed(provider="b", secret_id=last.secret_id) == []
