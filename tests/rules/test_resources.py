"""Rules of resources and responses: the place of each violation, and what holds across fields."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from gateway_entities import rules
from gatewayentities.v1 import budget_pb2, change_pb2

WINDOW = {"budget_policy_id": "bp-1", "window_start_ms": 5, "window_end_ms": 6, "current_spend": 0.0}


def found(message: Message) -> list[tuple[str, str]]:
    return [(violation.field, violation.description) for violation in rules.check(message)]


def test_a_violation_in_a_list_has_its_place() -> None:
    good, bad = budget_pb2.GatewayBudgetWindow(**WINDOW), budget_pb2.GatewayBudgetWindow(**{**WINDOW, "current_spend": -1.0})
    response = budget_pb2.ListGatewayBudgetWindowsResponse(windows=[good, bad, good, bad])
    assert [field for field, _ in found(response)] == ["windows[1].current_spend", "windows[3].current_spend"]
    effect = {"noun": "endpoint", "id": "e-1"}
    change = change_pb2.GatewayChange(revision=1, changed_at=1, rpc="R", change=effect, effects=[effect, {"noun": "x"}])
    assert found(change_pb2.ListGatewayChangesResponse(changes=[change])) == [("changes[0].effects[1].id", "is required")]


@pytest.mark.parametrize(
    ("fields", "violations"),
    [
        ({}, []),
        ({"window_end_ms": 5}, [("window_end_ms", "must be after window_start_ms")]),
        ({"window_end_ms": 4}, [("window_end_ms", "must be after window_start_ms")]),
        ({"window_end_ms": None}, [("window_end_ms", "is required")]),
        ({"window_start_ms": None}, [("window_start_ms", "is required")]),
        ({"window_start_ms": 0, "window_end_ms": 0}, [("window_end_ms", "must be after window_start_ms")]),
        ({"budget_policy_id": None}, [("budget_policy_id", "is required")]),
        ({"current_spend": None}, [("current_spend", "is required")]),
    ],
)
def test_a_window_ends_after_its_start(fields: dict[str, object], violations: list[tuple[str, str]]) -> None:
    assert found(budget_pb2.GatewayBudgetWindow(**{**WINDOW, **fields})) == violations
