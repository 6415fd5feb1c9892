"""The JSON of a whole list, joined from its pages, is that of one message with all of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gateway_entities.mlflow_rest import encode
from gatewayentities.v1 import endpoint_pb2


@pytest.mark.parametrize("ends", [(0,), (0, 0), (0, 5), (0, 1, 5), (0, 0, 2, 2, 5, 5), (0, 1, 2, 3, 4, 5)])
def test_joined_pages_are_the_whole_list(ends: tuple[int, ...]) -> None:
    endpoints = [
        endpoint_pb2.GatewayEndpoint(endpoint_id=f"e-{number}", name='a "[]" name,\n  ]\n}', created_at=number)
        for number in range(5)
    ]
    pages = [
        endpoint_pb2.ListGatewayEndpointsResponse(endpoints=endpoints[start:end], revision=7, next_page_token="more")
        for start, end in pairwise(ends)
    ]
    whole = endpoint_pb2.ListGatewayEndpointsResponse(endpoints=endpoints[: ends[-1]])
    assert encode.join_pages([encode.to_json(page) for page in pages]) == encode.to_json(whole)
