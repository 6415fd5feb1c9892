"""Rules of budget policies."""

from __future__ import annotations

import math
from typing import Any

import pytest
from google.protobuf.message import Message

from gatewayentities.v1.budget_pb2 import CreateGatewayBudgetPolicyRequest as CreatePolicy
from gatewayentities.v1.budget_pb2 import RecordGatewaySpendRequest as RecordSpend
from gatewayentities.v1.budget_pb2 import UpdateGatewayBudgetPolicyRequest as UpdatePolicy

NUMBER = "must be a finite number, 0 or more, is "


def duration(unit: object, value: object) -> dict[str, object]:
    return {name: part for name, part in {"unit": unit, "value": value}.items() if part is not None}


UNITS = "must be one of MINUTES, HOURS, DAYS, WEEKS, MONTHS, is "
BUDGET_FAULTS = [
    ({"budget_unit": 0}, "budget_unit", "must be one of USD, is 0"),
    ({"budget_unit": 2}, "budget_unit", "must be one of USD, is 2"),
    ({"budget_amount": -0.01}, "budget_amount", NUMBER + "-0.01"),
    ({"budget_amount": math.nan}, "budget_amount", NUMBER + "nan"),
    ({"budget_amount": math.inf}, "budget_amount", NUMBER + "inf"),
    ({"duration": duration(None, 1)}, "duration.unit", "is required"),
    ({"duration": duration("DAYS", None)}, "duration.value", "is required"),
    ({"duration": duration(0, 1)}, "duration.unit", UNITS + "0"),
    ({"duration": duration(6, 1)}, "duration.unit", UNITS + "6"),
    ({"duration": duration("DAYS", 0)}, "duration.value", "must be 1 or more, is 0"),
    ({"duration": duration("DAYS", -3)}, "duration.value", "must be 1 or more, is -3"),
    ({"target_scope": 0}, "target_scope", "must be one of GLOBAL, WORKSPACE, ENDPOINT, USER, is 0"),
    ({"target_scope": 5}, "target_scope", "must be one of GLOBAL, WORKSPACE, ENDPOINT, USER, is 5"),
    ({"budget_action": 0}, "budget_action", "must be one of ALERT, REJECT, is 0"),
    ({"budget_action": 3}, "budget_action", "must be one of ALERT, REJECT, is 3"),
]


@pytest.mark.parametrize(("changes", "field", "description"), BUDGET_FAULTS)
def test_budget_faults(check: Any, changes: dict[str, object], field: str, description: str) -> None:
    assert check(CreatePolicy, **changes) == check(UpdatePolicy, **changes) == [(field, description)]


@pytest.mark.parametrize("request_type", [CreatePolicy, UpdatePolicy])
@pytest.mark.parametrize(
    ("unit", "longest"), [("MINUTES", 52_596_000), ("HOURS", 876_600), ("DAYS", 36_525), ("WEEKS", 5217), ("MONTHS", 1200)]
)
def test_a_window_is_at_most_100_years_long(check: Any, request_type: type[Message], unit: str, longest: int) -> None:
    assert check(request_type, duration=duration(unit, longest)) == []
    assert check(request_type, duration=duration(unit, longest + 1)) == [
        ("duration.value", f"must be at most {longest} {unit} (100 years), is {longest + 1}")
    ]


@pytest.mark.parametrize("scope", ["ENDPOINT", "USER"])
def test_a_scope_with_a_target(check: Any, scope: str) -> None:
    needed = [("target_value", f"is required when target_scope is {scope}")]
    assert check(CreatePolicy, target_scope=scope, target_value="x" * 255) == []
    assert check(CreatePolicy, target_scope=scope) == check(CreatePolicy, target_scope=scope, target_value="") == needed
    assert check(CreatePolicy, target_scope=scope, target_value="x" * 256) == [
        ("target_value", "must be at most 255 characters, has 256")
    ]
    # Whether an update needs one depends on the stored scope.
    assert check(UpdatePolicy, target_scope=scope) == check(UpdatePolicy, target_value="x") == []
    assert check(UpdatePolicy, target_scope=scope, target_value="") == needed


@pytest.mark.parametrize("request_type", [CreatePolicy, UpdatePolicy])
@pytest.mark.parametrize("scope", ["GLOBAL", "WORKSPACE"])
def test_a_scope_without_a_target(check: Any, request_type: type[Message], scope: str) -> None:
    assert check(request_type, target_scope=scope, target_value="") == []
    assert check(request_type, target_scope=scope, target_value="x") == [
        ("target_value", "can only be set when target_scope is ENDPOINT or USER")
    ]


@pytest.mark.parametrize("amount", [0.0, 5e-324, 1.7e308])
def test_budget_amounts(check: Any, amount: float) -> None:
    assert check(CreatePolicy, budget_amount=amount) == []


@pytest.mark.parametrize(
    ("changes", "field", "description"),
    [
        ({"amount_nanos": -1}, "amount_nanos", "must be 0 to 1000000000000000, is -1"),
        ({"amount_nanos": 10**15 + 1}, "amount_nanos", "must be 0 to 1000000000000000, is 1000000000000001"),
        ({"budget_unit": 0}, "budget_unit", "must be one of USD, is 0"),
        ({"budget_unit": 2}, "budget_unit", "must be one of USD, is 2"),
    ],
)
def test_charge_faults(check: Any, changes: dict[str, object], field: str, description: str) -> None:
    assert check(RecordSpend, **changes) == [(field, description)]


@pytest.mark.parametrize("number", [0, 1, 10**15])
def test_charges(check: Any, number: int) -> None:
    assert check(RecordSpend, amount_nanos=number, occurred_at=number) == check(RecordSpend, occurred_at=-number) == []
