"""The client's side of MLflow's REST dialect, before our own server: each call has the effect that it has over gRPC.

`tests/client/test_mlflow.py` has the differences of a real MLflow server, which need one.
"""

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
from tests.client.recording_transports import MessageTransport, perform
from tests.client.server_client_pairs import open_client
from tests.mutations import REQUESTS, new_name, prepare, subject

PRIMARY, FALLBACK = GatewayModelLinkageType.PRIMARY, GatewayModelLinkageType.FALLBACK
WRITES = [route.method for route in ROUTES if route.method in REQUESTS]


@pytest.fixture(scope="module", params=["sync", "async"])
def dialect(request, running):
    client = open_client(running.http_target.replace("http", "mlflow+http", 1), request.param)
    yield client
    client.close()


@pytest.fixture(scope="module")
def grpc_do(running):
    transport = MessageTransport(running.grpc_target, "sync")
    yield transport
    transport.close()


@pytest.fixture(scope="module")
def grpc_client(running):
    client = open_client(running.grpc_target, "sync")
    yield client
    client.close()


@pytest.fixture
def things(grpc_do):
    return prepare(grpc_do)


def error_of(call, *args, **kwargs):
    with pytest.raises(GatewayError) as caught:
        call(*args, **kwargs)
    return caught.value.code


@pytest.mark.parametrize("method", WRITES, ids=lambda method: method.name)
def test_every_write_has_its_effect(dialect, grpc_do, things, method):
    request = REQUESTS[method](things)
    returned = perform(dialect, request)
    if returned is not None and method.name.startswith("Update"):
        assert returned == type(returned).from_proto(subject(grpc_do, request))
    if method.name.startswith("Delete") and "Tag" not in method.name:
        # A second one finds nothing.
        assert error_of(perform, dialect, request) is Code.NOT_FOUND


def test_reads_are_the_same_over_both(dialect, grpc_client, things):
    calls = [
        ("get_secret", {"secret_id": things.secret_id}),
        ("list_secrets", {}),
        ("list_secrets", {"provider": "openai"}),
        ("list_secrets", {"provider": "none"}),
        ("get_model_definition", {"model_definition_id": things.model_id}),
        ("list_model_definitions", {"secret_id": things.secret_id}),
        ("get_endpoint", {"endpoint_id": things.endpoint_id}),
        ("list_endpoints", {"secret_id": things.secret_id}),
        ("list_bindings", {"endpoint_id": things.endpoint_id}),
        ("get_budget_policy", {"budget_policy_id": things.policy_id}),
        ("list_budget_policies", {}),
        ("list_budget_windows", {}),
    ]
    for name, arguments in calls:
        assert getattr(dialect, name)(**arguments) == getattr(grpc_client, name)(**arguments), name
    secret = dialect.get_secret(secret_id=things.secret_id)
    assert dialect.get_secret(secret_name=secret.secret_name) == secret
    definition = dialect.get_model_definition(model_definition_id=things.model_id)
    assert dialect.get_model_definition(name=definition.name) == definition
    endpoint = dialect.get_endpoint(endpoint_id=things.endpoint_id)
    assert dialect.get_endpoint(name=endpoint.name) == endpoint


def test_what_is_not_there(dialect):
    assert error_of(dialect.get_secret, secret_name=new_name("none")) is Code.NOT_FOUND
    assert error_of(dialect.get_secret, secret_id="s-none") is Code.NOT_FOUND
    assert error_of(dialect.check_budget, "e-1") is Code.UNIMPLEMENTED


def test_what_mlflow_would_lose_is_kept(dialect, grpc_client, things):
    models = [GatewayEndpointModelConfig(things.model_id, PRIMARY), GatewayEndpointModelConfig(things.spare_id, FALLBACK)]
    made = dialect.create_endpoint(new_name("endpoint"), models, usage_tracking=False)
    assert made.fallback_config == FallbackConfig(FallbackStrategy.SEQUENTIAL)
    config = FallbackConfig(FallbackStrategy.SEQUENTIAL, 2)
    dialect.update_endpoint(made.endpoint_id, fallback_config=config)
    assert dialect.update_endpoint(made.endpoint_id, model_configs=models[:1]).fallback_config == config
    dialect.attach_model(made.endpoint_id, models[1])
    dialect.attach_model(made.endpoint_id, GatewayEndpointModelConfig(things.spare_id, PRIMARY))
    dialect.detach_model(made.endpoint_id, things.spare_id)
    (left,) = grpc_client.get_endpoint(endpoint_id=made.endpoint_id).model_mappings
    assert left.model_definition_id == things.model_id
    assert error_of(dialect.detach_model, made.endpoint_id, things.model_id) is Code.FAILED_PRECONDITION
    policy = dialect.create_budget_policy(
        budget_unit=BudgetUnit.USD,
        budget_amount=1.0,
        duration=BudgetDuration(BudgetDurationUnit.DAYS, 1),
        target_scope=BudgetTargetScope.ENDPOINT,
        budget_action=BudgetAction.ALERT,
        target_value=made.endpoint_id,
    )
    dialect.delete_endpoint(made.endpoint_id)
    assert error_of(dialect.get_budget_policy, policy.budget_policy_id) is Code.NOT_FOUND
