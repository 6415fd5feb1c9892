"""Resolved endpoints and accesses through every client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from gateway_entities import (
    Code,
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelLinkageType,
    GatewaySecretAccess,
    ResolvedGatewayEndpoint,
)
from gateway_entities.client import GatewayClient
from gateway_entities.testing import Gateway, gateway
from tests.client.server_client_pairs import PAIRS, Blocking

VALUE = {"api_key": "sk-canary-4f0a7c", "organization": "org-1"}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Gateway, list[Any], dict[str, str]]]:
    """A server with three endpoints, and tokens of a gateway and of an admin."""
    with gateway() as running:
        with GatewayClient(running.grpc_target) as client:
            secret = client.create_secret("key", VALUE, provider="openai", auth_config={"region": "eu"})
            model = client.create_model_definition("m", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
            config = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
            endpoints = [client.create_endpoint(f"endpoint-{number}", [config]) for number in range(3)]
            wide = client.create_endpoint("wide", [config])
            for stage, order in (("AFTER", 2), ("BEFORE", 1), ("BEFORE", None)):
                guardrail = client.create_guardrail(
                    f"{stage} {order}", scorer_id="scorer", scorer_version=1, stage=stage, action="VALIDATION"
                )
                client.add_guardrail_to_endpoint(endpoints[0].endpoint_id, guardrail.guardrail_id, execution_order=order)
        tokens = {"admin": running.create_token("admin", "admin"), "gateway": running.create_token("gateway", "resolve")}
        yield running, [*endpoints, wide], tokens


@pytest.fixture(params=PAIRS)
def clients(request: pytest.FixtureRequest, served: Any) -> Iterator[dict[str, Any]]:
    """Clients of one transport and mode, by token."""
    running, _, tokens = served
    transport, mode = request.param.split("-")
    target = running.grpc_target if transport == "grpc" else running.http_target
    make: Any = GatewayClient if mode == "sync" else Blocking
    with ExitStack() as stack:
        yield {name: stack.enter_context(closing(make(target, token=token))) for name, token in tokens.items()}


def test_guardrails_come_in_order_of_execution(clients):
    with_some, without = clients["gateway"].resolve_endpoints(names=["endpoint-0", "endpoint-1"])
    assert [config.guardrail.name for config in with_some.guardrails] == ["BEFORE 1", "AFTER 2", "BEFORE None"]
    assert without.guardrails == []


def test_an_endpoint_by_name_and_by_id(clients, served):
    _, endpoints, _ = served
    found = clients["gateway"].resolve_endpoint(name="endpoint-1")
    assert isinstance(found, ResolvedGatewayEndpoint)
    assert found.endpoint == endpoints[1]
    (model,) = found.models
    assert (model.provider, model.model_name, model.auth_config) == ("openai", "gpt-4o", {"region": "eu"})
    assert model.secret_value.reveal() == VALUE
    assert model.secret_etag == clients["admin"].get_secret(secret_id=model.secret_id).etag()
    assert clients["gateway"].resolve_endpoint(endpoint_id=endpoints[1].endpoint_id) == found
    assert "canary" not in repr(found)


def test_endpoints_come_in_the_order_of_the_arguments(clients, served):
    _, endpoints, _ = served
    wanted = [endpoints[number] for number in (2, 0)]
    by_name = clients["gateway"].resolve_endpoints(names=[each.name for each in wanted])
    assert [each.endpoint for each in by_name] == wanted
    assert clients["gateway"].resolve_endpoints(endpoint_ids=(each.endpoint_id for each in wanted)) == by_name


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "endpoint_ids"),
        ({"names": []}, "endpoint_ids"),
        ({"names": "chat"}, "names"),
        ({"names": [b"chat"]}, "names"),
        ({"endpoint_ids": 5}, "endpoint_ids"),
        ({"names": ["a"], "endpoint_ids": ["e-1"]}, "endpoint_ids"),
        ({"names": ["a", "a"]}, "names[1]"),
        ({"names": [f"n{number}" for number in range(101)]}, "names"),
    ],
)
def test_invalid_arguments(clients, arguments, field):
    with pytest.raises(GatewayError) as caught:
        clients["gateway"].resolve_endpoints(**arguments)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert [violation.field for violation in caught.value.field_violations] == [field]


@pytest.mark.parametrize("arguments", [{}, {"name": "endpoint-0", "endpoint_id": "e-1"}])
def test_one_of_name_and_id_is_needed(clients, arguments):
    with pytest.raises(GatewayError) as caught:
        clients["gateway"].resolve_endpoint(**arguments)
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_a_missing_endpoint(clients):
    with pytest.raises(GatewayError) as caught:
        clients["gateway"].resolve_endpoint(name="nope")
    assert (caught.value.code, caught.value.message) == (Code.NOT_FOUND, "GatewayEndpoint not found (name='nope')")


def test_accesses_are_listed_with_their_filters(clients, served):
    _, endpoints, _ = served
    admin = clients["admin"]
    clients["gateway"].resolve_endpoints(names=["endpoint-0", "wide"])
    latest, other = admin.list_secret_accesses()[:2]
    assert isinstance(latest, GatewaySecretAccess)
    assert {latest.endpoint_id, other.endpoint_id} == {endpoints[0].endpoint_id, endpoints[3].endpoint_id}
    assert latest.actor == "gateway"
    assert latest in admin.list_secret_accesses(
        secret_id=latest.secret_id, endpoint_id=latest.endpoint_id, actor="gateway", accessed_since=latest.accessed_at
    )
    assert admin.list_secret_accesses(actor="nobody") == []
    with pytest.raises(GatewayError) as caught:
        clients["gateway"].list_secret_accesses()
    assert caught.value.code is Code.PERMISSION_DENIED


def test_mlflow_has_no_resolution(mlflow_clients):
    for client in mlflow_clients.values():
        for call in (lambda client=client: client.resolve_endpoint(name="chat"), client.list_secret_accesses):
            with pytest.raises(GatewayError) as caught:
                call()
            assert (caught.value.code, caught.value.reason) == (Code.UNIMPLEMENTED, "MLFLOW_CANNOT")
