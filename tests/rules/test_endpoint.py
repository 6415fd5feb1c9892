"""Rules of endpoints: their models, their strategies."""

from __future__ import annotations

import math
from typing import Any

import pytest
from google.protobuf.message import Message

from gateway_entities.rules.endpoint import linkage_faults
from gatewayentities.v1.endpoint_pb2 import AttachModelToGatewayEndpointRequest as Attach
from gatewayentities.v1.endpoint_pb2 import CreateGatewayEndpointRequest as CreateEndpoint
from gatewayentities.v1.endpoint_pb2 import GatewayEndpointModelConfig
from gatewayentities.v1.endpoint_pb2 import UpdateGatewayEndpointRequest as UpdateEndpoint

PRIMARY = GatewayEndpointModelConfig(model_definition_id="d-1", linkage_type="PRIMARY")


def config(**fields: object) -> dict[str, object]:
    merged = {"model_definition_id": "d-1", "linkage_type": "PRIMARY", **fields}
    return {name: value for name, value in merged.items() if value is not None}


NUMBER = "must be a finite number, 0 or more, is "
CONFIG_FAULTS = [
    (config(model_definition_id=None), "model_definition_id", "is required"),
    (config(model_definition_id=""), "model_definition_id", "must be 1 to 255 characters, has 0"),
    (config(linkage_type=None), "linkage_type", "is required"),
    (config(linkage_type=0), "linkage_type", "must be one of PRIMARY, FALLBACK, is 0"),
    (config(linkage_type=7), "linkage_type", "must be one of PRIMARY, FALLBACK, is 7"),
    (config(weight=-1.0), "weight", NUMBER + "-1.0"),
    (config(weight=math.nan), "weight", NUMBER + "nan"),
    (config(weight=math.inf), "weight", NUMBER + "inf"),
    (config(fallback_order=-1), "fallback_order", "must be 0 or more, is -1"),
]


@pytest.mark.parametrize(("faulty", "field", "description"), CONFIG_FAULTS)
def test_model_config_faults(check: Any, faulty: dict[str, object], field: str, description: str) -> None:
    for request_type in CreateEndpoint, UpdateEndpoint:
        assert check(request_type, model_configs=[PRIMARY, faulty]) == [(f"model_configs[1].{field}", description)]
    assert check(Attach, model_config=faulty) == [(f"model_config.{field}", description)]


@pytest.mark.parametrize(
    "valid", [config(weight=0.0), config(weight=3e38), config(fallback_order=0), config(linkage_type="FALLBACK", weight=0.0)]
)
def test_model_config_limits(check: Any, valid: dict[str, object]) -> None:
    assert check(CreateEndpoint, model_configs=[PRIMARY, valid]) == check(Attach, model_config=valid) == []


@pytest.mark.parametrize("request_type", [CreateEndpoint, UpdateEndpoint])
def test_an_endpoint_needs_a_primary_model_with_weight(check: Any, request_type: type[Message]) -> None:
    fallback = config(linkage_type="FALLBACK")
    none = [("model_configs", "must have at least one PRIMARY model, has none")]
    weightless = [("model_configs", "must have a PRIMARY model with a weight above 0: the PRIMARY weights sum to 0")]
    assert check(request_type, model_configs=[fallback]) == none
    assert check(request_type, model_configs=[fallback, config(weight=0.0)]) == weightless
    assert check(request_type, model_configs=[config(weight=0.0), config(weight=1e-45)]) == []
    assert check(request_type, model_configs=[fallback, config()]) == []


@pytest.mark.parametrize("request_type", [CreateEndpoint, UpdateEndpoint])
def test_routing_and_fallback(check: Any, request_type: type[Message]) -> None:
    strategies = "must be one of ROUTING_STRATEGY_UNSPECIFIED, REQUEST_BASED_TRAFFIC_SPLIT, is 9"
    fallbacks = "must be one of FALLBACK_STRATEGY_UNSPECIFIED, SEQUENTIAL, is -1"
    assert check(request_type, routing_strategy=0, fallback_config={}) == []
    assert check(request_type, routing_strategy=1, fallback_config={"strategy": 1, "max_attempts": 1}) == []
    assert check(request_type, routing_strategy=9, fallback_config={"strategy": -1, "max_attempts": 0}) == [
        ("routing_strategy", strategies),
        ("fallback_config.strategy", fallbacks),
        ("fallback_config.max_attempts", "must be 1 or more, is 0"),
    ]


def linkages(*models: tuple[str, str, int | None]) -> list[tuple[str, str]]:
    """Return the places and rules of what is wrong with models: definition, linkage and order."""
    configs = [
        GatewayEndpointModelConfig(model_definition_id=name, linkage_type=of, fallback_order=order)
        for name, of, order in models
    ]
    return [(violation.field, violation.rule) for violation in linkage_faults(configs, "m")]


def test_models_taken_together() -> None:
    assert linkages(("a", "PRIMARY", None), ("a", "FALLBACK", None), ("b", "PRIMARY", None)) == []
    assert linkages(("a", "PRIMARY", None), ("b", "PRIMARY", None), ("a", "PRIMARY", None)) == [("m[2]", "across/linkage")]
    same = [("a", "FALLBACK", 1), ("b", "FALLBACK", 0), ("c", "FALLBACK", 1)]
    assert linkages(*same) == [("m[2].fallback_order", "across/fallback-order")]
    # The order of a primary model means nothing, and absent orders are not equal ones, nor zeros.
    assert linkages(("a", "PRIMARY", 1), ("b", "PRIMARY", 1), ("c", "FALLBACK", 1)) == []
    assert linkages(("a", "FALLBACK", None), ("b", "FALLBACK", None), ("c", "FALLBACK", 0)) == []
