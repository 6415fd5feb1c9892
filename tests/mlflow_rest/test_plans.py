"""The plans of the client's calls to an MLflow server: which requests they make, and what they do with the responses.

A plan does no I/O: the responses here are those that MLflow 3.18 sends.
"""

from __future__ import annotations

import pytest

from gateway_entities import methods
from gateway_entities.errors import Code
from gateway_entities.methods import METHODS
from gatewayentities.v1 import binding_pb2, budget_pb2, model_definition_pb2, secret_pb2
from tests.mlflow_rest.driven_plans import drive, error_of, lost
from tests.mutations import REQUESTS, Resources

RESOURCES = Resources("s-1", "d-1", "d-2", "d-3", "e-1", "r-1", "bp-1", "gr-1", "gr-2")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_what_mlflow_does_not_guarantee_is_not_sent(method):
    for field in ("etag", "request_id"):
        if method in REQUESTS and field in method.request_type.DESCRIPTOR.fields_by_name:
            request = REQUESTS[method](RESOURCES)
            setattr(request, field, "x" if field == "request_id" else "0" * 32)
            code, reason, message = error_of(request)
            assert (code, reason) == (Code.UNIMPLEMENTED, "MLFLOW_CANNOT")
            assert field in message


def test_an_invalid_request_is_not_sent():
    assert error_of(secret_pb2.DeleteGatewaySecretRequest(secret_id=""))[0] is Code.INVALID_ARGUMENT


def test_a_delete_is_one_request():
    request = secret_pb2.DeleteGatewaySecretRequest(secret_id="s-1")
    response = secret_pb2.DeleteGatewaySecretResponse()
    assert drive(request, response) == ([request], response)


# Secrets


def create_secret(**fields):
    fields = {"secret_name": "a", "secret_value": {"k": "v"}, "provider": "p", "auth_config": {"region": "r"}, **fields}
    return secret_pb2.CreateGatewaySecretRequest(**fields)


def stored_secret(**fields):
    fields = {"secret_name": "a", "masked_values": {"k": "***"}, "provider": "p", "auth_config": {"region": "r"}, **fields}
    return secret_pb2.CreateGatewaySecretResponse(secret=secret_pb2.GatewaySecretInfo(secret_id="s-1", **fields))


def test_a_secret_that_was_stored_as_sent():
    assert drive(create_secret(), stored_secret())[1] == stored_secret()
    by_ann = stored_secret(created_by="ann", last_updated_by="ann")
    assert drive(create_secret(created_by="ann"), by_ann)[1] == by_ann


@pytest.mark.parametrize(
    ("sent", "stored", "names"),
    [
        ({}, {"secret_name": "b"}, "secret_name"),
        ({}, {"provider": "q"}, "provider"),
        ({"provider": ""}, {"provider": None}, "provider"),
        ({}, {"masked_values": {"k": "***", "l": "***"}}, "secret_value"),
        ({}, {"auth_config": {"region": "s"}}, "auth_config"),
        ({"created_by": "ann"}, {"created_by": "ann", "last_updated_by": "bob"}, "last_updated_by"),
        ({}, {"secret_name": "b", "auth_config": {}}, "secret_name, auth_config"),
    ],
)
def test_a_secret_that_was_stored_otherwise(sent, stored, names):
    assert lost(create_secret(**sent), stored_secret(**stored)) == names


def test_a_secret_by_name_is_found_in_the_list():
    secrets = [secret_pb2.GatewaySecretInfo(secret_id=f"s-{name}", secret_name=name) for name in "ab"]
    listed = secret_pb2.ListGatewaySecretInfosResponse(secrets=secrets)
    sent, found = drive(secret_pb2.GetGatewaySecretInfoRequest(secret_name="b"), listed)
    assert sent == [secret_pb2.ListGatewaySecretInfosRequest()]
    assert found.secret == secrets[1]
    code, reason, message = error_of(secret_pb2.GetGatewaySecretInfoRequest(secret_name="c"), listed)
    assert (code, reason, message) == (Code.NOT_FOUND, "NOT_FOUND", "GatewaySecret not found (secret_name='c')")
    by_id = secret_pb2.GetGatewaySecretInfoRequest(secret_id="s-a")
    assert drive(by_id, found) == ([by_id], found)


def update_secret(**fields):
    return secret_pb2.UpdateGatewaySecretRequest(secret_id="s-1", **fields)


def updated_secret(**fields):
    return secret_pb2.UpdateGatewaySecretResponse(secret=secret_pb2.GatewaySecretInfo(secret_id="s-1", **fields))


