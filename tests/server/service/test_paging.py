"""Pages and page tokens of every list."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from gateway_entities.errors import Code
from gateway_entities.methods import METHODS
from gateway_entities.server.service.lists import paging
from gatewayentities.v1.binding_pb2 import CreateGatewayEndpointBindingRequest, ListGatewayEndpointBindingsRequest
from gatewayentities.v1.budget_pb2 import (
    ListGatewayBudgetPoliciesRequest,
    ListGatewayBudgetWindowsRequest,
    RecordGatewaySpendRequest,
)
from gatewayentities.v1.change_pb2 import ListGatewayChangesRequest
from gatewayentities.v1.convergence_pb2 import ListGatewayNodesRequest
from gatewayentities.v1.endpoint_pb2 import ListGatewayEndpointsRequest
from gatewayentities.v1.guardrail_pb2 import (
    CreateGatewayGuardrailRequest,
    ListEndpointGuardrailConfigsRequest,
    ListGatewayGuardrailsRequest,
)
from gatewayentities.v1.model_definition_pb2 import ListGatewayModelDefinitionsRequest
from gatewayentities.v1.resolution_pb2 import ListGatewaySecretAccessesRequest
from gatewayentities.v1.secret_pb2 import (
    DeleteGatewaySecretRequest,
    ListGatewaySecretInfosRequest,
    UpdateGatewaySecretRequest,
)
from gatewayentities.v1.spend_pb2 import ListGatewayBudgetBalancesRequest, ListGatewaySpendRequest
from tests.statements import record_statements


def bind(gateway: Any) -> None:
    """Bind one endpoint to resources whose ids contain the token's separator and non-ASCII characters."""
    endpoint_id = gateway.endpoint().endpoint_id
    for resource_id in ("a:b", ":", "🙂", "é:\n"):
        key = {"endpoint_id": endpoint_id, "resource_type": "scorer", "resource_id": resource_id}
        gateway.do(CreateGatewayEndpointBindingRequest(**key))


def guard(gateway: Any) -> None:
    given = {"name": "n", "scorer_id": "s", "scorer_version": 1, "stage": "BEFORE", "action": "VALIDATION"}
    gateway.do(CreateGatewayGuardrailRequest(**given))


def spend(gateway: Any) -> None:
    """Spend on an endpoint, in the name of users that contain the token's separator and non-ASCII characters."""
    endpoint_id = gateway.endpoint().endpoint_id
    for user in ("", "a:b", "🙂"):
        charge = {"endpoint_id": endpoint_id, "user": user, "amount_nanos": 5, "budget_unit": "USD"}
        gateway.do(RecordGatewaySpendRequest(**charge, request_id=f"{endpoint_id} {user}"))


FILL: dict[type[Message], Callable[[Any], object]] = {
    ListGatewaySecretInfosRequest: lambda gateway: gateway.secret(),
    ListGatewayModelDefinitionsRequest: lambda gateway: gateway.definition(),
    ListGatewayEndpointsRequest: lambda gateway: gateway.endpoint(),
    ListGatewayEndpointBindingsRequest: bind,
    ListGatewayBudgetPoliciesRequest: lambda gateway: gateway.policy(),
    ListGatewayGuardrailsRequest: guard,
    ListGatewayBudgetWindowsRequest: lambda gateway: gateway.policy(),
    ListGatewayBudgetBalancesRequest: lambda gateway: gateway.policy(),
    ListGatewaySpendRequest: spend,
}
LISTS = pytest.mark.parametrize("request_type", FILL, ids=lambda request_type: request_type.DESCRIPTOR.name)


def page(gateway: Any, request_type: type[Message], size: int | None, token: str | None) -> tuple[list[Message], str | None]:
    size_field = "max_results" if "max_results" in request_type.DESCRIPTOR.fields_by_name else "page_size"
    response = gateway.do(request_type(page_token=token, **{size_field: size}))
    items = getattr(response, response.DESCRIPTOR.fields[0].name)
    return list(items), response.next_page_token if response.HasField("next_page_token") else None


def test_every_list_is_covered() -> None:
    paged = {method.request_type for method in METHODS if "page_token" in method.request_type.DESCRIPTOR.fields_by_name}
    # Other tests cover the change log, the accesses, the nodes, and the guardrails of an endpoint.
    elsewhere = {ListGatewayChangesRequest, ListGatewaySecretAccessesRequest, ListGatewayNodesRequest}
    assert set(FILL) == paged - elsewhere - {ListEndpointGuardrailConfigsRequest}


