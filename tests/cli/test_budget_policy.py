from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from click.testing import Result

from gateway_entities.testing import Gateway

Run = Callable[..., Result]
RunJson = Callable[..., Any]


@pytest.fixture
def policy(run: Run, run_json: RunJson) -> Iterator[dict[str, Any]]:
    created = run_json(
        *("budget-policy", "create", "--amount", "99.5", "--unit", "USD", "--window", "2", "WEEKS"),
        *("--scope", "USER", "--target-value", "ann", "--action", "REJECT", "--created-by", "bob"),
    )
    yield created
    # It would count the charges of other tests.
    key = created["budget_policy_id"]
    if key in [left["budget_policy_id"] for left in run_json("budget-policy", "list")]:
        run("budget-policy", "delete", key)


def test_create(policy: dict[str, Any]) -> None:
    assert (policy["budget_amount"], policy["budget_unit"]) == (99.5, "USD")
    assert policy["duration"] == {"unit": "WEEKS", "value": 2}
    assert (policy["target_scope"], policy["target_value"], policy["budget_action"]) == ("USER", "ann", "REJECT")
    assert policy["created_by"] == "bob"


@pytest.mark.parametrize("field", ["endpoint_id", "name"])
def test_the_target_of_an_endpoints_budget_is_its_id_or_name(
    run_json: RunJson, endpoint: dict[str, Any], policy: dict[str, Any], field: str
) -> None:
    created = run_json(
        *("budget-policy", "create", "--amount", "1", "--window", "1", "DAYS"),
        *("--scope", "ENDPOINT", "--target-value", endpoint[field], "--action", "ALERT"),
    )
    assert created["target_value"] == endpoint["endpoint_id"]
    again = run_json("budget-policy", "update", created["budget_policy_id"], "--target-value", endpoint[field])
    assert again["target_value"] == endpoint["endpoint_id"]


def test_get(run: Run, run_json: RunJson, policy: dict[str, Any]) -> None:
    assert run_json("budget-policy", "get", policy["budget_policy_id"]) == policy
    lines = [line.split(maxsplit=1) for line in run("budget-policy", "get", policy["budget_policy_id"]).stdout.splitlines()]
    assert ["duration", "2 WEEKS"] in lines
    assert ["budget_amount", "99.5"] in lines


def test_list(run: Run, run_json: RunJson, policy: dict[str, Any]) -> None:
    assert policy in run_json("budget-policy", "list")
    _, *rows = run("budget-policy", "list").stdout.splitlines()
    (row,) = (row for row in rows if policy["budget_policy_id"][:11] in row)
    assert row.split()[:-1] == ["USER", "ann", "99.5", "USD", "2", "WEEKS", "REJECT"]


def test_windows(run: Run, run_json: RunJson, policy: dict[str, Any]) -> None:
    (window,) = (w for w in run_json("budget-policy", "windows") if w["budget_policy_id"] == policy["budget_policy_id"])
    assert window["window_end_ms"] - window["window_start_ms"] == 14 * 24 * 3600 * 1000
    assert (window["limit_nanos"], window["recorded_nanos"], window["remaining_nanos"]) == (
        99_500_000_000,
        0,
        99_500_000_000,
    )
    heading, *rows = run("budget-policy", "windows").stdout.splitlines()
    assert heading.split() == [
        *("SCOPE", "TARGET", "START", "END", "UNIT", "LIMIT", "RECORDED", "RESERVED", "REMAINING", "OVERRUNS", "SHARE"),
        *("BAR", "BUDGET_POLICY"),
    ]
    short = policy["budget_policy_id"][:11]
    (row,) = (row for row in rows if row.endswith(short))
    assert row.split()[:2] == ["USER", "ann"]
    assert row.split()[2].endswith("T00:00:00Z")
    assert row.split()[4:-1] == ["USD", "99.5", "0", "0", "99.5", "-", "0.0%", f"[{'.' * 20}]"]
    assert run_json("budget-policy", "windows", short) == [window]


def test_update_changes_the_given_fields(run_json: RunJson, policy: dict[str, Any]) -> None:
    key = policy["budget_policy_id"]
    updated = run_json("budget-policy", "update", key, "--amount", "5", "--window", "3", "HOURS", "--updated-by", "ann")
    assert (updated["budget_amount"], updated["duration"]) == (5.0, {"unit": "HOURS", "value": 3})
    assert (updated["target_value"], updated["last_updated_by"]) == ("ann", "ann")
    widened = run_json("budget-policy", "update", key, "--scope", "GLOBAL", "--clear", "target_value")
    assert widened["target_scope"] == "GLOBAL"
    assert "target_value" not in widened


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


