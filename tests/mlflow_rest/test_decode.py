"""The ends of the ranges of numbers in the dialect's JSON."""

from __future__ import annotations

import math

import pytest

from gateway_entities.errors import GatewayError
from gateway_entities.mlflow_rest import decode
from gatewayentities.v1 import budget_pb2, endpoint_pb2

HALF_A_STEP_ABOVE = float.fromhex("0x1.ffffffp+127")
"""Halfway between the largest 32-bit float and the next: it rounds to infinity, and any number below to the largest."""


@pytest.mark.parametrize("sign", [1, -1])
def test_the_range_of_a_weight_ends_at_half_a_step(sign: int) -> None:
    def weight(value: float) -> float:
        config = {"model_configs": [{"weight": value}]}
        return decode.to_message(config, endpoint_pb2.CreateGatewayEndpointRequest).model_configs[0].weight

    assert weight(sign * math.nextafter(HALF_A_STEP_ABOVE, 0)) == sign * float.fromhex("0x1.fffffep+127")
    for beyond in (HALF_A_STEP_ABOVE, math.nextafter(HALF_A_STEP_ABOVE, math.inf)):
        with pytest.raises(GatewayError) as caught:
            weight(sign * beyond)
        (violation,) = caught.value.field_violations
        assert violation.field == "model_configs[0].weight"
        assert violation.description == "must be within the range of a 32-bit float"


@pytest.mark.parametrize("name", ["int32", "int64"])
def test_the_ranges_of_integers(name: str) -> None:
    request_type, field = {
        "int32": (budget_pb2.BudgetDuration, "value"),
        "int64": (budget_pb2.RecordGatewaySpendRequest, "amount_nanos"),
    }[name]
    limit = 2 ** (int(name[3:]) - 1)
    for value in (limit - 1, -limit, str(limit - 1), str(-limit)):
        assert getattr(decode.to_message({field: value}, request_type), field) == int(value)
    for value in (limit, -limit - 1, str(limit), str(-limit - 1), 1.5, "1.5"):
        with pytest.raises(GatewayError):
            decode.to_message({field: value}, request_type)
