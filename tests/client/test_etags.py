"""Conditional changes with etags, and updates that write only the fields they name."""

from __future__ import annotations

import pytest

from gateway_entities import (
    Code,
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayEndpointModelMapping,
    GatewayError,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewaySecretInfo,
)
from gateway_entities.methods import METHODS
from gatewayentities.v1 import binding_pb2
from tests.client.recording_transports import perform
from tests.client.server_client_pairs import TESTED_MLFLOW_PAIRS, open_client
from tests.mutations import GUARDED, REQUESTS, Resources, subject
from tests.replay import newest, stored

ENTITIES = {
    kind.__name__: kind
    for kind in (
        GatewayBudgetPolicy,
        GatewayEndpoint,
        GatewayEndpointBinding,
        GatewayEndpointModelMapping,
        GatewayGuardrail,
        GatewayGuardrailConfig,
        GatewayModelDefinition,
        GatewaySecretInfo,
    )
}

TELLING = [method for method in REQUESTS if "etag" in method.response_type.DESCRIPTOR.fields_by_name]
"""What answers with an etag: all that leaves something behind."""

every_guarded = pytest.mark.parametrize("method", GUARDED, ids=lambda method: method.name)


def entity(message):
    return ENTITIES[type(message).__name__].from_proto(message)


def test_every_rpc_with_an_etag_is_tried_here():
    assert {method for method in METHODS if "etag" in method.request_type.DESCRIPTOR.fields_by_name} <= set(REQUESTS)
    nouns = ("Secret", "ModelDefinition", "Endpoint", "EndpointBinding", "BudgetPolicy", "Guardrail")
    removed = {*(f"DeleteGateway{noun}" for noun in nouns), "RemoveGuardrailFromEndpoint"}
    # Those of many resources, or of none.
    others = {"ApplyGatewayConfiguration", "RollbackGatewayConfiguration"}
    spending = {"RecordGatewaySpend", "ReserveGatewaySpend", "AdjustGatewaySpend"}
    assert {method.name for method in REQUESTS} - {method.name for method in TELLING} == removed | others | spending


@every_guarded
def test_stale_etags_are_refused_and_nothing_changes(client, do, resources, method):
    request = REQUESTS[method](resources)
    request.etag = "0" * 32
    before = stored(do), newest(do)
    with pytest.raises(GatewayError) as caught:
        perform(client, request)
    assert (caught.value.code, caught.value.reason) == (Code.ABORTED, "STALE_ETAG")
    assert (stored(do), newest(do)) == before


@every_guarded
def test_fresh_etags_are_taken_and_stale_then(client, do, resources, method):
    request = REQUESTS[method](resources)
    before = entity(subject(do, request))
    request.etag = before.etag()
    perform(client, request)
    with pytest.raises(GatewayError) as caught:
        perform(client, request)
    assert caught.value.code in {Code.ABORTED, Code.NOT_FOUND}
    if caught.value.code is Code.ABORTED:
        assert entity(subject(do, request)) != before


@pytest.mark.parametrize("method", TELLING, ids=lambda method: method.name)
def test_made_and_changed_things_tell_the_etag_that_they_have(client, do, resources, method):
    request = REQUESTS[method](resources)
    response = do(request)
    resource = response.DESCRIPTOR.fields[0]
    if resource.message_type is None or resource.name in {"mapping", "etag"}:
        assert "Endpoint" in method.name
        assert response.etag == entity(subject(do, request)).etag(), "the endpoint's, which has the mapping or the tag"
    else:
        assert response.etag == entity(getattr(response, resource.name)).etag()


def test_changes_without_an_etag_touch_only_the_fields_they_name(client, do, resources):
    request = REQUESTS[next(m for m in GUARDED if m.name == "UpdateGatewayEndpoint")](resources)
    before = client.get_endpoint(endpoint_id=resources.endpoint_id)
    after = perform(client, request)
    assert after.name == request.name
    after.name, after.last_updated_at = before.name, before.last_updated_at
    assert after == before


def test_two_editors_of_different_fields_both_win(client, other, resources):
    client.get_endpoint(endpoint_id=resources.endpoint_id)
    other.get_endpoint(endpoint_id=resources.endpoint_id)
    client.update_endpoint(resources.endpoint_id, name=f"{resources.resource_id}.renamed")
    other.update_endpoint(resources.endpoint_id, usage_tracking=True, updated_by="bob")
    both = client.get_endpoint(endpoint_id=resources.endpoint_id)
    assert (both.name, both.usage_tracking, both.last_updated_by) == (f"{resources.resource_id}.renamed", True, "bob")


def test_two_readers_of_one_etag_cannot_both_write(client, other, resources):
    ours, theirs = (each.get_endpoint(endpoint_id=resources.endpoint_id) for each in (client, other))
    assert ours.etag() == theirs.etag()
    won = client.update_endpoint(resources.endpoint_id, experiment_id="1", etag=ours.etag())
    with pytest.raises(GatewayError) as caught:
        other.update_endpoint(resources.endpoint_id, experiment_id="2", etag=theirs.etag())
    assert caught.value.code is Code.ABORTED
    assert client.get_endpoint(endpoint_id=resources.endpoint_id) == won
    again = other.get_endpoint(endpoint_id=resources.endpoint_id)
    assert other.update_endpoint(resources.endpoint_id, experiment_id="2", etag=again.etag()).experiment_id == "2"


@every_guarded
@pytest.mark.parametrize("pair", TESTED_MLFLOW_PAIRS)
@pytest.mark.parametrize("field", ["etag", "request_id"])
def test_before_mlflow_both_are_refused_and_nothing_is_sent(pair, method, field):
    """To leave them out would promise what MLflow does not keep. Nobody listens at the target."""
    request = REQUESTS[method](Resources(*"sdfxerpgh"))
    setattr(request, field, "0" * 32)
    client = open_client("mlflow+http://127.0.0.1:9", pair.split("-")[1])
    with pytest.raises(GatewayError) as caught:
        perform(client, request)
    client.close()
    assert caught.value.code is Code.UNIMPLEMENTED
    assert field in caught.value.message


def test_bindings_have_etags_in_lists(client, do, resources):
    found = client.list_bindings(endpoint_id=resources.endpoint_id)
    assert found == [
        entity(each) for each in do(binding_pb2.ListGatewayEndpointBindingsRequest(**resources.binding)).bindings
    ]
