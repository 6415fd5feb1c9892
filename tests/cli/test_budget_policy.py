from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
RunJson = Callable[..., Any]


@pytest.fixture
def policy(run_json: RunJson) -> dict[str, Any]:
    return run_json(
        *("budget-policy", "create", "--amount", "99.5", "--unit", "USD", "--window", "2", "WEEKS"),
        *("--scope", "USER", "--target-value", "ann", "--action", "REJECT", "--created-by", "bob"),
    )


def test_create(policy: dict[str, Any]) -> None:
    assert (policy["budgetAmount"], policy["budgetUnit"]) == (99.5, "USD")
    assert policy["duration"] == {"unit": "WEEKS", "value": 2}
    assert (policy["targetScope"], policy["targetValue"], policy["budgetAction"]) == ("USER", "ann", "REJECT")
    assert policy["createdBy"] == "bob"


@pytest.mark.parametrize("field", ["endpointId", "name"])
def test_the_target_of_an_endpoints_budget_is_its_id_or_name(
    run_json: RunJson, endpoint: dict[str, Any], policy: dict[str, Any], field: str
) -> None:
    created = run_json(
        *("budget-policy", "create", "--amount", "1", "--window", "1", "DAYS"),
        *("--scope", "ENDPOINT", "--target-value", endpoint[field], "--action", "ALERT"),
    )
    assert created["targetValue"] == endpoint["endpointId"]
    again = run_json("budget-policy", "update", created["budgetPolicyId"], "--target-value", endpoint[field])
    assert again["targetValue"] == endpoint["endpointId"]


def test_get(run: Run, run_json: RunJson, policy: dict[str, Any]) -> None:
    assert run_json("budget-policy", "get", policy["budgetPolicyId"]) == policy
    lines = [line.split(maxsplit=1) for line in run("budget-policy", "get", policy["budgetPolicyId"]).stdout.splitlines()]
    assert ["duration", "2 WEEKS"] in lines
    assert ["budget_amount", "99.5"] in lines


def test_list(run: Run, run_json: RunJson, policy: dict[str, Any]) -> None:
    assert policy in run_json("budget-policy", "list")
    _, *rows = run("budget-policy", "list").stdout.splitlines()
    (row,) = (row for row in rows if policy["budgetPolicyId"] in row)
    assert row.split()[1:] == ["99.5", "USD", "2", "WEEKS", "USER", "ann", "REJECT"]


def test_windows(run: Run, run_json: RunJson, policy: dict[str, Any]) -> None:
    (window,) = (w for w in run_json("budget-policy", "windows") if w["budgetPolicyId"] == policy["budgetPolicyId"])
    assert int(window["windowEndMs"]) - int(window["windowStartMs"]) == 14 * 24 * 3600 * 1000
    heading, *rows = run("budget-policy", "windows").stdout.splitlines()
    assert heading.split() == ["BUDGET_POLICY_ID", "WINDOW_START", "WINDOW_END", "CURRENT_SPEND"]
    (row,) = (row for row in rows if policy["budgetPolicyId"] in row)
    assert row.split()[1].endswith("T00:00:00.000Z")


def test_update_changes_what_is_given(run_json: RunJson, policy: dict[str, Any]) -> None:
    key = policy["budgetPolicyId"]
    updated = run_json("budget-policy", "update", key, "--amount", "5", "--window", "3", "HOURS", "--updated-by", "ann")
    assert (updated["budgetAmount"], updated["duration"]) == (5.0, {"unit": "HOURS", "value": 3})
    assert (updated["targetValue"], updated["lastUpdatedBy"]) == ("ann", "ann")
    widened = run_json("budget-policy", "update", key, "--scope", "GLOBAL", "--clear", "target_value")
    assert widened["targetScope"] == "GLOBAL"
    assert "targetValue" not in widened


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--amount", "1"], "--window"),
        (["--amount", "x", "--window", "1", "DAYS", "--scope", "GLOBAL", "--action", "ALERT"], "not a valid float"),
        (["--amount", "1", "--window", "1", "YEARS", "--scope", "GLOBAL", "--action", "ALERT"], "MONTHS"),
    ],
)
def test_a_wrong_option_is_a_usage_error(run: Run, arguments: list[str], says: str) -> None:
    assert says in run("budget-policy", "create", *arguments, code=2).stderr


def test_every_field_that_the_gateway_refuses_has_a_line(run: Run) -> None:
    arguments = ("--amount", "-1", "--window", "0", "DAYS", "--scope", "USER", "--action", "ALERT")
    first, *fields = run("budget-policy", "create", *arguments, code=1).stderr.splitlines()
    assert first.startswith("error: INVALID_ARGUMENT: ")
    assert [line.split(":")[0].strip() for line in fields] == ["budget_amount", "duration.value", "target_value"]


def test_delete(run: Run, policy: dict[str, Any]) -> None:
    key = policy["budgetPolicyId"]
    assert run("budget-policy", "delete", key).stdout == f"deleted {key}\n"
    assert run("budget-policy", "get", key, code=1).stderr.startswith("error: NOT_FOUND: ")