def test_an_update_without_an_actor_keeps_the_last_one():
    now = secret_pb2.GetGatewaySecretInfoResponse(secret={"secret_id": "s-1", "last_updated_by": "ann"})
    request = update_secret(secret_value={"k": "v"})
    stored = updated_secret(masked_values={"k": "***"}, last_updated_by="ann")
    sent, response = drive(request, now, stored)
    assert response == stored
    assert sent == [
        secret_pb2.GetGatewaySecretInfoRequest(secret_id="s-1"),
        update_secret(secret_value={"k": "v"}, updated_by="ann"),
    ]
    assert lost(request, now, updated_secret(masked_values={"k": "***"}, last_updated_by="bob")) == "last_updated_by"
    nobody = secret_pb2.GetGatewaySecretInfoResponse(secret={"secret_id": "s-1"})
    assert drive(request, nobody, updated_secret(masked_values={"k": "***"}))[0][1] == request


def test_settings_are_cleared_with_an_empty_address():
    request = update_secret(update_mask={"paths": ["auth_config"]}, updated_by="ann")
    sent, _ = drive(request, updated_secret(last_updated_by="ann"))
    assert sent == [update_secret(auth_config={"api_base": ""}, updated_by="ann")]
    assert lost(request, updated_secret(last_updated_by="ann", auth_config={"region": "r"})) == "auth_config"


def test_a_mask_keeps_the_other_fields_from_being_sent():
    fields = {"secret_value": {"k": "v"}, "auth_config": {"region": "r"}, "updated_by": "ann"}
    request = update_secret(update_mask={"paths": ["auth_config"]}, **fields)
    stored = updated_secret(masked_values={"other": "***"}, auth_config={"region": "r"}, last_updated_by="ann")
    assert drive(request, stored)[0] == [update_secret(auth_config={"region": "r"}, updated_by="ann")]


@pytest.mark.parametrize("provider", ["", "p"])
def test_secrets_are_listed_in_the_contracts_order(provider):
    secrets = [secret_pb2.GatewaySecretInfo(secret_id=name, created_at=at) for name, at in (("c", 2), ("b", 1), ("a", 2))]
    request = secret_pb2.ListGatewaySecretInfosRequest(provider=provider, page_size=5)
    sent, response = drive(request, secret_pb2.ListGatewaySecretInfosResponse(secrets=secrets))
    assert sent == [secret_pb2.ListGatewaySecretInfosRequest(provider=provider or None)]
    assert [secret.secret_id for secret in response.secrets] == ["b", "a", "c"]


# Model definitions


def test_a_definition_by_name_is_found_in_the_list():
    definitions = [model_definition_pb2.GatewayModelDefinition(model_definition_id=f"d-{n}", name=n) for n in "ab"]
    listed = model_definition_pb2.ListGatewayModelDefinitionsResponse(model_definitions=definitions)
    sent, found = drive(model_definition_pb2.GetGatewayModelDefinitionRequest(name="b"), listed)
    assert sent == [model_definition_pb2.ListGatewayModelDefinitionsRequest()]
    assert found.model_definition == definitions[1]
    error = error_of(model_definition_pb2.GetGatewayModelDefinitionRequest(name="c"), listed)
    assert error == (Code.NOT_FOUND, "NOT_FOUND", "GatewayModelDefinition not found (name='c')")
    by_id = model_definition_pb2.GetGatewayModelDefinitionRequest(model_definition_id="d-a")
    assert drive(by_id, found) == ([by_id], found)


@pytest.mark.parametrize("filters", [{}, {"provider": "p"}, {"secret_id": "s-1"}, {"provider": "p", "secret_id": "s-1"}])
def test_definitions_are_listed_in_the_contracts_order(filters):
    listed = [model_definition_pb2.GatewayModelDefinition(model_definition_id=n, created_at=1) for n in "ba"]
    request = model_definition_pb2.ListGatewayModelDefinitionsRequest(**filters, page_size=5)
    response = model_definition_pb2.ListGatewayModelDefinitionsResponse(model_definitions=listed)
    sent, ordered = drive(request, response)
    assert sent == [model_definition_pb2.ListGatewayModelDefinitionsRequest(**filters)]
    assert [definition.model_definition_id for definition in ordered.model_definitions] == ["a", "b"]


def test_a_definition_that_was_stored_otherwise():
    create = REQUESTS[methods.CREATE_GATEWAY_MODEL_DEFINITION](RESOURCES)
    fields = {"model_definition_id": "d-1", "name": create.name, "secret_id": "s-1", "provider": "openai"}
    stored = model_definition_pb2.CreateGatewayModelDefinitionResponse(model_definition={**fields, "model_name": "gpt-4o"})
    assert drive(create, stored) == ([create], stored)
    stored.model_definition.model_name = "other"
    assert lost(create, stored) == "model_name"
    update = model_definition_pb2.UpdateGatewayModelDefinitionRequest(
        model_definition_id="d-1", name="n", model_name="m", updated_by="ann", update_mask={"paths": ["model_name"]}
    )
    response = model_definition_pb2.UpdateGatewayModelDefinitionResponse(
        model_definition={"model_definition_id": "d-1", "name": "old", "model_name": "m", "last_updated_by": "ann"}
    )
    sent = model_definition_pb2.UpdateGatewayModelDefinitionRequest(
        model_definition_id="d-1", model_name="m", updated_by="ann"
    )
    assert drive(update, response) == ([sent], response)
    response.model_definition.ClearField("last_updated_by")
    assert lost(update, response) == "updated_by"