@LISTS
def test_pages_concatenate_to_the_whole_list(gateway: Any, request_type: type[Message]) -> None:
    for _ in range(5):
        FILL[request_type](gateway)
    everything, token = page(gateway, request_type, None, None)
    assert token is None
    assert len(everything) >= 5
    assert page(gateway, request_type, 0, "") == (everything, None)
    for size in (
        1,
        2,
        len(everything) - 1,
        len(everything),
        1000,
    ):
        collected, token = page(gateway, request_type, size, None)
        pages = 1
        while token is not None:
            items, token = page(gateway, request_type, size, token)
            assert 0 < len(items) <= size
            collected += items
            pages += 1
            assert pages <= len(everything)
        assert collected == everything
        assert pages == -(-len(everything) // size)


@LISTS
def test_a_token_without_a_size_returns_the_rest(gateway: Any, request_type: type[Message]) -> None:
    for _ in range(3):
        FILL[request_type](gateway)
    everything, _ = page(gateway, request_type, None, None)
    _, token = page(gateway, request_type, 1, None)
    assert page(gateway, request_type, None, token) == (everything[1:], None)


@LISTS
def test_a_token_of_another_list_is_invalid(gateway: Any, request_type: type[Message]) -> None:
    for fill in FILL.values():
        fill(gateway)
        fill(gateway)
    for other in FILL:
        token = page(gateway, other, 1, None)[1]
        assert token is not None
        if other is not request_type:
            error = gateway.refused(request_type(page_token=token))
            assert (error.code, error.field_violations[0].field) == (Code.INVALID_ARGUMENT, "page_token")


def encoded(text: str, store_id: str = "id:") -> str:
    """Return the token of a text with a digest that is not verified, because the text is malformed."""
    return base64.urlsafe_b64encode(bytes(16) + (store_id + text).encode()).decode().rstrip("=")


BAD_TOKENS = [
    "x",
    "!",
    "é",
    " ",
    "////",
    "_w",
    "_" * 24,  # Not UTF-8.
    base64.urlsafe_b64encode(b"secrets:1:1:s-1").decode().rstrip("="),
    encoded("secrets:1:1:s-1", store_id=""),
    encoded("secrets"),
    encoded("secrets:1"),
    encoded("secrets:1:s-1"),  # Without a revision.
    encoded("secrets:x:1:s-1"),
    encoded("secrets:-1:1:s-1"),
    encoded(f"secrets:{2**63}:1:s-1"),
    encoded("secrets:1:x:s-1"),
    encoded("secrets:1:٣:s-1"),
    encoded("secrets:1:01:s-1"),
    encoded("secrets:1:1_0:s-1"),
    encoded(f"secrets:1:{2**63}:s-1"),
    encoded("secrets:1:" + "9" * 5000 + ":s-1"),
    encoded("secrets:1:1:s-11") + "==",
    encoded("secrets:1:1:s-1") + "\n",
]


@pytest.mark.parametrize("token", BAD_TOKENS)
def test_a_malformed_token_is_invalid(gateway: Any, token: str) -> None:
    error = gateway.refused(ListGatewaySecretInfosRequest(page_token=token))
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert error.field_violations == (("page_token", "must be the unchanged next_page_token of the previous page"),)


def altered(token: str, change: Callable[[bytes, bytes], bytes]) -> str:
    """Return a token with another content; the digest is 16 bytes, the text after it has the store, list and revision."""
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return base64.urlsafe_b64encode(change(data[:16], data[16:])).decode().rstrip("=")


@LISTS
def test_a_forged_token_is_invalid(gateway: Any, request_type: type[Message]) -> None:
    """The key and the revision of a page cannot be chosen by a client, nor the list of a token changed."""
    for _ in range(3):
        FILL[request_type](gateway)
    _, token = page(gateway, request_type, 1, None)
    assert token is not None
    forged = [
        altered(token, lambda _, text: bytes(16) + text),
        altered(token, lambda mac, text: bytes([mac[0] ^ 1]) + mac[1:] + text),
        altered(token, lambda mac, text: mac[:15] + bytes([mac[15] ^ 0x80]) + text),
        altered(token, lambda mac, text: mac + text + b"0"),
        altered(token, lambda mac, text: mac + with_revision(text, 1)),
        altered(token, lambda mac, text: mac + with_revision(text, 10**6)),
    ]
    for each in forged:
        error = gateway.refused(request_type(page_token=each))
        assert (error.code, error.field_violations[0].field) == (Code.INVALID_ARGUMENT, "page_token")
    assert page(gateway, request_type, 1, token)[0]


def with_revision(text: bytes, revision: int) -> bytes:
    store_id, name, _, key = text.split(b":", 3)
    return b":".join((store_id, name, str(revision).encode(), key))


@LISTS
def test_a_token_of_another_store_is_out_of_range(fresh_gateway: Any, request_type: type[Message]) -> None:
    gateway, other = fresh_gateway(), fresh_gateway()
    # The tables of both are copies.
    other.place.execute("UPDATE store_state SET store_id = 'another'")
    for each in (gateway, other):
        for _ in range(2):
            FILL[request_type](each)
    _, token = page(other, request_type, 1, None)
    error = gateway.refused(request_type(page_token=token))
    assert (error.code, error.reason) == (Code.OUT_OF_RANGE, "STORE_CHANGED")


def test_a_page_of_a_revision_that_does_not_exist_yet_is_refused(gateway: Any) -> None:
    """As after the loss of the last mutations: the store was replaced by an older state of itself."""
    for _ in range(3):
        gateway.secret()
    _, token = page(gateway, ListGatewaySecretInfosRequest, 1, None)
    gateway.place.execute("UPDATE store_state SET last_revision = 2")
    error = gateway.refused(ListGatewaySecretInfosRequest(page_token=token))
    assert (error.code, error.reason) == (Code.OUT_OF_RANGE, "STORE_CHANGED")


@pytest.mark.parametrize(("limit", "value"), [("MAX_CHANGES", 4), ("MAX_FORMER_BYTES", 50)])
def test_a_page_after_too_many_changes_is_refused(
    gateway: Any, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(paging, limit, value)
    secrets = [gateway.secret() for _ in range(8)]
    _, token = page(gateway, ListGatewaySecretInfosRequest, 1, None)
    statements = record_statements(gateway.store._database.reader)
    for secret in secrets[1:]:
        response = gateway.do(ListGatewaySecretInfosRequest(page_token=token, page_size=1))
        assert response.secrets[0] == secrets[1]
        gateway.do(DeleteGatewaySecretRequest(secret_id=secret.secret_id))
        gateway.policy()
        statements.clear()
        if secret == secrets[5 if limit == "MAX_CHANGES" else 1]:
            break
    error = gateway.refused(ListGatewaySecretInfosRequest(page_token=token))
    assert (error.code, error.reason) == (Code.ABORTED, "PAGE_TOKEN_EXPIRED")
    assert len(statements) == 3, "the state, the oldest revision, and the cost of the page"


def test_repeated_changes_of_one_resource_cost_one_state(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_FORMER_BYTES", 300)
    secrets = [gateway.secret() for _ in range(3)]
    _, token = page(gateway, ListGatewaySecretInfosRequest, 1, None)
    for number in range(10):
        gateway.do(UpdateGatewaySecretRequest(secret_id=secrets[1].secret_id, auth_config={"n": str(number)}))
    assert page(gateway, ListGatewaySecretInfosRequest, None, token) == (secrets[1:], None)


@pytest.mark.parametrize(("limit", "is_refused"), [(1000, True), (3000, False)])
def test_the_size_of_states_that_are_restored_from_differences_is_limited(
    gateway: Any, monkeypatch: pytest.MonkeyPatch, limit: int, is_refused: bool
) -> None:
    monkeypatch.setattr(paging, "MAX_FORMER_BYTES", limit)
    secrets = [gateway.secret(auth_config={"large": "x" * 2000, "n": "before"}) for _ in range(2)]
    _, token = page(gateway, ListGatewaySecretInfosRequest, 1, None)
    gateway.do(UpdateGatewaySecretRequest(secret_id=secrets[1].secret_id, auth_config={"large": "x" * 2000, "n": "after"}))
    if is_refused:
        error = gateway.refused(ListGatewaySecretInfosRequest(page_token=token))
        assert (error.code, error.reason) == (Code.ABORTED, "PAGE_TOKEN_EXPIRED")
    else:
        assert page(gateway, ListGatewaySecretInfosRequest, None, token) == (secrets[1:], None)


def test_all_differences_of_a_resource_count(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_FORMER_BYTES", 5000)
    secrets = [gateway.secret(auth_config={"large": "x" * 1500, "n": "y" * 300}) for _ in range(2)]
    _, token = page(gateway, ListGatewaySecretInfosRequest, 1, None)
    for number in range(20):
        config = {"large": "x" * 1500, "n": str(number % 10) * 300}
        gateway.do(UpdateGatewaySecretRequest(secret_id=secrets[1].secret_id, auth_config=config))
        if number == 5:
            assert page(gateway, ListGatewaySecretInfosRequest, None, token) == (secrets[1:], None)
    error = gateway.refused(ListGatewaySecretInfosRequest(page_token=token))
    assert (error.code, error.reason) == (Code.ABORTED, "PAGE_TOKEN_EXPIRED")
