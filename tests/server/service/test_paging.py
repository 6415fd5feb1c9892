"""Pages and page tokens of every list."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from gateway_entities.errors import Code
from gateway_entities.methods import METHODS
from gatewayentities.v1.binding_pb2 import CreateGatewayEndpointBindingRequest, ListGatewayEndpointBindingsRequest
from gatewayentities.v1.budget_pb2 import ListGatewayBudgetPoliciesRequest, ListGatewayBudgetWindowsRequest
from gatewayentities.v1.change_pb2 import ListGatewayChangesRequest
from gatewayentities.v1.endpoint_pb2 import ListGatewayEndpointsRequest
from gatewayentities.v1.model_definition_pb2 import ListGatewayModelDefinitionsRequest
from gatewayentities.v1.secret_pb2 import ListGatewaySecretInfosRequest


def bind(gateway: Any) -> None:
    """Bind one endpoint to resources whose ids contain the token's separator and non-ASCII characters."""
    endpoint_id = gateway.endpoint().endpoint_id
    for resource_id in ("a:b", ":", "🙂", "é:\n"):
        key = {"endpoint_id": endpoint_id, "resource_type": "scorer", "resource_id": resource_id}
        gateway.do(CreateGatewayEndpointBindingRequest(**key))


FILL: dict[type[Message], Callable[[Any], object]] = {
    ListGatewaySecretInfosRequest: lambda gateway: gateway.secret(),
    ListGatewayModelDefinitionsRequest: lambda gateway: gateway.definition(),
    ListGatewayEndpointsRequest: lambda gateway: gateway.endpoint(),
    ListGatewayEndpointBindingsRequest: bind,
    ListGatewayBudgetPoliciesRequest: lambda gateway: gateway.policy(),
    ListGatewayBudgetWindowsRequest: lambda gateway: gateway.policy(),
}
LISTS = pytest.mark.parametrize("request_type", FILL, ids=lambda request_type: request_type.DESCRIPTOR.name)


def page(gateway: Any, request_type: type[Message], size: int | None, token: str | None) -> tuple[list[Message], str | None]:
    size_field = "max_results" if request_type is ListGatewayBudgetPoliciesRequest else "page_size"
    response = gateway.do(request_type(page_token=token, **{size_field: size}))
    items = getattr(response, response.DESCRIPTOR.fields[0].name)
    return list(items), response.next_page_token if response.HasField("next_page_token") else None


def test_every_list_is_covered() -> None:
    paged = {method.request_type for method in METHODS if "page_token" in method.request_type.DESCRIPTOR.fields_by_name}
    assert set(FILL) == paged - {ListGatewayChangesRequest}, "test_change.py covers the change log"


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


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


BAD_TOKENS = [
    "x",
    "!",
    "é",
    " ",
    "////",
    "_w",  # Not UTF-8.
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
