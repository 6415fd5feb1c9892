"""All pages of a list show the state at its first page, regardless of writes in between."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_entities.errors import Code
from gateway_entities.server.service.writes.compaction import Retention, compact
from gateway_entities.server.service.writes.idempotency import IDEMPOTENCY_WINDOW_MS
from gatewayentities.v1 import binding_pb2, budget_pb2, endpoint_pb2, model_definition_pb2, secret_pb2

Secrets = secret_pb2.ListGatewaySecretInfosRequest
Definitions = model_definition_pb2.ListGatewayModelDefinitionsRequest
Endpoints = endpoint_pb2.ListGatewayEndpointsRequest
Bindings = binding_pb2.ListGatewayEndpointBindingsRequest
Policies = budget_pb2.ListGatewayBudgetPoliciesRequest


def items(response: Any) -> list[Message]:
    return list(getattr(response, response.DESCRIPTOR.fields[0].name))


def first_page(gateway: Any, request: Any, size: int) -> tuple[list[Message], str]:
    setattr(request, "max_results" if isinstance(request, Policies) else "page_size", size)
    response = gateway.do(request)
    return items(response), response.next_page_token


def rest(gateway: Any, request: Any, token: str) -> list[Message]:
    """Return the items of all pages after the first."""
    found: list[Message] = []
    while token:
        request.page_token = token
        response = gateway.do(request)
        assert response.next_page_token != token
        found += items(response)
        token = response.next_page_token
        assert len(found) < 1000
    return found


def fill(gateway: Any, text: str) -> None:
    for number in range(3):
        secret = gateway.secret(provider=f"p{number % 2}", auth_config={"region": "us", "project": text})
        for _ in range(2):
            definition = gateway.definition(secret_id=secret.secret_id, provider=f"p{number % 2}")
            endpoint = gateway.endpoint(gateway.config(model_definition_id=definition.model_definition_id))
            tag = endpoint_pb2.SetGatewayEndpointTagRequest(endpoint_id=endpoint.endpoint_id, key="long", value=text)
            gateway.do(tag)
            key = {"endpoint_id": endpoint.endpoint_id, "resource_type": "scorer"}
            for resource in range(2):
                gateway.do(binding_pb2.CreateGatewayEndpointBindingRequest(resource_id=f"r{resource}", **key))
            gateway.policy(target_scope="ENDPOINT", target_value=endpoint.endpoint_id)


def write(gateway: Any, draw: Any) -> None:
    """Create, update or delete a random resource."""
    kind = draw(st.sampled_from(["secret", "definition", "endpoint", "tag", "binding", "policy", "new"]))
    if kind == "new":
        draw(st.sampled_from([gateway.secret, gateway.definition, gateway.endpoint, gateway.policy]))()
        return
    lists: dict[str, Any] = {"secret": Secrets, "definition": Definitions, "binding": Bindings, "policy": Policies}
    found: list[Any] = items(gateway.do(lists.get(kind, Endpoints)()))
    if not found:
        return
    one, gone = draw(st.sampled_from(found)), draw(st.booleans())
    requests: dict[str, tuple[Any, Any]] = {
        "secret": (
            lambda: secret_pb2.DeleteGatewaySecretRequest(secret_id=one.secret_id),
            lambda: secret_pb2.UpdateGatewaySecretRequest(secret_id=one.secret_id, auth_config={"region": "eu"}),
        ),
        "definition": (
            lambda: model_definition_pb2.UpdateGatewayModelDefinitionRequest(
                model_definition_id=one.model_definition_id, provider="p0"
            ),
            lambda: model_definition_pb2.UpdateGatewayModelDefinitionRequest(
                model_definition_id=one.model_definition_id, provider="p1"
            ),
        ),
        "endpoint": (
            lambda: endpoint_pb2.DeleteGatewayEndpointRequest(endpoint_id=one.endpoint_id),
            lambda: endpoint_pb2.UpdateGatewayEndpointRequest(endpoint_id=one.endpoint_id, experiment_id="7"),
        ),
        "tag": (
            lambda: endpoint_pb2.DeleteGatewayEndpointTagRequest(endpoint_id=one.endpoint_id, key="k"),
            lambda: endpoint_pb2.SetGatewayEndpointTagRequest(endpoint_id=one.endpoint_id, key="k", value="v"),
        ),
        "binding": (
            lambda: binding_pb2.DeleteGatewayEndpointBindingRequest(
                endpoint_id=one.endpoint_id, resource_type=one.resource_type, resource_id=one.resource_id
            ),
            lambda: binding_pb2.CreateGatewayEndpointBindingRequest(
                endpoint_id=one.endpoint_id, resource_type="job", resource_id=f"n{draw(st.uuids())}"
            ),
        ),
        "policy": (
            lambda: budget_pb2.DeleteGatewayBudgetPolicyRequest(budget_policy_id=one.budget_policy_id),
            lambda: budget_pb2.UpdateGatewayBudgetPolicyRequest(budget_policy_id=one.budget_policy_id, budget_amount=7),
        ),
    }
    gateway.do(requests[kind][0 if gone else 1]())


@pytest.mark.parametrize("length", [1, 3000], ids=["whole", "differences"])
@settings(
    max_examples=max(10, settings().max_examples // 40),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_a_list_shows_the_state_at_its_first_page(fresh_gateway: Any, length: int, data: st.DataObject) -> None:
    gateway = fresh_gateway()
    fill(gateway, "x" * length)
    provider = data.draw(st.sampled_from(["", "p0"]))
    requests: list[Any] = [
        Secrets(provider=provider),
        Definitions(provider=provider),
        Endpoints(provider=provider),
        Bindings(),
        Policies(),
    ]
    expected = [items(gateway.do(request)) for request in requests]
    begun = [first_page(gateway, request, data.draw(st.integers(1, 4))) for request in requests]
    for _ in range(data.draw(st.integers(1, 8))):
        write(gateway, data.draw)
    for request, whole, (first, token) in zip(requests, expected, begun, strict=True):
        assert [*first, *rest(gateway, request, token)] == whole


def test_every_page_has_the_revision_of_the_first(gateway: Any) -> None:
    for _ in range(3):
        gateway.secret()
    first = gateway.do(Secrets(page_size=1))
    gateway.secret()
    second = gateway.do(Secrets(page_size=1, page_token=first.next_page_token))
    assert (first.revision, second.revision) == (3, 3)
    assert gateway.do(Secrets()).revision == 4


def test_a_token_lives_as_long_as_the_changes_since(gateway: Any, ticks: Any) -> None:
    secrets = [gateway.secret() for _ in range(3)]
    token = gateway.do(Secrets(page_size=1)).next_page_token
    gateway.do(secret_pb2.DeleteGatewaySecretRequest(secret_id=secrets[1].secret_id))
    ticks.advance(IDEMPOTENCY_WINDOW_MS + 1)
    gateway.secret()
    assert rest(gateway, Secrets(page_size=1), token) == secrets[1:]
    with gateway.store.write() as transaction:
        compact(transaction, Retention(age_ms=0, changes=1), transaction.now)
    error = gateway.refused(Secrets(page_size=1, page_token=token))
    assert (error.code, error.reason) == (Code.ABORTED, "PAGE_TOKEN_EXPIRED")


@pytest.mark.parametrize("written", [1, 50])
def test_pages_are_full_after_deletions(gateway: Any, written: int) -> None:
    secrets = [gateway.secret() for _ in range(written + 4)]
    token = gateway.do(Secrets(page_size=1)).next_page_token
    for secret in secrets[1 : written + 1]:
        gateway.do(secret_pb2.DeleteGatewaySecretRequest(secret_id=secret.secret_id))
    page = gateway.do(Secrets(page_size=3, page_token=token))
    assert list(page.secrets) == secrets[1:4]
