"""Requests of four megabytes over every protocol of a running server: refused, cheaply, with what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from gateway_entities import methods
from gateway_entities.testing import Gateway, gateway
from gatewayentities.v1 import endpoint_pb2
from tests.server.raw import call, channel, grpc_failure, http_failure, post_json, post_proto, request

CREATE = methods.CREATE_GATEWAY_ENDPOINT
FOUR_MEGABYTES = 4_000_000
MANY = "the request has more than 10000 values"
COUNT = "model_configs must have at most 100 models, has 101"


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


def many_models(protocol: str, number: int) -> bytes:
    if protocol in {"grpc", "proto"}:
        return b"\x0a\x01q" + b"\x12\x00" * number
    return b'{"name":"q","model_configs":[' + b"{}," * (number - 1) + b"{}]}"


def rejection(running: Gateway, protocol: str, body: bytes) -> tuple[str, str | None, str]:
    """Return the code, the reason and the message of a refused creation of an endpoint."""
    if protocol == "grpc":
        with channel(running.grpc_target) as opened, pytest.raises(grpc.RpcError) as caught:
            call(opened, CREATE, body)
        failure = grpc_failure(caught.value)
    elif protocol == "rest":
        path, headers = "/api/3.0/mlflow/gateway/endpoints/create", {"content-type": "application/json"}
        response = request(running.http_target, "POST", path, body, headers)
        assert response.status == 400
        return response.json["error_code"], None, response.json["message"]
    else:
        post: Callable[..., Any] = post_json if protocol == "json" else post_proto
        failure = http_failure(post(running.http_target, CREATE, body))
    assert failure.code.replace(" ", "_") == "invalid_argument"
    return failure.code, failure.reason, failure.message


@pytest.mark.parametrize("protocol", ["grpc", "proto", "json", "rest"])
def test_four_megabytes_of_models(running: Gateway, protocol: str) -> None:
    body = many_models(protocol, FOUR_MEGABYTES // (2 if protocol in {"grpc", "proto"} else 3))
    before = time.process_time()
    _, reason, message = rejection(running, protocol, body)
    # Client and server are one process here.
    assert time.process_time() - before < 1
    assert message == MANY
    assert reason in {None, "TOO_MANY_VALUES"}
    assert request(running.http_target, "GET", "/healthz").status == 200


@pytest.mark.parametrize("protocol", ["grpc", "proto", "json", "rest"])
def test_one_model_too_many(running: Gateway, protocol: str) -> None:
    assert rejection(running, protocol, many_models(protocol, 101))[2] == COUNT


def test_a_hundred_faulty_models_are_listed_as_far_as_there_is_space(running: Gateway) -> None:
    for protocol in "grpc", "proto":
        message = rejection(running, protocol, many_models(protocol, 100))[2]
        assert message.startswith("more than 100 violations: model_configs[0].model_definition_id is required; ")
        assert message.endswith(" of 100 violations are left out)")


def test_what_is_refused_changes_nothing(running: Gateway) -> None:
    with channel(running.grpc_target) as opened:
        assert not call(opened, methods.LIST_GATEWAY_ENDPOINTS, endpoint_pb2.ListGatewayEndpointsRequest()).endpoints
