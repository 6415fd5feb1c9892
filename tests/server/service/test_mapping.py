"""Attaching models to endpoints and detaching them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_entities.errors import Code
from gatewayentities.v1.endpoint_pb2 import (
    PRIMARY,
    SEQUENTIAL,
    AttachModelToGatewayEndpointRequest,
    DetachModelFromGatewayEndpointRequest,
    FallbackConfig,
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    UpdateGatewayEndpointRequest,
)


def attach(gateway: Any, endpoint: GatewayEndpoint, config: dict[str, Any], **fields: str) -> GatewayEndpointModelMapping:
    request = AttachModelToGatewayEndpointRequest(endpoint_id=endpoint.endpoint_id, model_config=config, **fields)
    return gateway.do(request).mapping


def detaching(endpoint: GatewayEndpoint, model_definition_id: str) -> DetachModelFromGatewayEndpointRequest:
    return DetachModelFromGatewayEndpointRequest(endpoint_id=endpoint.endpoint_id, model_definition_id=model_definition_id)


def test_attach_appends_a_mapping(gateway: Any) -> None:
    definition, old = gateway.definition(), gateway.endpoint(created_by="ann")
    config = gateway.config(model_definition_id=definition.model_definition_id, weight=0.1, fallback_order=4)
    mapping = attach(gateway, old, config, created_by="bob")
    assert mapping == GatewayEndpointModelMapping(
        mapping_id=mapping.mapping_id,
        endpoint_id=old.endpoint_id,
        model_definition=definition,
        created_at=mapping.created_at,
        created_by="bob",
        **config,
    )
    new = gateway.read_endpoint(old.endpoint_id)
    assert list(new.model_mappings) == [*old.model_mappings, mapping]
    assert new.last_updated_at == mapping.created_at > old.last_updated_at
    assert (new.created_by, new.last_updated_by) == ("ann", "bob")
    assert not new.HasField("fallback_config")


def test_attach_without_an_actor(gateway: Any) -> None:
    endpoint = gateway.endpoint(created_by="ann")
    mapping = attach(gateway, endpoint, gateway.config())
    assert mapping.weight == 1.0
    assert not mapping.HasField("created_by")
    assert not mapping.HasField("fallback_order")
    assert gateway.read_endpoint(endpoint.endpoint_id).last_updated_by == "ann"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, {"strategy": SEQUENTIAL}),
        ({"max_attempts": 2}, {"strategy": SEQUENTIAL, "max_attempts": 2}),
        ({"strategy": SEQUENTIAL, "max_attempts": 2}, {"strategy": SEQUENTIAL, "max_attempts": 2}),
    ],
)
def test_the_first_fallback_model_sets_the_strategy(gateway: Any, before: Any, after: dict[str, Any]) -> None:
    endpoint = gateway.endpoint(fallback_config=before)
    attach(gateway, endpoint, gateway.config("FALLBACK"))
    assert gateway.read_endpoint(endpoint.endpoint_id).fallback_config == FallbackConfig(**after)


def test_attach_errors(gateway: Any, not_found: Any) -> None:
    config = gateway.config()
    endpoint = gateway.endpoint(config)
    nowhere = AttachModelToGatewayEndpointRequest(endpoint_id="nope", model_config=config)
    not_found(gateway.refused(nowhere), "GatewayEndpoint not found (endpoint_id='nope')")
    unknown = AttachModelToGatewayEndpointRequest(
        endpoint_id=endpoint.endpoint_id, model_config={**config, "model_definition_id": "nope"}
    )
    message = "GatewayModelDefinition not found (model_definition_id='nope')"
    not_found(gateway.refused(unknown), message, "model_config.model_definition_id")
    error = gateway.refused(AttachModelToGatewayEndpointRequest(endpoint_id=endpoint.endpoint_id, model_config=config))
    assert error.code is Code.ALREADY_EXISTS
    assert error.message == (
        f"Model definition '{config['model_definition_id']}' is already attached to endpoint '{endpoint.endpoint_id}'"
    )
    assert gateway.read_endpoint(endpoint.endpoint_id) == endpoint
    attach(gateway, endpoint, {**config, "linkage_type": "FALLBACK"})


def test_detach_removes_all_linkage_types(gateway: Any) -> None:
    config = gateway.config()
    old = gateway.endpoint(config, gateway.config(), {**config, "linkage_type": "FALLBACK"}, created_by="ann")
    gateway.do(detaching(old, config["model_definition_id"]))
    new = gateway.read_endpoint(old.endpoint_id)
    assert list(new.model_mappings) == [old.model_mappings[1]]
    assert new.last_updated_at > old.last_updated_at
    assert (new.last_updated_by, new.fallback_config) == ("ann", FallbackConfig(strategy=SEQUENTIAL))


@pytest.mark.parametrize(
    "others",
    [[], [("FALLBACK", 1.0)], [("PRIMARY", 0.0)], [("PRIMARY", 0.0), ("FALLBACK", 1.0)]],
)
def test_the_last_weighted_primary_model_cannot_be_detached(gateway: Any, others: list[tuple[str, float]]) -> None:
    config = gateway.config()
    endpoint = gateway.endpoint(config, *(gateway.config(linkage, weight=weight) for linkage, weight in others))
    error = gateway.refused(detaching(endpoint, config["model_definition_id"]))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "LAST_PRIMARY_MODEL")
    assert "PRIMARY model of a weight above 0" in error.message
    assert gateway.read_endpoint(endpoint.endpoint_id) == endpoint


def test_detach_errors(gateway: Any, not_found: Any) -> None:
    endpoint, stranger = gateway.endpoint(), gateway.definition()
    nowhere = DetachModelFromGatewayEndpointRequest(endpoint_id="nope", model_definition_id="nope")
    not_found(gateway.refused(nowhere), "GatewayEndpoint not found (endpoint_id='nope')")
    for definition_id in stranger.model_definition_id, "nope":
        error = gateway.refused(detaching(endpoint, definition_id))
        message = f"Model definition '{definition_id}' is not attached to endpoint '{endpoint.endpoint_id}'"
        assert (error.code, error.message) == (Code.NOT_FOUND, message)
    assert gateway.read_endpoint(endpoint.endpoint_id) == endpoint


def test_an_endpoint_always_has_a_primary_model(gateway: Any) -> None:
    """In any order, the change that would remove the last one fails."""
    first, second = gateway.config(), gateway.config()
    endpoint = gateway.endpoint(first, second)
    gateway.do(detaching(endpoint, first["model_definition_id"]))
    assert gateway.refused(detaching(endpoint, second["model_definition_id"])).code is Code.FAILED_PRECONDITION
    only_fallback = UpdateGatewayEndpointRequest(
        endpoint_id=endpoint.endpoint_id, model_configs=[{**first, "linkage_type": "FALLBACK"}]
    )
    assert gateway.refused(only_fallback).code is Code.INVALID_ARGUMENT
    attach(gateway, endpoint, first)
    gateway.do(detaching(endpoint, second["model_definition_id"]))
    (mapping,) = gateway.read_endpoint(endpoint.endpoint_id).model_mappings
    assert (mapping.model_definition_id, mapping.linkage_type) == (first["model_definition_id"], PRIMARY)
