"""Budgets: doubles and a required message."""

from __future__ import annotations

import math

import pytest

from gateway_entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    GatewayBudgetCheck,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
    WireError,
)
from gatewayentities.v1 import budget_pb2


def policy(amount: float) -> GatewayBudgetPolicy:
    return GatewayBudgetPolicy(
        *("bp-1", BudgetUnit.USD, amount, BudgetDuration(BudgetDurationUnit.DAYS, 1)),
        *(BudgetTargetScope.GLOBAL, BudgetAction.ALERT, 1, 2),
    )


@pytest.mark.parametrize("amount", [0.0, -0.0, 0.1, 1e308, 5e-324, math.inf, -math.inf, math.nan])
def test_an_amount_has_64_bits(amount: float):
    assert repr(GatewayBudgetPolicy.from_bytes(policy(amount).to_bytes()).budget_amount) == repr(amount)
    window = GatewayBudgetWindow("bp-1", 0, 1, amount)
    assert repr(GatewayBudgetWindow.from_bytes(window.to_bytes()).current_spend) == repr(amount)


def test_a_policy_without_a_duration_is_an_error():
    sent = policy(1).to_proto()
    sent.duration.Clear()
    with pytest.raises(WireError, match=r"GatewayBudgetPolicy\.duration\.unit: is required"):
        GatewayBudgetPolicy.from_proto(sent)
    sent.ClearField("duration")
    with pytest.raises(WireError, match=r"GatewayBudgetPolicy\.duration: is required"):
        GatewayBudgetPolicy.from_proto(sent)


def test_zeros_are_values():
    sent = budget_pb2.BudgetDuration(unit="DURATION_UNIT_UNSPECIFIED", value=0)
    assert BudgetDuration.from_proto(sent) == BudgetDuration(BudgetDurationUnit.DURATION_UNIT_UNSPECIFIED, 0)


def test_a_rejecting_check_is_not_an_absent_one():
    rejected = GatewayBudgetCheck(False, remaining=0.0)
    assert GatewayBudgetCheck.from_bytes(rejected.to_bytes()) == rejected
    assert rejected.to_proto().HasField("remaining")
    with pytest.raises(WireError, match=r"GatewayBudgetCheck\.allowed: is required"):
        GatewayBudgetCheck.from_bytes(b"")


@pytest.mark.parametrize("allowed", [1, None, "yes"])
def test_a_check_allows_or_not(allowed: object):
    with pytest.raises(WireError, match=r"GatewayBudgetCheck\.allowed"):
        GatewayBudgetCheck(allowed).to_bytes()  # type: ignore[arg-type]
