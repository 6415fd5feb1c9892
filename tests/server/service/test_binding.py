"""Bindings."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_entities.errors import Code
from gatewayentities.v1.binding_pb2 import (
    CreateGatewayEndpointBindingRequest,
    DeleteGatewayEndpointBindingRequest,
    GatewayEndpointBinding,
    ListGatewayEndpointBindingsRequest,
)
from gatewayentities.v1.endpoint_pb2 import DeleteGatewayEndpointRequest

ANY_TEXT = " naïve \u202e 🙂 '\"; -- "


def bind(gateway: Any, endpoint_id: str, resource_type: str, resource_id: str, **fields: str) -> GatewayEndpointBinding:
    key = {"endpoint_id": endpoint_id, "resource_type": resource_type, "resource_id": resource_id}
    return gateway.do(CreateGatewayEndpointBindingRequest(**key, **fields)).binding


def listed(gateway: Any, **filters: str) -> list[GatewayEndpointBinding]:
    return list(gateway.do(ListGatewayEndpointBindingsRequest(**filters)).bindings)


@pytest.mark.parametrize("resource_type", ["scorer", "scorer_job", "of_another_kind"])
@pytest.mark.parametrize("actor", [{}, {"created_by": ANY_TEXT}])
def test_create(gateway: Any, resource_type: str, actor: dict[str, str]) -> None:
    endpoint_id = gateway.endpoint().endpoint_id
    binding = bind(gateway, endpoint_id, resource_type, ANY_TEXT, **actor)
    assert binding == GatewayEndpointBinding(
        endpoint_id=endpoint_id,
        resource_type=resource_type,
        resource_id=ANY_TEXT,
        created_at=binding.created_at,
        last_updated_at=binding.created_at,
        last_updated_by=actor.get("created_by"),
        **actor,
    )
    assert listed(gateway) == [binding]


def test_create_errors(gateway: Any, not_found: Any) -> None:
    key = {"endpoint_id": "nope", "resource_type": "scorer", "resource_id": "r"}
    error = gateway.refused(CreateGatewayEndpointBindingRequest(**key))
    not_found(error, "GatewayEndpoint not found (endpoint_id='nope')")
    key["endpoint_id"] = gateway.endpoint().endpoint_id
    gateway.do(CreateGatewayEndpointBindingRequest(**key))
    again = gateway.refused(CreateGatewayEndpointBindingRequest(created_by="x", **key))
    assert again.code is Code.ALREADY_EXISTS
    assert "UNIQUE" not in again.message


def test_delete(gateway: Any) -> None:
    key = {"endpoint_id": gateway.endpoint().endpoint_id, "resource_type": "scorer", "resource_id": "r"}
    bind(gateway, **key)
    for other in {"endpoint_id": "nope"}, {"resource_type": "scorer_job"}, {"resource_id": "R"}:
        assert gateway.refused(DeleteGatewayEndpointBindingRequest(**{**key, **other})).code is Code.NOT_FOUND
    gateway.do(DeleteGatewayEndpointBindingRequest(**key))
    assert listed(gateway) == []
    assert gateway.refused(DeleteGatewayEndpointBindingRequest(**key)).code is Code.NOT_FOUND


def test_list_filters(gateway: Any) -> None:
    one, two = gateway.endpoint().endpoint_id, gateway.endpoint().endpoint_id
    a, b, c, d = [
        bind(gateway, one, "scorer", "r1"),
        bind(gateway, two, "scorer", "r1"),
        bind(gateway, one, "scorer_job", "r1"),
        bind(gateway, one, "scorer", "r2"),
    ]
    assert listed(gateway) == listed(gateway, endpoint_id="", resource_type="", resource_id="") == [a, b, c, d]
    assert listed(gateway, endpoint_id=one) == [a, c, d]
    assert listed(gateway, resource_type="scorer") == [a, b, d]
    assert listed(gateway, resource_id="r1") == [a, b, c]
    assert listed(gateway, endpoint_id=one, resource_type="scorer", resource_id="r1") == [a]
    assert listed(gateway, endpoint_id=two, resource_id="r2") == listed(gateway, resource_type="nope") == []


def test_deleting_an_endpoint_deletes_its_bindings(gateway: Any) -> None:
    one, two = gateway.endpoint().endpoint_id, gateway.endpoint().endpoint_id
    bind(gateway, one, "scorer", "r")
    remaining = bind(gateway, two, "scorer", "r")
    gateway.do(DeleteGatewayEndpointRequest(endpoint_id=one))
    assert listed(gateway) == [remaining]
