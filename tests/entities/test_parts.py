"""Entities in responses, decoded and encoded with and without the native codec."""

from __future__ import annotations

import gc
from random import Random
from typing import Any

import pytest

from gateway_entities import (
    NATIVE,
    GatewayEndpoint,
    GatewayEndpointTag,
    GatewayResource,
    ResolvedGatewayEndpoint,
    WireError,
    entities,
)
from gateway_entities.client._base import decode_entities
from gateway_entities.entities import parts, weights
from gateway_entities.errors import GatewayError
from gateway_entities.methods import LIST_GATEWAY_ENDPOINTS, METHODS, Method
from gatewayentities.v1 import endpoint_pb2
from tests import profiles
from tests.entities import native
from tests.entities.entity_types import filled
from tests.entities.test_mutations import mutated
from tests.entities.wire_messages import generated, unknown
from tests.messages import varint

COUNT = profiles.count(20_000, 60)
CARRIERS: list[tuple[Method[Any, Any], Any]] = [
    (method, getattr(entities, field.message_type.name))
    for method in METHODS
    for field in method.response_type.DESCRIPTOR.fields
    if field.message_type is not None
]
every_carrier = pytest.mark.parametrize(("method", "kind"), CARRIERS, ids=lambda one: getattr(one, "name", ""))


def response_bytes(random: Random, method: Method[Any, Any], kind: Any) -> bytes:
    """Return the bytes of a response: its entities among its other fields, in any order, with unknown ones."""
    field = parts.field_of(method.response_type, kind)
    count = random.randint(0, 3) if field.is_repeated else random.choice((0, 1, 1, 1, 1, 1, 2))
    contents = [generated(random, kind._message.DESCRIPTOR) for _ in range(count)]
    pieces = [varint(field.number << 3 | 2) + varint(len(content)) + content for content in contents]
    others = method.response_type()
    for other in method.response_type.DESCRIPTOR.fields:
        if other.message_type is None and random.random() < 0.5:
            setattr(others, other.name, "text" if other.type == other.TYPE_STRING else 1)
    pieces.append(others.SerializeToString())
    if random.random() < 0.3:
        pieces.append(unknown(random, method.response_type.DESCRIPTOR))
    random.shuffle(pieces)
    data = b"".join(pieces)
    return mutated(random, [data]) if data and random.random() < 0.3 else data


def decoded(method: Method[Any, Any], kind: Any, data: bytes) -> Any:
    """Return the entities and the other fields of a response, or the error."""
    try:
        response, found = decode_entities(method, kind, data)
    except GatewayError as error:
        return error.code, error.message, error.reason
    response.ClearField(parts.field_of(method.response_type, kind).name)
    return native.exactly(found), response.SerializeToString(deterministic=True)


@every_carrier
def test_the_entities_of_a_response_are_equal_with_and_without_the_codec(
    method: Method[Any, Any], kind: Any, monkeypatch: pytest.MonkeyPatch
):
    random = Random(f"{profiles.SEED} {method.name}")
    cases = [response_bytes(random, method, kind) for _ in range(COUNT)]
    found = [decoded(method, kind, data) for data in cases]
    monkeypatch.setattr(parts, "decode_in", None)
    for data, one in zip(cases, found, strict=True):
        assert one == decoded(method, kind, data), data.hex()
    assert any(isinstance(one[0], list) for one in found)
    assert any(not isinstance(one[0], list) for one in found)


@every_carrier
def test_entities_are_encoded_as_the_field_of_a_response(method: Method[Any, Any], kind: Any):
    field = parts.field_of(method.response_type, kind)
    several = [filled(kind)] * (3 if field.is_repeated else 1)
    data = parts.encode(method.response_type, kind, several)
    if data is None and NATIVE:
        # Left to Python: one has alternatives, the other values of secrets.
        assert kind in {GatewayResource, ResolvedGatewayEndpoint}
        return
    if data is None:
        pytest.skip("the native codec is not built: python -m gateway_entities.entities._native.compile")
    response = method.response_type.FromString(data)
    value = getattr(response, field.name)
    assert [kind.from_proto(each) for each in (value if field.is_repeated else [value])] == several


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_it_was_after_a_list(enabled: bool):
    data = b"".join(b"\n" + varint(len(one)) + one for one in [filled(GatewayEndpoint).to_bytes()] * 3)
    (gc.enable if enabled else gc.disable)()
    try:
        for each in (data, data[:-1], data + b"\n\0"):
            parts.split(endpoint_pb2.ListGatewayEndpointsResponse, GatewayEndpoint, each)
            assert gc.isenabled() is enabled
    finally:
        gc.enable()


def test_what_is_wrong_is_left_to_the_python_converters():
    wrong = filled(GatewayEndpoint)
    wrong.name = 7
    with pytest.raises(WireError, match=r"GatewayEndpoint\.name"):
        wrong.to_bytes()
    response = endpoint_pb2.ListGatewayEndpointsResponse
    assert parts.encode(response, GatewayEndpoint, [filled(GatewayEndpoint), wrong]) is None
    assert parts.encode(response, GatewayEndpoint, (filled(GatewayEndpoint),)) is None
    assert parts.encode(response, GatewayEndpoint, [filled(GatewayEndpointTag)]) is None
    with pytest.raises(LookupError, match="has 0 fields with a GatewayEndpointTag"):
        parts.field_of(response, GatewayEndpointTag)
    assert LIST_GATEWAY_ENDPOINTS.response_type is response


@pytest.mark.skipif(not NATIVE, reason="the native codec is not built: python -m gateway_entities.entities._native.compile")
def test_the_collector_is_on_while_python_code_runs(monkeypatch: pytest.MonkeyPatch):
    """A child that another thread forks meanwhile would be without a collector for ever."""
    seen: list[bool] = []
    real = weights.shortest_decimal

    def shortest_decimal(weight: float) -> float:
        seen.append(gc.isenabled())
        return real(weight)

    monkeypatch.setattr(weights, "shortest_decimal", shortest_decimal)
    endpoint = filled(GatewayEndpoint)
    endpoint.model_mappings[0].weight = 0.123456
    data = endpoint.to_bytes()
    assert parts.split(endpoint_pb2.ListGatewayEndpointsResponse, GatewayEndpoint, b"\n" + varint(len(data)) + data)
    assert seen
    assert all(seen)
    assert gc.isenabled()
