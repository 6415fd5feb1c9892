"""Bindings through every client."""

from __future__ import annotations

import pytest

from gateway_entities import Code, GatewayEndpointModelConfig, GatewayError, GatewayModelLinkageType, GatewayResourceType


@pytest.fixture
def endpoint(client, define, unique):
    config = GatewayEndpointModelConfig(define().model_definition_id, GatewayModelLinkageType.PRIMARY)
    return client.create_endpoint(unique("endpoint"), [config])


def test_lifecycle(client, other, endpoint, unique):
    resource = unique("resource")
    made = client.create_binding(endpoint.endpoint_id, GatewayResourceType.SCORER, resource, created_by="ann")
    assert (made.endpoint_id, made.resource_type, made.resource_id) == (endpoint.endpoint_id, "scorer", resource)
    assert (made.created_by, made.last_updated_by, made.display_name) == ("ann", "ann", None)
    assert other.list_bindings(endpoint_id=endpoint.endpoint_id) == [made]
    assert other.list_bindings(resource_type="scorer", resource_id=resource) == [made]
    client.delete_binding(endpoint.endpoint_id, "scorer", resource)
    assert other.list_bindings(endpoint_id=endpoint.endpoint_id) == []
    with pytest.raises(GatewayError) as caught:
        client.delete_binding(endpoint.endpoint_id, "scorer", resource)
    assert caught.value.code is Code.NOT_FOUND


def test_a_resource_type_of_ones_own(client, endpoint, unique):
    made = client.create_binding(endpoint.endpoint_id, "batch_job_2", unique("resource"))
    assert made.resource_type == "batch_job_2"
    assert client.list_bindings(endpoint_id=endpoint.endpoint_id, resource_type="scorer") == []


def test_duplicate(client, endpoint, unique):
    resource = unique("resource")
    client.create_binding(endpoint.endpoint_id, "scorer", resource)
    with pytest.raises(GatewayError) as caught:
        client.create_binding(endpoint.endpoint_id, "scorer", resource)
    assert caught.value.code is Code.ALREADY_EXISTS


def test_unknown_endpoint(client, unique):
    with pytest.raises(GatewayError) as caught:
        client.create_binding("e-none", "scorer", unique("resource"))
    assert caught.value.code is Code.NOT_FOUND
