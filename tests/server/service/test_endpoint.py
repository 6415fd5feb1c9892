"""Endpoints; test_mapping covers attaching and detaching models."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway_entities.errors import Code
from gatewayentities.v1.budget_pb2 import ListGatewayBudgetPoliciesRequest
from gatewayentities.v1.endpoint_pb2 import (
    FALLBACK,
    PRIMARY,
    REQUEST_BASED_TRAFFIC_SPLIT,
    SEQUENTIAL,
    CreateGatewayEndpointRequest,
    DeleteGatewayEndpointRequest,
    FallbackConfig,
    GatewayEndpoint,
    GetGatewayEndpointRequest,
    ListGatewayEndpointsRequest,
    UpdateGatewayEndpointRequest,
)
from gatewayentities.v1.secret_pb2 import DeleteGatewaySecretRequest


def update(gateway: Any, endpoint: GatewayEndpoint, *, mask: list[str] | None = None, **changes: Any) -> GatewayEndpoint:
    """Update an endpoint; check that the response equals a read."""
    request = UpdateGatewayEndpointRequest(endpoint_id=endpoint.endpoint_id, **changes)
    request.update_mask.paths.extend(mask or [])
    new = gateway.do(request).endpoint
    assert new == gateway.read_endpoint(endpoint.endpoint_id)
    assert new.last_updated_at > endpoint.last_updated_at
    return new


def test_create_with_all_fields(gateway: Any) -> None:
    definitions = [gateway.definition(), gateway.definition()]
    configs = [
        gateway.config(model_definition_id=definitions[1].model_definition_id, weight=0.7, fallback_order=0),
        gateway.config(model_definition_id=definitions[0].model_definition_id, weight=0.0),
        gateway.config("FALLBACK", model_definition_id=definitions[0].model_definition_id, fallback_order=3),
    ]
    endpoint = gateway.endpoint(
        *configs,
        name="A-z_0.9",
        created_by="ann",
        routing_strategy=REQUEST_BASED_TRAFFIC_SPLIT,
        fallback_config={"max_attempts": 2},
        experiment_id="007",
        usage_tracking=False,
    )
    assert re.fullmatch("e-[0-9a-f]{32}", endpoint.endpoint_id)
    ids = [mapping.mapping_id for mapping in endpoint.model_mappings]
    assert len(set(ids)) == 3
    assert all(re.fullmatch("m-[0-9a-f]{32}", mapping_id) for mapping_id in ids)
    shared = {"endpoint_id": endpoint.endpoint_id, "created_at": endpoint.created_at, "created_by": "ann"}
    used = [definitions[1], definitions[0], definitions[0]]
    assert endpoint == GatewayEndpoint(
        endpoint_id=endpoint.endpoint_id,
        name="A-z_0.9",
        created_at=endpoint.created_at,
        last_updated_at=endpoint.created_at,
        model_mappings=[
            {"mapping_id": mapping_id, "model_definition": definition, **config, **shared}
            for mapping_id, definition, config in zip(
                ids, used, [configs[0], configs[1], {**configs[2], "weight": 1}], strict=True
            )
        ],
        created_by="ann",
        last_updated_by="ann",
        routing_strategy=REQUEST_BASED_TRAFFIC_SPLIT,
        fallback_config={"max_attempts": 2},
        experiment_id="007",
        usage_tracking=False,
    )
    assert gateway.read_endpoint(endpoint.endpoint_id) == endpoint
    assert gateway.do(GetGatewayEndpointRequest(name="A-z_0.9")).endpoint == endpoint


def test_create_with_required_fields_only(gateway: Any) -> None:
    endpoint = gateway.read_endpoint(gateway.endpoint(name="n").endpoint_id)
    (mapping,) = endpoint.model_mappings
    assert {field.name for field, _ in endpoint.ListFields()} == {
        *("endpoint_id", "name", "created_at", "last_updated_at", "model_mappings", "usage_tracking")
    }
    assert endpoint.usage_tracking is True
    assert (mapping.weight, mapping.linkage_type) == (1.0, PRIMARY)
    assert not mapping.HasField("fallback_order")
    assert not mapping.HasField("created_by")


def test_unspecified_strategy_is_stored_as_absent(gateway: Any) -> None:
    endpoint = gateway.endpoint(routing_strategy=0, fallback_config={"strategy": 0})
    assert not endpoint.HasField("routing_strategy")
    assert endpoint.HasField("fallback_config")
    assert endpoint.fallback_config == FallbackConfig()


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (None, {"strategy": "SEQUENTIAL"}),
        ({}, {}),
        ({"max_attempts": 1}, {"max_attempts": 1}),
        ({"strategy": "SEQUENTIAL", "max_attempts": 9}, {"strategy": "SEQUENTIAL", "max_attempts": 9}),
    ],
)
def test_fallback_models_default_to_sequential(gateway: Any, sent: dict[str, Any] | None, stored: dict[str, Any]) -> None:
    endpoint = gateway.endpoint(gateway.config(), gateway.config("FALLBACK"), fallback_config=sent)
    assert endpoint.HasField("fallback_config")
    assert endpoint.fallback_config == FallbackConfig(**stored)
    assert not gateway.endpoint().HasField("fallback_config")


def test_create_reports_all_unknown_definitions(gateway: Any, not_found: Any) -> None:
    known = gateway.config()
    one = CreateGatewayEndpointRequest(name="n", model_configs=[known, {**known, "model_definition_id": "x"}])
    where = "model_configs[{}].model_definition_id"
    not_found(gateway.refused(one), "GatewayModelDefinition not found (model_definition_id='x')", where.format(1))
    one.model_configs.add(model_definition_id="w", linkage_type=FALLBACK)
    one.model_configs.add(model_definition_id="x", linkage_type=FALLBACK)
    message = "2 GatewayModelDefinitions not found ('w', 'x')"
    not_found(gateway.refused(one), message, *(where.format(i) for i in (1, 2, 3)))
    assert gateway.do(ListGatewayEndpointsRequest()).endpoints == []


def test_a_definition_has_one_mapping_per_linkage_type(gateway: Any) -> None:
    config = gateway.config()
    both = gateway.endpoint(config, {**config, "linkage_type": "FALLBACK"})
    assert [mapping.linkage_type for mapping in both.model_mappings] == [PRIMARY, FALLBACK]
    for request in (
        CreateGatewayEndpointRequest(name="n", model_configs=[config, gateway.config(), config]),
        UpdateGatewayEndpointRequest(endpoint_id=both.endpoint_id, model_configs=[config, gateway.config(), config]),
    ):
        error = gateway.refused(request)
        text = "links the same model definition as PRIMARY as model_configs[0] does"
        assert (error.code, error.message) == (Code.ALREADY_EXISTS, f"model_configs[2] {text}")
        assert error.field_violations == (("model_configs[2]", text),)
    assert gateway.read_endpoint(both.endpoint_id) == both


def test_names_are_unique(gateway: Any) -> None:
    first, second = gateway.endpoint(name="ep1"), gateway.endpoint(name="EP1")
    for request in (
        CreateGatewayEndpointRequest(name="ep1", model_configs=[gateway.config()]),
        UpdateGatewayEndpointRequest(endpoint_id=second.endpoint_id, name="ep1"),
    ):
        error = gateway.refused(request)
        assert (error.code, error.message) == (Code.ALREADY_EXISTS, "Endpoint with name 'ep1' already exists")
    assert update(gateway, first, name="ep1").name == "ep1"


@pytest.mark.parametrize("key", ["endpoint_id", "name"])
def test_not_found(gateway: Any, not_found: Any, key: str) -> None:
    not_found(gateway.refused(GetGatewayEndpointRequest(**{key: "nope"})), f"GatewayEndpoint not found ({key}='nope')")
    for request_type in UpdateGatewayEndpointRequest, DeleteGatewayEndpointRequest:
        error = gateway.refused(request_type(endpoint_id="nope"))
        not_found(error, "GatewayEndpoint not found (endpoint_id='nope')")


def test_update_every_field(gateway: Any) -> None:
    old = gateway.endpoint(created_by="ann")
    new = update(
        gateway,
        old,
        name="new",
        updated_by="bob",
        model_configs=[gateway.config(weight=0.25), gateway.config("FALLBACK")],
        routing_strategy=REQUEST_BASED_TRAFFIC_SPLIT,
        fallback_config={"max_attempts": 3},
        experiment_id="12",
        usage_tracking=False,
    )
    assert (new.name, new.created_by, new.created_at, new.last_updated_by) == ("new", "ann", old.created_at, "bob")
    assert (new.routing_strategy, new.experiment_id, new.usage_tracking) == (REQUEST_BASED_TRAFFIC_SPLIT, "12", False)
    assert new.fallback_config == FallbackConfig(max_attempts=3)
    assert [(m.weight, m.linkage_type, m.created_by) for m in new.model_mappings] == [
        (0.25, PRIMARY, "bob"),
        (1, FALLBACK, "bob"),
    ]
    assert {m.created_at for m in new.model_mappings} == {new.last_updated_at}


FULL = {
    "created_by": "ann",
    "routing_strategy": REQUEST_BASED_TRAFFIC_SPLIT,
    "fallback_config": {"strategy": "SEQUENTIAL", "max_attempts": 2},
    "experiment_id": "7",
    "usage_tracking": False,
}
EMPTY = {"name": "", "model_configs": [], "routing_strategy": 0, "experiment_id": ""}


@pytest.mark.parametrize("changes", [{}, EMPTY])
def test_empty_update_changes_only_the_time(gateway: Any, changes: dict[str, Any]) -> None:
    old = gateway.endpoint(**FULL)
    new = update(gateway, old, **changes)
    old.last_updated_at = new.last_updated_at
    assert new == old


@pytest.mark.parametrize("field", ["routing_strategy", "fallback_config", "experiment_id", "usage_tracking"])
@pytest.mark.parametrize("changes", [{}, {"name": "ignored", "routing_strategy": 0, "experiment_id": ""}])
def test_a_mask_clears_only_its_fields(gateway: Any, field: str, changes: dict[str, Any]) -> None:
    old = gateway.endpoint(**FULL)
    new = update(gateway, old, mask=[field], **changes)
    old.last_updated_at = new.last_updated_at
    old.ClearField(field)
    if field == "usage_tracking":
        old.usage_tracking = True
    assert new == old


def test_a_mask_cannot_clear_required_fields(gateway: Any) -> None:
    endpoint = gateway.endpoint(**FULL)
    request = UpdateGatewayEndpointRequest(endpoint_id=endpoint.endpoint_id)
    request.update_mask.paths.extend(["model_configs", "name", "usage_tracking", "tags"])
    fields = [violation.field for violation in gateway.refused(request).field_violations]
    assert fields == ["name", "model_configs", "update_mask"]
    assert gateway.read_endpoint(endpoint.endpoint_id) == endpoint


def test_replacing_models_leaves_the_fallback_config_unchanged(gateway: Any) -> None:
    old = gateway.endpoint(**FULL)
    new = update(gateway, old, model_configs=[gateway.config()])
    assert new.fallback_config == old.fallback_config
    assert new.model_mappings[0].mapping_id != old.model_mappings[0].mapping_id
    assert not new.model_mappings[0].HasField("created_by")
    assert new.last_updated_by == "ann"


def test_replacing_models_by_the_same_models_gives_new_mappings(gateway: Any) -> None:
    config = gateway.config()
    old = gateway.endpoint(config)
    new = update(gateway, old, model_configs=[config])
    assert new.model_mappings[0].mapping_id != old.model_mappings[0].mapping_id
    assert new.model_mappings[0].model_definition == old.model_mappings[0].model_definition


def test_replacing_models_sets_the_default_strategy(gateway: Any) -> None:
    configs = [gateway.config(), gateway.config("FALLBACK")]
    old = gateway.endpoint()
    assert update(gateway, old, model_configs=configs).fallback_config == FallbackConfig(strategy=SEQUENTIAL)
    assert update(gateway, old, model_configs=configs, fallback_config={}).fallback_config == FallbackConfig()
    cleared = update(gateway, old, model_configs=configs, mask=["model_configs", "fallback_config"])
    assert not cleared.HasField("fallback_config")


def test_a_failed_update_changes_nothing(gateway: Any, not_found: Any) -> None:
    old = gateway.endpoint(**FULL)
    request = UpdateGatewayEndpointRequest(endpoint_id=old.endpoint_id, name="new", model_configs=[gateway.config()])
    request.model_configs.add(model_definition_id="nope", linkage_type=PRIMARY)
    message = "GatewayModelDefinition not found (model_definition_id='nope')"
    not_found(gateway.refused(request), message, "model_configs[1].model_definition_id")
    del request.model_configs[:]
    request.model_configs.add(linkage_type=FALLBACK, model_definition_id=old.model_mappings[0].model_definition_id)
    assert gateway.refused(request).field_violations[0].field == "model_configs"
    assert gateway.read_endpoint(old.endpoint_id) == old


def test_delete_removes_bindings_and_endpoint_budgets(gateway: Any, not_found: Any) -> None:
    endpoint, other = gateway.endpoint(), gateway.endpoint()
    gateway.policy(target_scope="ENDPOINT", target_value=endpoint.endpoint_id)
    # A user's name may equal an endpoint's id.
    remaining = [
        gateway.policy(),
        gateway.policy(target_scope="ENDPOINT", target_value=other.endpoint_id),
        gateway.policy(target_scope="USER", target_value=endpoint.endpoint_id),
    ]
    gateway.do(DeleteGatewayEndpointRequest(endpoint_id=endpoint.endpoint_id))
    assert gateway.do(ListGatewayBudgetPoliciesRequest()).budget_policies == remaining
    assert gateway.do(ListGatewayEndpointsRequest()).endpoints == [other]
    key = f"(endpoint_id='{endpoint.endpoint_id}')"
    not_found(
        gateway.refused(GetGatewayEndpointRequest(endpoint_id=endpoint.endpoint_id)), f"GatewayEndpoint not found {key}"
    )


def test_a_model_without_a_secret_can_be_attached(gateway: Any) -> None:
    definition = gateway.definition()
    gateway.do(DeleteGatewaySecretRequest(secret_id=definition.secret_id))
    endpoint = gateway.endpoint(gateway.config(model_definition_id=definition.model_definition_id))
    assert not endpoint.model_mappings[0].model_definition.HasField("secret_id")


def test_list_filters_apply_to_a_single_model(gateway: Any) -> None:
    secret_id = gateway.secret().secret_id

    def config(**fields: str) -> dict[str, Any]:
        return gateway.config(model_definition_id=gateway.definition(**fields).model_definition_id)

    both = gateway.endpoint(config(provider="a", secret_id=secret_id))
    apart = gateway.endpoint(config(provider="a"), config(provider="b", secret_id=secret_id))
    neither = gateway.endpoint()

    def listed(**filters: str) -> list[GatewayEndpoint]:
        return list(gateway.do(ListGatewayEndpointsRequest(**filters)).endpoints)

    assert listed() == listed(provider="", secret_id="") == [both, apart, neither]
    assert listed(provider="a") == listed(secret_id=secret_id) == [both, apart]
    assert listed(provider="a", secret_id=secret_id) == [both]
    assert listed(provider="b") == [apart]
    assert listed(secret_id="nope") == []
