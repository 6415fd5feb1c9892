"""What our client does about the faults of a real MLflow server: it works around them, or says that it cannot."""

from __future__ import annotations

import pytest

from gateway_entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    Code,
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelLinkageType,
)
from gateway_entities.mlflow_rest.routes import ROUTES
from tests.client.mlflow_server import register_scorer
from tests.client.server_client_pairs import TESTED_MLFLOW_PAIRS

PRIMARY, FALLBACK = GatewayModelLinkageType.PRIMARY, GatewayModelLinkageType.FALLBACK
VALUE = {"api_key": "sk-0123456789abcdef"}


@pytest.fixture(params=TESTED_MLFLOW_PAIRS)
def client(request, mlflow_clients):
    return mlflow_clients[request.param]


def rejection(call, *args, **kwargs):
    with pytest.raises(GatewayError) as caught:
        call(*args, **kwargs)
    return caught.value


def test_every_operation_of_mlflow(client, mlflow_target, unique):
    called = set()

    def do(name, *args, **kwargs):
        called.add(name)
        return getattr(client, name)(*args, **kwargs)

    secret = do("create_secret", unique("secret"), VALUE, provider="openai").secret_id
    assert do("get_secret", secret_id=secret) in do("list_secrets", provider="openai")
    assert do("update_secret", secret, secret_value={"token": "0123456789"}).masked_values.keys() == {"token"}
    fields = {"secret_id": secret, "provider": "openai", "model_name": "gpt-4o"}
    first, second = (do("create_model_definition", unique("m"), **fields).model_definition_id for _ in range(2))
    assert do("update_model_definition", first, model_name="gpt-5") == do("get_model_definition", model_definition_id=first)
    assert len(do("list_model_definitions", secret_id=secret)) == 2
    endpoint = do("create_endpoint", unique("e"), [GatewayEndpointModelConfig(first, PRIMARY)]).endpoint_id
    mapping = do("attach_model", endpoint, GatewayEndpointModelConfig(second, FALLBACK))
    do("set_endpoint_tag", endpoint, "team", "search")
    read = do("update_endpoint", endpoint, usage_tracking=False)
    assert read.model_mappings[1] == mapping
    assert [(tag.key, tag.value) for tag in read.tags] == [("team", "search")]
    assert read == do("get_endpoint", endpoint_id=endpoint)
    assert read in do("list_endpoints", secret_id=secret)
    do("delete_endpoint_tag", endpoint, "team")
    do("detach_model", endpoint, second)
    assert do("create_binding", endpoint, "scorer", "7") in do("list_bindings", endpoint_id=endpoint)
    do("delete_binding", endpoint, "scorer", "7")
    day = BudgetDuration(BudgetDurationUnit.DAYS, 1)
    budget = {"budget_unit": "USD", "budget_amount": 1, "duration": day, "target_scope": "GLOBAL", "budget_action": "ALERT"}
    policy = do("create_budget_policy", **budget).budget_policy_id
    assert do("update_budget_policy", policy, budget_amount=2) == do("get_budget_policy", policy)
    assert policy in {each.budget_policy_id for each in do("list_budget_policies")}
    assert policy in {window.budget_policy_id for window in do("list_budget_windows")}
    scorer = register_scorer(mlflow_target, unique("scorer"))
    guardrail = do("create_guardrail", unique("g"), stage="BEFORE", action="VALIDATION", **scorer)
    assert do("get_guardrail", guardrail.guardrail_id) in do("list_guardrails")
    key = (endpoint, guardrail.guardrail_id)
    assert do("add_guardrail_to_endpoint", *key).execution_order is None
    moved = do("update_endpoint_guardrail", *key, execution_order=3)
    assert [moved] == do("list_endpoint_guardrails", endpoint)
    do("remove_guardrail_from_endpoint", *key)
    do("delete_guardrail", guardrail.guardrail_id)
    do("delete_budget_policy", policy)
    do("delete_endpoint", endpoint)
    for definition in (first, second):
        do("delete_model_definition", definition)
    do("delete_secret", secret)
    # Each method of the client is another RPC.
    assert len(called) == len(ROUTES)