def test_a_field_that_mlflow_cannot_clear_is_not_sent():
    update = model_definition_pb2.UpdateGatewayModelDefinitionRequest(
        model_definition_id="d-1", update_mask={"paths": ["secret_id"]}
    )
    assert error_of(update) == (Code.UNIMPLEMENTED, "MLFLOW_CANNOT", "MLflow cannot clear this field: secret_id")


# Bindings


def test_only_scorers_are_bound():
    request = binding_pb2.CreateGatewayEndpointBindingRequest(endpoint_id="e", resource_type="job", resource_id="r")
    error = error_of(request)
    assert error == (Code.UNIMPLEMENTED, "MLFLOW_CANNOT", "MLflow only binds resources of type 'scorer': resource_type")
    request.resource_type = "scorer"
    stored = {"endpoint_id": "e", "resource_type": "scorer", "resource_id": "r"}
    response = binding_pb2.CreateGatewayEndpointBindingResponse(binding=stored)
    assert drive(request, response) == ([request], response)
    response.binding.resource_id = "s"
    assert lost(request, response) == "resource_id"


def test_bindings_are_listed_in_the_contracts_order():
    keys = [(2, "a", "s", "a"), (1, "b", "s", "a"), (1, "a", "t", "a"), (1, "a", "s", "b"), (1, "a", "s", "a")]
    listed = [
        binding_pb2.GatewayEndpointBinding(created_at=at, endpoint_id=e, resource_type=t, resource_id=r)
        for at, e, t, r in keys
    ]
    filters = {"endpoint_id": "a", "resource_type": "s", "resource_id": "r"}
    request = binding_pb2.ListGatewayEndpointBindingsRequest(**filters, page_size=5)
    sent, response = drive(request, binding_pb2.ListGatewayEndpointBindingsResponse(bindings=listed))
    assert sent == [binding_pb2.ListGatewayEndpointBindingsRequest(**filters)]
    assert list(response.bindings) == listed[::-1]
    empty = binding_pb2.ListGatewayEndpointBindingsRequest(**dict.fromkeys(filters, ""))
    assert drive(empty, response)[0] == [binding_pb2.ListGatewayEndpointBindingsRequest()]


# Budgets


def test_a_policy_without_a_target_is_sent_without_one():
    request = REQUESTS[methods.CREATE_GATEWAY_BUDGET_POLICY](RESOURCES)
    request.target_scope, request.target_value = budget_pb2.GLOBAL, ""
    fields = {field.name: value for field, value in request.ListFields() if field.name != "target_value"}
    stored = budget_pb2.CreateGatewayBudgetPolicyResponse(budget_policy={"budget_policy_id": "bp-1", **fields})
    assert drive(request, stored) == ([budget_pb2.CreateGatewayBudgetPolicyRequest(**fields)], stored)
    assert request.HasField("target_value")
    stored.budget_policy.budget_amount = 99.0
    assert lost(request, stored) == "budget_amount"


def test_a_target_is_cleared_with_its_scope():
    request = budget_pb2.UpdateGatewayBudgetPolicyRequest(
        budget_policy_id="bp-1", target_scope="GLOBAL", update_mask={"paths": ["target_scope", "target_value"]}
    )
    stored = budget_pb2.UpdateGatewayBudgetPolicyResponse(
        budget_policy={"budget_policy_id": "bp-1", "target_scope": "GLOBAL"}
    )
    sent = budget_pb2.UpdateGatewayBudgetPolicyRequest(budget_policy_id="bp-1", target_scope="GLOBAL")
    assert drive(request, stored) == ([sent], stored)


def test_every_page_of_policies_is_read_and_ordered():
    def page(token, *numbers):
        policies = [{"budget_policy_id": f"bp-{number}", "created_at": 5} for number in numbers]
        return budget_pb2.ListGatewayBudgetPoliciesResponse(budget_policies=policies, next_page_token=token)

    request = budget_pb2.ListGatewayBudgetPoliciesRequest(max_results=2)
    sent, response = drive(request, page("t", 3, 1), page("", 2))
    assert sent == [
        budget_pb2.ListGatewayBudgetPoliciesRequest(max_results=1000),
        budget_pb2.ListGatewayBudgetPoliciesRequest(max_results=1000, page_token="t"),
    ]
    assert [policy.budget_policy_id for policy in response.budget_policies] == ["bp-1", "bp-2", "bp-3"]
    assert not response.next_page_token


def test_windows_are_one_request_without_paging():
    request = budget_pb2.ListGatewayBudgetWindowsRequest(page_size=5)
    response = budget_pb2.ListGatewayBudgetWindowsResponse()
    assert drive(request, response) == ([budget_pb2.ListGatewayBudgetWindowsRequest()], response)
