"""Endpoints: absent and empty fields, and weights."""

from __future__ import annotations

import math
import struct

import pytest

from gateway_entities import (
    FallbackConfig,
    GatewayEndpoint,
    GatewayEndpointModelConfig,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    GatewayModelLinkageType,
    RoutingStrategy,
    WireError,
)
from gatewayentities.v1 import endpoint_pb2


def test_absent_empty_and_zero_differ():
    absent = GatewayEndpoint("e-1", None, 0, 0)
    empty = GatewayEndpoint("e-1", "", 0, 0, [], [], "", "", 0, FallbackConfig(), "", False)
    assert GatewayEndpoint.from_bytes(absent.to_bytes()) == absent != empty
    assert GatewayEndpoint.from_bytes(empty.to_bytes()) == empty
    sent = absent.to_proto()
    assert [field.name for field, _ in sent.ListFields()] == ["endpoint_id", "created_at", "last_updated_at"]
    sent = empty.to_proto()
    assert {field.name for field, _ in sent.ListFields()} == {*sent.DESCRIPTOR.fields_by_name} - {"model_mappings", "tags"}


def test_an_empty_fallback_config_is_not_an_absent_one():
    read = GatewayEndpoint.from_bytes(GatewayEndpoint("e-1", "x", 1, 1, fallback_config=FallbackConfig()).to_bytes())
    assert read.fallback_config == FallbackConfig(None, None)


def test_order_is_preserved():
    tags = [GatewayEndpointTag(key, key) for key in "bca"]
    assert GatewayEndpoint.from_bytes(GatewayEndpoint("e-1", "x", 1, 1, tags=tags).to_bytes()).tags == tags


def test_enums_are_members_when_known_and_numbers_when_not():
    read = GatewayEndpoint.from_proto(
        endpoint_pb2.GatewayEndpoint(endpoint_id="e-1", created_at=1, last_updated_at=1, routing_strategy=1)
    )
    assert read.routing_strategy is RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT
    config = endpoint_pb2.GatewayEndpointModelConfig(model_definition_id="d-1")
    config.linkage_type = 7  # type: ignore[assignment]
    unknown = GatewayEndpointModelConfig.from_proto(config)
    assert type(unknown.linkage_type) is int
    assert "linkage_type=7" in repr(unknown)
    assert unknown.to_proto() == config


def config(weight: float | None) -> GatewayEndpointModelConfig:
    return GatewayEndpointModelConfig("d-1", GatewayModelLinkageType.PRIMARY, weight)


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (0.1, "0.1"),
        (0.7, "0.7"),
        (1, "1.0"),
        (1 / 3, "0.33333334"),
        (16777217, "16777216.0"),
        (3.4028235e38, "3.4028235e+38"),
        (1.4e-45, "1e-45"),
        (1e-60, "0.0"),
        (-1e-60, "-0.0"),
        (-0.0, "-0.0"),
        (0.0, "0.0"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        # The next decimal above the nearest is shorter, and rounds to the same float.
        (2.0**-96, "1.2621775e-29"),
        (-(2.0**90), "-1.2379401e+27"),
        # No eight digits name it.
        (0.106233634, "0.106233634"),
        (None, "None"),
    ],
)
def test_a_weight_is_the_shortest_decimal(given: float | None, held: str):
    mapping = GatewayEndpointModelMapping("m-1", "e-1", "d-1", None, given, 1, None, 1)
    for entity in (config(given), mapping):
        assert repr(entity.weight) == held
        assert repr(type(entity).from_bytes(entity.to_bytes()).weight) == held


@pytest.mark.parametrize("bits", [0x7FC00000, 0xFFC00000, 0x7FC12345, 0xFFFFFFFF])
def test_a_quiet_nan_is_preserved_bit_for_bit(bits: int):
    # Compared with the message, since protobuf without its C extension may lose the bits.
    sent = endpoint_pb2.GatewayEndpointModelConfig.FromString(b"\x0a\x03d-1\x1d" + struct.pack("<I", bits))
    assert GatewayEndpointModelConfig.from_proto(sent).to_bytes() == sent.SerializeToString()


def test_a_signaling_nan_is_preserved_or_an_error():
    data = b"\x0a\x03d-1\x1d" + struct.pack("<I", 0x7F800001)
    sent = endpoint_pb2.GatewayEndpointModelConfig.FromString(data)
    again = endpoint_pb2.GatewayEndpointModelConfig(model_definition_id="d-1", weight=sent.weight)
    if again.SerializeToString() == sent.SerializeToString():
        assert GatewayEndpointModelConfig.from_proto(sent).to_bytes() == sent.SerializeToString()
        return
    with pytest.raises(WireError, match=r"^INVALID_ARGUMENT: GatewayEndpointModelConfig\.weight: is a signaling NaN"):
        GatewayEndpointModelConfig.from_bytes(data)


@pytest.mark.parametrize("weight", [3.4028236e38, -1e39, 1e308, 10**400])
def test_a_weight_out_of_range_is_an_error(weight: float):
    with pytest.raises(WireError, match=r"GatewayEndpointModelConfig\.weight"):
        config(weight).to_proto()


def test_a_weight_set_later_is_encoded_as_its_nearest_float():
    entity = config(0.5)
    entity.weight = 1 / 3
    assert GatewayEndpointModelConfig.from_bytes(entity.to_bytes()).weight == 0.33333334