def test_what_is_stored_otherwise_than_sent_is_an_error(client, unique):
    error = rejection(client.create_secret, unique("secret"), VALUE, provider="")
    assert (error.code, error.reason) == (Code.DATA_LOSS, "MLFLOW_STORED_OTHERWISE")
    assert "provider" in error.message


def test_what_it_cannot_clear_is_not_sent(client, define, unique):
    made = define()
    error = rejection(client.update_model_definition, made.model_definition_id, update_mask=["secret_id"])
    assert (error.code, error.reason) == (Code.UNIMPLEMENTED, "MLFLOW_CANNOT")
    assert "secret_id" in error.message
    assert client.get_model_definition(name=made.name) == made
    endpoint = client.create_endpoint(
        unique("endpoint"), [GatewayEndpointModelConfig(made.model_definition_id, PRIMARY)], fallback_config=FallbackConfig()
    )
    for field in ("routing_strategy", "fallback_config", "experiment_id"):
        assert rejection(client.update_endpoint, endpoint.endpoint_id, update_mask=[field]).code is Code.UNIMPLEMENTED


def test_other_resource_types_are_not_sent(client, define, unique):
    endpoint = client.create_endpoint(
        unique("endpoint"), [GatewayEndpointModelConfig(define().model_definition_id, PRIMARY)]
    )
    assert rejection(client.create_binding, endpoint.endpoint_id, "batch_job", "r").code is Code.UNIMPLEMENTED


def test_what_it_does_not_have_at_all(client):
    for call, arguments in ((client.record_spend, ("e-1", 1)), (client.check_budget, ("e-1",))):
        error = rejection(call, *arguments)
        assert (error.code, error.reason) == (Code.UNIMPLEMENTED, "MLFLOW_CANNOT")


def test_what_it_would_store_empty_is_refused_here(client, unique):
    assert rejection(client.create_secret, unique("secret"), {}).code is Code.INVALID_ARGUMENT
    assert rejection(client.create_secret, unique("secret"), {"k": ""}).code is Code.INVALID_ARGUMENT


def test_new_models_do_not_wipe_the_fallback_config(client, define, unique):
    config = FallbackConfig(FallbackStrategy.SEQUENTIAL, 3)
    models = [GatewayEndpointModelConfig(define().model_definition_id, PRIMARY) for _ in range(2)]
    made = client.create_endpoint(unique("endpoint"), models[:1], fallback_config=config)
    assert client.update_endpoint(made.endpoint_id, model_configs=models).fallback_config == config


def test_both_linkages_of_a_model_are_detached(client, define, unique):
    first, second = define().model_definition_id, define().model_definition_id
    linkages = [(first, PRIMARY), (second, PRIMARY), (second, FALLBACK)]
    made = client.create_endpoint(unique("endpoint"), [GatewayEndpointModelConfig(*linkage) for linkage in linkages])
    client.detach_model(made.endpoint_id, second)
    left = client.get_endpoint(endpoint_id=made.endpoint_id).model_mappings
    assert [mapping.model_definition_id for mapping in left] == [first]


def test_budgets_go_with_their_endpoint(client, define, unique):
    made = client.create_endpoint(unique("endpoint"), [GatewayEndpointModelConfig(define().model_definition_id, PRIMARY)])
    budget = client.create_budget_policy(
        budget_unit=BudgetUnit.USD,
        budget_amount=1.0,
        duration=BudgetDuration(BudgetDurationUnit.DAYS, 1),
        target_scope=BudgetTargetScope.ENDPOINT,
        budget_action=BudgetAction.ALERT,
        target_value=made.endpoint_id,
    )
    client.delete_endpoint(made.endpoint_id)
    assert budget.budget_policy_id not in {policy.budget_policy_id for policy in client.list_budget_policies()}


def test_no_sql_in_errors(client, define, unique):
    configs = [GatewayEndpointModelConfig(define().model_definition_id, PRIMARY)]
    name = unique("endpoint")
    client.create_endpoint(name, configs)
    error = rejection(client.create_endpoint, name, configs)
    assert error.code is Code.ALREADY_EXISTS
    assert "SQL" not in str(error)
    error = rejection(client.create_endpoint, unique("endpoint"), configs, experiment_id="987654321")
    assert error.code is Code.INVALID_ARGUMENT
    assert "SQL" not in str(error)
