"""How many models, tags and bindings an endpoint has, how large a resource is; and what is stored beyond that."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any

import pytest

from gateway_entities.entities import (
    GatewayEndpointBinding,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    GatewayModelDefinition,
)
from gateway_entities.errors import Code, GatewayError
from gateway_entities.rules.bounds import MAX_BINDINGS, MAX_MODELS, MAX_RESOURCE_BYTES, MAX_TAGS
from gateway_entities.server.service.context import CALL, Call
from gatewayentities.v1.binding_pb2 import (
    CreateGatewayEndpointBindingRequest,
    DeleteGatewayEndpointBindingRequest,
    ListGatewayEndpointBindingsRequest,
)
from gatewayentities.v1.budget_pb2 import CheckGatewayBudgetRequest, RecordGatewaySpendRequest
from gatewayentities.v1.endpoint_pb2 import (
    AttachModelToGatewayEndpointRequest,
    DeleteGatewayEndpointRequest,
    DeleteGatewayEndpointTagRequest,
    DetachModelFromGatewayEndpointRequest,
    SetGatewayEndpointTagRequest,
    UpdateGatewayEndpointRequest,
)
from gatewayentities.v1.model_definition_pb2 import UpdateGatewayModelDefinitionRequest
from gatewayentities.v1.secret_pb2 import ListGatewaySecretInfosRequest


def add_tags(gateway: Any, endpoint_id: str, number: int, value: str = "") -> None:
    """Store tags as if their number had no bound."""
    with gateway.store.write() as transaction:
        for i in range(number):
            transaction.endpoints.set_tag(endpoint_id, GatewayEndpointTag(f"t{i}", value))


def add_models(gateway: Any, endpoint_id: str, number: int) -> list[str]:
    """Attach models as if their number had no bound; return the ids of their definitions."""
    definition = GatewayModelDefinition.from_proto(gateway.definition())
    mapping = GatewayEndpointModelMapping.from_proto(gateway.read_endpoint(endpoint_id).model_mappings[0])
    added = []
    with gateway.store.write() as transaction:
        for i in range(number):
            added.append(f"d-{i}")
            transaction.model_definitions.add(
                dataclasses.replace(definition, model_definition_id=added[-1], name=f"many{i}")
            )
            new = {"mapping_id": f"m-{i}", "model_definition_id": added[-1], "model_definition": None}
            transaction.endpoints.add_mapping(dataclasses.replace(mapping, **new))
    return added


def tag(endpoint_id: str, key: str, value: str = "") -> SetGatewayEndpointTagRequest:
    return SetGatewayEndpointTagRequest(endpoint_id=endpoint_id, key=key, value=value)


def is_exhausted(error: GatewayError, reason: str, message: str) -> bool:
    return (error.code, error.reason, error.message) == (Code.RESOURCE_EXHAUSTED, reason, message)


def test_the_number_of_tags(gateway: Any) -> None:
    endpoint_id = gateway.endpoint().endpoint_id
    add_tags(gateway, endpoint_id, MAX_TAGS - 1)
    gateway.do(tag(endpoint_id, "last"))
    before = gateway.read_endpoint(endpoint_id)
    message = f"Endpoint '{endpoint_id}' cannot have more than 100 tags. Remove one first."
    assert is_exhausted(gateway.refused(tag(endpoint_id, "more")), "TOO_MANY_TAGS", message)
    assert gateway.read_endpoint(endpoint_id) == before
    gateway.do(tag(endpoint_id, "last", "a new value"))
    gateway.do(DeleteGatewayEndpointTagRequest(endpoint_id=endpoint_id, key="t0"))
    gateway.do(tag(endpoint_id, "more"))


def test_the_number_of_models(gateway: Any) -> None:
    endpoint_id = gateway.endpoint().endpoint_id
    add_models(gateway, endpoint_id, MAX_MODELS - 2)
    config = gateway.config()

    def attach(linkage: str) -> AttachModelToGatewayEndpointRequest:
        return AttachModelToGatewayEndpointRequest(endpoint_id=endpoint_id, model_config={**config, "linkage_type": linkage})

    gateway.do(attach("PRIMARY"))
    before = gateway.read_endpoint(endpoint_id)
    message = f"Endpoint '{endpoint_id}' cannot have more than 100 models. Remove one first."
    assert is_exhausted(gateway.refused(attach("FALLBACK")), "TOO_MANY_MODELS", message)
    assert gateway.refused(attach("PRIMARY")).code is Code.ALREADY_EXISTS
    assert gateway.read_endpoint(endpoint_id) == before
    gateway.do(DetachModelFromGatewayEndpointRequest(endpoint_id=endpoint_id, model_definition_id="d-0"))
    gateway.do(attach("FALLBACK"))


def test_the_number_of_bindings(gateway: Any) -> None:
    endpoint_id, other = gateway.endpoint().endpoint_id, gateway.endpoint().endpoint_id
    with gateway.store.write() as transaction:
        for i in range(MAX_BINDINGS):
            transaction.bindings.add(GatewayEndpointBinding(endpoint_id, "scorer", f"{i}", 1, 1))
    key = {"endpoint_id": endpoint_id, "resource_type": "scorer", "resource_id": "more"}
    message = f"Endpoint '{endpoint_id}' cannot have more than 1000 bindings. Remove one first."
    error = gateway.refused(CreateGatewayEndpointBindingRequest(**key))
    assert is_exhausted(error, "TOO_MANY_BINDINGS", message)
    assert gateway.refused(CreateGatewayEndpointBindingRequest(**{**key, "resource_id": "7"})).code is Code.ALREADY_EXISTS
    gateway.do(CreateGatewayEndpointBindingRequest(**{**key, "endpoint_id": other}))
    gateway.do(DeleteGatewayEndpointBindingRequest(**{**key, "resource_id": "7"}))
    gateway.do(CreateGatewayEndpointBindingRequest(**key))
    assert len(gateway.do(ListGatewayEndpointBindingsRequest(endpoint_id=endpoint_id)).bindings) == MAX_BINDINGS


def test_the_size_of_a_resource(gateway: Any) -> None:
    endpoint_id = gateway.endpoint().endpoint_id
    value = "🙂" * 5000
    add_tags(gateway, endpoint_id, 52, value)
    before = gateway.read_endpoint(endpoint_id)
    assert before.ByteSize() < MAX_RESOURCE_BYTES
    error = gateway.refused(tag(endpoint_id, "more", value))
    assert (error.code, error.reason) == (Code.RESOURCE_EXHAUSTED, "RESOURCE_TOO_LARGE")
    assert error.message.startswith("The endpoint would have 10")
    assert error.message.endswith(" bytes; at most 1048576 are allowed.")
    assert gateway.read_endpoint(endpoint_id) == before


def test_what_is_stored_beyond_the_bounds_can_be_read_made_smaller_and_deleted(gateway: Any) -> None:
    endpoint_id = gateway.endpoint().endpoint_id
    add_tags(gateway, endpoint_id, MAX_TAGS + 20, "🙂" * 5000)
    definition_ids = add_models(gateway, endpoint_id, MAX_MODELS + 20)
    endpoint = gateway.read_endpoint(endpoint_id)
    assert (len(endpoint.tags), len(endpoint.model_mappings)) == (120, 121)
    assert endpoint.ByteSize() > 2 * MAX_RESOURCE_BYTES
    # Larger is refused, the same size is not.
    assert gateway.refused(tag(endpoint_id, "more")).reason == "TOO_MANY_TAGS"
    name = endpoint.name
    renamed = UpdateGatewayEndpointRequest(endpoint_id=endpoint_id, name=name.upper())
    assert gateway.do(renamed).endpoint.name == name.upper()
    longer = UpdateGatewayEndpointRequest(endpoint_id=endpoint_id, name=name * 2)
    assert gateway.refused(longer).reason == "RESOURCE_TOO_LARGE"
    # Others who share a definition are not held up.
    gateway.do(UpdateGatewayModelDefinitionRequest(model_definition_id=definition_ids[0], name="a much longer name"))
    gateway.do(tag(endpoint_id, "t1", "smaller"))
    gateway.do(DeleteGatewayEndpointTagRequest(endpoint_id=endpoint_id, key="t0"))
    gateway.do(DetachModelFromGatewayEndpointRequest(endpoint_id=endpoint_id, model_definition_id=definition_ids[0]))
    gateway.do(DeleteGatewayEndpointRequest(endpoint_id=endpoint_id))


def test_a_mutation_that_waited_beyond_its_deadline_changes_nothing(gateway: Any) -> None:
    outcomes: list[Code] = []
    waiting = threading.Event()

    def create() -> None:
        # The thread has a context of its own.
        CALL.set(Call(time.monotonic() + 0.05))
        waiting.set()
        try:
            gateway.secret(secret_name="late")
        except GatewayError as error:
            outcomes.append(error.code)

    thread = threading.Thread(target=create)
    with gateway.store.write():
        thread.start()
        assert waiting.wait(5)
        time.sleep(0.1)
    thread.join(30)
    assert outcomes == [Code.DEADLINE_EXCEEDED]
    assert not gateway.do(ListGatewaySecretInfosRequest()).secrets


@pytest.mark.parametrize("nanos", [10**15 + 1, 2**63 - 1])
def test_one_charge_cannot_fill_a_window(gateway: Any, nanos: int) -> None:
    endpoint_id = gateway.endpoint().endpoint_id
    gateway.policy(budget_amount=2_000_000.0, budget_action="REJECT")
    charge = {"endpoint_id": endpoint_id, "budget_unit": "USD"}
    error = gateway.refused(RecordGatewaySpendRequest(amount_nanos=nanos, request_id="1", **charge))
    assert error.code is Code.INVALID_ARGUMENT
    assert [field for field, _ in error.field_violations] == ["amount_nanos"]
    assert not gateway.do(RecordGatewaySpendRequest(amount_nanos=10**15, request_id="2", **charge)).saturated
    assert gateway.do(CheckGatewayBudgetRequest(endpoint_id=endpoint_id)).check.remaining == 1_000_000.0