def test_every_invalid_field_has_a_line(run: Run) -> None:
    arguments = ("--amount", "-1", "--window", "0", "DAYS", "--scope", "USER", "--action", "ALERT")
    first, *fields = run("budget-policy", "create", *arguments, code=1).stderr.splitlines()
    assert first.startswith("error: INVALID_ARGUMENT: ")
    assert [line.split(":")[0].strip() for line in fields] == ["budget_amount", "duration.value", "target_value"]


def test_delete(run: Run, policy: dict[str, Any]) -> None:
    key = policy["budget_policy_id"]
    assert run("budget-policy", "delete", key).stdout == f"deleted {key}\n"
    assert run("budget-policy", "get", key, code=1).stderr.startswith("error: NOT_FOUND: ")


@pytest.fixture
def budget(run: Run, run_json: RunJson, endpoint: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Create a policy that rejects requests to the endpoint from 1 USD."""
    created = run_json(
        *("budget-policy", "create", "--amount", "1", "--window", "1200", "MONTHS"),
        *("--scope", "ENDPOINT", "--target-value", endpoint["endpoint_id"], "--action", "REJECT"),
    )
    yield created
    run("budget-policy", "delete", created["budget_policy_id"])


@pytest.mark.parametrize("field", ["endpoint_id", "name"])
def test_spend(run: Run, run_json: RunJson, endpoint: dict[str, Any], budget: dict[str, Any], field: str) -> None:
    def spent(*arguments: str) -> float:
        windows = run_json("budget-policy", "spend", endpoint[field], *arguments)
        (window,) = (w for w in windows if w["budget_policy_id"] == budget["budget_policy_id"])
        return window["current_spend"]

    assert spent("--amount", "0.000000001", "--user", "ann", "--workspace", "research") == 0.000000001
    again = ("--amount", "1e-1", "--unit", "USD", "--request-id", f"{field} of {endpoint['endpoint_id']}")
    assert spent(*again) == spent(*again) == 0.100000001
    assert spent("--amount", "0.2", "--occurred-at", "2026-11-21T20:00:00.5+01:00") == 0.300000001
    heading, *rows = run("budget-policy", "spend", endpoint[field], "--amount", "0").stdout.splitlines()
    assert heading.split() == ["START", "END", "SPEND", "BUDGET_POLICY"]
    assert [row.split()[2] for row in rows if budget["budget_policy_id"][:11] in row] == ["0.300000001"]


def test_the_time_of_a_charge_respects_its_zone(run_json: RunJson, endpoint: dict[str, Any]) -> None:
    day = run_json(
        *("budget-policy", "create", "--amount", "1", "--window", "1", "DAYS"),
        *("--scope", "ENDPOINT", "--target-value", endpoint["endpoint_id"], "--action", "ALERT"),
    )
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for moment, starts in (
        (midnight.isoformat(), midnight),
        (midnight.astimezone(timezone(timedelta(hours=9))).isoformat(), midnight),
        ((midnight - timedelta(milliseconds=1)).replace(tzinfo=None).isoformat(), midnight - timedelta(days=1)),
    ):
        windows = run_json("budget-policy", "spend", endpoint["name"], "--amount", "1", "--occurred-at", moment)
        (start,) = (w["window_start_ms"] for w in windows if w["budget_policy_id"] == day["budget_policy_id"])
        assert start == starts.timestamp() * 1000


def test_windows_name_the_causes_of_an_overrun(
    run: Run, run_json: RunJson, endpoint: dict[str, Any], budget: dict[str, Any]
) -> None:
    key = budget["budget_policy_id"]
    reservation = run("spend", "reserve", endpoint["name"], "--amount", "0.25", "-o", "name").stdout.strip()
    run("spend", "record", endpoint["name"], "--amount", "0.8")
    (row,) = run("budget-policy", "windows", key).stdout.splitlines()[1:]
    assert row.split()[5:-1] == ["1", "0.8", "0.25", "0", "RECORD", "0.05", "80.0%", "[################====>"]
    run("spend", "commit", reservation, "--amount", "1.2")
    (row,) = run("budget-policy", "windows", key).stdout.splitlines()[1:]
    assert "  RECORD 0.05, COMMIT 0.95  200.0%  [####################>" in row
    lines = run("budget-policy", "update", key, "--amount", "0.5").stdout
    assert "0.5" in lines
    (window,) = run_json("budget-policy", "windows", key)
    assert [each["cause"] for each in window["overruns"]] == [
        f"BUDGET_OVERRUN_CAUSE_{cause}" for cause in ("RECORD", "COMMIT", "AMOUNT")
    ]
    assert run("budget-policy", "windows", f"bp-{0:032}", code=1).stderr.startswith("error: NOT_FOUND: ")


def test_windows_show_whom_they_count(run: Run, endpoint: dict[str, Any], budget: dict[str, Any]) -> None:
    """An endpoint has its name, a workspace none."""
    create = ("budget-policy", "create", "--amount", "1", "--window", "1", "DAYS", "--action", "ALERT", "-o", "name")
    of_all = run(*create, "--scope", "GLOBAL").stdout.strip()
    for form in ("table", "wide"):
        heading, *rows = run("budget-policy", "windows", "-o", form).stdout.splitlines()
        assert heading.split()[:2] == ["SCOPE", "TARGET"]
        found = {row.split()[-1][:11]: row.split()[:2] for row in rows}
        assert found[budget["budget_policy_id"][:11]] == ["ENDPOINT", endpoint["name"]]
        assert found[of_all[:11]] == ["GLOBAL", "-"]
    run("spend", "record", endpoint["name"], "--amount", "0.5")
    (row,) = run("budget-policy", "windows", budget["budget_policy_id"], "--past").stdout.splitlines()[1:]
    assert row.split()[:2] == ["ENDPOINT", endpoint["name"]]
    run("budget-policy", "delete", of_all)


def test_windows_without_a_limit_have_no_share(run: Run, endpoint: dict[str, Any]) -> None:
    for amount, shown in (("1e30", ["-", "0.5", "0", "-"]), ("0", ["0", "0.5", "0", "0"])):
        create = ("budget-policy", "create", "--amount", amount, "--window", "1200", "MONTHS", "--action", "ALERT")
        target = ("--scope", "ENDPOINT", "--target-value", endpoint["name"])
        key = run(*create, *target, "-o", "name").stdout.strip()
        run("spend", "record", endpoint["name"], "--amount", "0.5")
        (row,) = run("budget-policy", "windows", key).stdout.splitlines()[1:]
        assert row.split()[5:9] == shown
        assert row.split()[-3:-1] == ["-", "-"]
        run("budget-policy", "delete", key)


def test_the_history_of_windows(run: Run, run_json: RunJson, endpoint: dict[str, Any]) -> None:
    """Windows of a day: a charge of yesterday, none today."""
    create = ("budget-policy", "create", "--amount", "1", "--window", "1", "DAYS", "--action", "REJECT")
    key = run(*create, "--scope", "ENDPOINT", "--target-value", endpoint["name"], "-o", "name").stdout.strip()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = (midnight - timedelta(hours=1)).isoformat()
    assert run("budget-policy", "windows", key, "--past").stdout == "(none)\n"
    run("spend", "record", endpoint["name"], "--amount", "0.75", "--occurred-at", yesterday)
    (past,) = run_json("budget-policy", "windows", key, "--past")
    assert (past["recorded_nanos"], past["window_end_ms"]) == (750_000_000, midnight.timestamp() * 1000)
    assert run_json("budget-policy", "windows", key, "--since", yesterday) == [past]
    assert run_json("budget-policy", "windows", key, "--past", "--since", midnight.isoformat()) == []
    (now,) = run_json("budget-policy", "windows", key)
    assert (now["recorded_nanos"], now["window_start_ms"]) == (0, past["window_end_ms"])
    run("spend", "adjust", key, "--amount=-0.25", "--reason", "refunded", "--occurred-at", yesterday)
    assert run_json("budget-policy", "windows", key, "--past")[0]["recorded_nanos"] == 500_000_000


def test_check(run: Run, run_json: RunJson, endpoint: dict[str, Any], budget: dict[str, Any]) -> None:
    key = endpoint["name"]
    run("budget-policy", "spend", key, "--amount", "0.7")
    found = run_json("budget-policy", "check", key, "--workspace", "research")
    expected = {field: value for field, value in budget.items() if field != "etag"}
    assert (found["allowed"], found["budget_policy"], found["remaining"]) == (True, expected, 0.3)
    run("budget-policy", "spend", key, "--amount", "0.3")
    assert json.loads(run("budget-policy", "check", endpoint["endpoint_id"], "--json", code=1).stdout)["allowed"] is False
    lines = dict(line.split(maxsplit=1) for line in run("budget-policy", "check", key, code=1).stdout.splitlines())
    assert (lines["allowed"], lines["remaining"]) == ("false", "0")
    target = f"ENDPOINT {endpoint['endpoint_id']}"
    assert lines["budget_policy"] == f"{budget['budget_policy_id']} ({target}, 1 USD in 1200 MONTHS)"
    assert lines["window"].endswith("T00:00:00.000Z, spent 1")


@pytest.mark.parametrize(
    ("amount", "shown"), [("1e-9", "0.000000001"), ("5", "5"), ("0.1", "0.1"), ("1234567.5", "1234567.5"), ("1e30", "1e+30")]
)
def test_an_amount_is_shown_without_an_exponent_that_it_does_not_need(
    run: Run, endpoint: dict[str, Any], amount: str, shown: str
) -> None:
    create = ("budget-policy", "create", "--amount", amount, "--window", "1200", "MONTHS", "--action", "REJECT")
    key = run(*create, "--scope", "ENDPOINT", "--target-value", endpoint["name"], "-o", "name").stdout.strip()
    lines = dict(line.split(maxsplit=1) for line in run("budget-policy", "get", key).stdout.splitlines())
    assert lines["budget_amount"] == shown
    (row,) = (row for row in run("budget-policy", "list").stdout.splitlines() if key[:11] in row)
    assert row.split()[2] == shown
    (row,) = (
        row
        for row in run("budget-policy", "spend", endpoint["name"], "--amount", "1e-9").stdout.splitlines()
        if key[:11] in row
    )
    assert row.split()[2] == "0.000000001"
    run("budget-policy", "delete", key)


def test_check_without_a_budget(run: Run, run_json: RunJson, endpoint: dict[str, Any]) -> None:
    assert run_json("budget-policy", "check", endpoint["name"], "--workspace", "nowhere") == {"allowed": True}
    lines = dict(line.split() for line in run("budget-policy", "check", endpoint["name"]).stdout.splitlines())
    assert lines == {"allowed": "true", "budget_policy": "-", "window": "-", "remaining": "-"}


@pytest.mark.parametrize(
    "amount", ["0.0000000001", "1.2345678901", "x", "", "NaN", "sNaN", "Infinity", "1e999999", "1e30", "1/4"]
)
def test_an_amount_has_at_most_nine_decimals(run: Run, amount: str) -> None:
    refused = run("budget-policy", "spend", "any", "--amount", amount, code=2).stderr
    assert "is not an amount with at most nine decimals" in refused


@pytest.mark.parametrize("moment", ["", "now", "12:00", "2026-13-01", "1700000000000"])
def test_a_time_is_in_iso_8601(run: Run, moment: str) -> None:
    refused = run("budget-policy", "spend", "any", "--amount", "1", "--occurred-at", moment, code=2).stderr
    assert "is not a time" in refused


def test_a_server_without_a_ledger_shows_its_windows(running: Gateway, run: Run, policy: dict[str, Any]) -> None:
    """Such as MLflow's."""
    target = ("--target", f"mlflow+{running.http_target}")
    heading, row = run("budget-policy", "windows", policy["budget_policy_id"], *target).stdout.splitlines()
    assert heading.split() == ["SCOPE", "TARGET", "START", "END", "SPEND", "BUDGET_POLICY"]
    assert row.split()[:2] == ["USER", "ann"]
    assert row.split()[4] == "0"
    assert run("budget-policy", "windows", "--past", *target, code=1).stderr.startswith("error: UNIMPLEMENTED: ")


def test_an_invalid_charge_is_rejected(run: Run, endpoint: dict[str, Any]) -> None:
    arguments = ("--amount=-1", "--request-id", "")
    first, *fields = run("budget-policy", "spend", endpoint["name"], *arguments, code=1).stderr.splitlines()
    assert first.startswith("error: INVALID_ARGUMENT: ")
    assert [line.split(":")[0].strip() for line in fields] == ["amount_nanos", "request_id"]
    missing = run("budget-policy", "check", f"e-{0:032}", code=1).stderr
    assert missing.startswith("error: NOT_FOUND: ")
