"""Tags of endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from gatewayentities.v1.endpoint_pb2 import (
    DeleteGatewayEndpointTagRequest,
    GatewayEndpointTag,
    SetGatewayEndpointTagRequest,
)

ANY_TEXT = " naïve \u202e 🙂 '\"; -- "


def tags(gateway: Any, endpoint_id: str) -> list[tuple[str, str]]:
    return [(tag.key, tag.value) for tag in gateway.read_endpoint(endpoint_id).tags]


def test_tags_are_ordered_by_first_set(gateway: Any) -> None:
    endpoint = gateway.endpoint()

    def put(key: str, **fields: str) -> None:
        gateway.do(SetGatewayEndpointTagRequest(endpoint_id=endpoint.endpoint_id, key=key, **fields))

    put("b", value="1")
    put(ANY_TEXT, value=ANY_TEXT)
    put("a")
    put("b", value="2")
    assert tags(gateway, endpoint.endpoint_id) == [("b", "2"), (ANY_TEXT, ANY_TEXT), ("a", "")]
    gateway.do(DeleteGatewayEndpointTagRequest(endpoint_id=endpoint.endpoint_id, key="b"))
    put("b", value="3")
    assert tags(gateway, endpoint.endpoint_id) == [(ANY_TEXT, ANY_TEXT), ("a", ""), ("b", "3")]


def test_the_default_value_is_empty(gateway: Any) -> None:
    endpoint = gateway.endpoint()
    gateway.do(SetGatewayEndpointTagRequest(endpoint_id=endpoint.endpoint_id, key="k"))
    assert list(gateway.read_endpoint(endpoint.endpoint_id).tags) == [GatewayEndpointTag(key="k", value="")]


def test_tags_leave_the_endpoints_times_unchanged(gateway: Any) -> None:
    endpoint = gateway.endpoint()
    gateway.do(SetGatewayEndpointTagRequest(endpoint_id=endpoint.endpoint_id, key="k"))
    gateway.do(DeleteGatewayEndpointTagRequest(endpoint_id=endpoint.endpoint_id, key="k"))
    gateway.do(DeleteGatewayEndpointTagRequest(endpoint_id=endpoint.endpoint_id, key="never set"))
    assert gateway.read_endpoint(endpoint.endpoint_id) == endpoint


@pytest.mark.parametrize("request_type", [SetGatewayEndpointTagRequest, DeleteGatewayEndpointTagRequest])
def test_endpoint_not_found(gateway: Any, not_found: Any, request_type: Any) -> None:
    error = gateway.refused(request_type(endpoint_id="nope", key="k"))
    not_found(error, "GatewayEndpoint not found (endpoint_id='nope')")
