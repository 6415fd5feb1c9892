"""How many statements a call sends to the store: what is written is not read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gatewayentities.v1.endpoint_pb2 import (
    CreateGatewayEndpointRequest,
    GetGatewayEndpointRequest,
    ListGatewayEndpointsRequest,
    UpdateGatewayEndpointRequest,
)
from tests.statements import noted

Count = Callable[..., int]


@pytest.fixture
def count(gateway: Any) -> Count:
    """Tells how many statements a request sends."""
    database = gateway.store._database
    sent = [noted(database.reader), noted(database.writer)]

    def do(request: Any) -> int:
        for statements in sent:
            statements.clear()
        gateway.do(request)
        return sum(map(len, sent))

    return do


@pytest.mark.parametrize("models", [1, 3, 9])
def test_a_change_of_an_endpoint(gateway: Any, count: Count, models: int) -> None:
    configs = [gateway.config() for _ in range(models)]
    # The definitions; the endpoint and its models; the last revision, and the change; what is old goes from two tables.
    assert count(CreateGatewayEndpointRequest(name="counted", model_configs=configs)) == 1 + 1 + models + 2 + 2
    identifier = gateway.do(GetGatewayEndpointRequest(name="counted")).endpoint.endpoint_id
    # The endpoint with its models and tags is read before it is changed.
    assert count(UpdateGatewayEndpointRequest(endpoint_id=identifier, name="renamed")) == 3 + 1 + 2 + 2
    # Its old models go at once.
    update = UpdateGatewayEndpointRequest(endpoint_id=identifier, model_configs=configs)
    assert count(update) == 3 + 1 + 1 + models + 1 + 2 + 2


def test_reads_of_endpoints(gateway: Any, count: Count) -> None:
    first = gateway.endpoint()
    for _ in range(5):
        gateway.endpoint(gateway.config(), gateway.config("FALLBACK"))
    # The last revision; the endpoints, their models, and their tags; the definitions of the models.
    assert count(GetGatewayEndpointRequest(endpoint_id=first.endpoint_id)) == 1 + 3
    assert count(ListGatewayEndpointsRequest()) == 1 + 4
    assert count(ListGatewayEndpointsRequest(page_size=2)) == 1 + 4
