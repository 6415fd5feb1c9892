"""Number of SQL statements per call: nothing that was written is read again."""

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
from tests.statements import record_statements

Count = Callable[..., int]


@pytest.fixture
def count(gateway: Any) -> Count:
    """Returns the number of statements that a request sends."""
    database = gateway.store._database
    sent = [record_statements(database.reader), record_statements(database.writer)]

    def do(request: Any) -> int:
        for statements in sent:
            statements.clear()
        gateway.do(request)
        return sum(map(len, sent))

    return do


@pytest.mark.parametrize("models", [1, 3, 9])
def test_mutations_of_endpoints(gateway: Any, count: Count, models: int) -> None:
    configs = [gateway.config() for _ in range(models)]
    # Definitions; endpoint; mappings; revision, change-log entry and its revision; pruning of stored responses.
    assert count(CreateGatewayEndpointRequest(name="counted", model_configs=configs)) == 1 + 1 + models + 3 + 1
    identifier = gateway.do(GetGatewayEndpointRequest(name="counted")).endpoint.endpoint_id
    # Endpoint, mappings and tags are read; the endpoint is updated; log and pruning as above.
    assert count(UpdateGatewayEndpointRequest(endpoint_id=identifier, name="renamed")) == 3 + 1 + 3 + 1
    # In addition the definitions, one delete of the old mappings, one insert each.
    update = UpdateGatewayEndpointRequest(endpoint_id=identifier, model_configs=configs)
    assert count(update) == 3 + 1 + 1 + models + 1 + 3 + 1


def test_reads_of_endpoints(gateway: Any, count: Count) -> None:
    first = gateway.endpoint()
    for _ in range(5):
        gateway.endpoint(gateway.config(), gateway.config("FALLBACK"))
    # Revision; endpoint, mappings and tags; a list also reads the definitions.
    assert count(GetGatewayEndpointRequest(endpoint_id=first.endpoint_id)) == 1 + 3
    assert count(ListGatewayEndpointsRequest()) == 1 + 4
    assert count(ListGatewayEndpointsRequest(page_size=2)) == 1 + 4
