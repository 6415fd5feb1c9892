"""The ledger's commands: reserve, commit, release, extend, adjust, record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import Result

from gateway_entities.testing import Gateway, gateway

Run = Callable[..., Result]
RunJson = Callable[..., Any]
# Windows of a century: none ends during a test.
LONG = ("--window", "1200", "MONTHS")


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    """A gateway of this module's own: the policies of other tests would count what these spend."""
    with gateway() as server:
        yield server


@pytest.fixture
def budget(run: Run, run_json: RunJson, endpoint: dict[str, Any]) -> Iterator[str]:
    """Create a policy that rejects requests to the endpoint from 1 USD; return its id."""
    created = run_json(
        *("budget-policy", "create", "--amount", "1", *LONG),
        *("--scope", "ENDPOINT", "--target-value", endpoint["name"], "--action", "REJECT"),
    )
    yield created["budget_policy_id"]
    run("budget-policy", "delete", created["budget_policy_id"])


@pytest.fixture
def reserve(run: Run, endpoint: dict[str, Any], budget: str) -> Callable[..., str]:
    """Reserve an amount on the endpoint, by its name; return the id of the reservation."""
    return lambda amount, *more: run(
        "spend", "reserve", endpoint["name"], "--amount", amount, *more, "-o", "name"
    ).stdout.strip()


@pytest.fixture
def balance(run_json: RunJson, budget: str) -> Callable[[], dict[str, int]]:
    """Return the recorded, reserved and remaining nano-units of the window."""

    def balance() -> dict[str, int]:
        (window,) = run_json("budget-policy", "windows", budget)
        return {name: window[f"{name}_nanos"] for name in ("recorded", "reserved", "remaining")}

    return balance


def nanos(recorded: int, reserved: int, remaining: int) -> dict[str, int]:
    return {"recorded": recorded, "reserved": reserved, "remaining": remaining}


@pytest.mark.parametrize("field", ["endpoint_id", "name"])
def test_a_reservation_is_committed_with_what_was_spent(
    run_json: RunJson, endpoint: dict[str, Any], budget: str, balance: Callable[[], Any], field: str
) -> None:
    made = run_json("spend", "reserve", endpoint[field], "--amount", "0.3", "--user", "ann", "--workspace", "research")
    assert made["reservation"]["amount_nanos"] == 300_000_000
    assert (made["reservation"]["user"], made["reservation"]["workspace"]) == ("ann", "research")
    assert [each["reserved_nanos"] for each in made["balances"]] == [300_000_000]
    assert balance() == nanos(0, 300_000_000, 700_000_000)
    key = made["reservation"]["reservation_id"]
    settled = run_json("spend", "commit", key, "--amount", "0.000000001")
    assert settled["reservation"]["state"] == "GATEWAY_RESERVATION_STATE_COMMITTED"
    assert (settled["reservation"]["recorded_nanos"], settled["alerts"]) == (1, [])
    assert balance() == nanos(1, 0, 999_999_999)


def test_a_released_reservation_takes_nothing(run_json: RunJson, reserve: Callable[..., str], balance: Any) -> None:
    settled = run_json("spend", "release", reserve("1"))
    assert settled["reservation"]["state"] == "GATEWAY_RESERVATION_STATE_RELEASED"
    assert balance() == nanos(0, 0, 10**9)


def test_a_rejected_reservation_names_the_policy_and_exits_1(
    run: Run, endpoint: dict[str, Any], reserve: Callable[..., str], budget: str
) -> None:
    reserve("0.75")
    refused = run("spend", "reserve", endpoint["name"], "--amount", "0.250000001", code=1)
    assert refused.stdout == ""
    limit = f"ENDPOINT {endpoint['endpoint_id']}, 1 USD in 1200 MONTHS"
    assert refused.stderr.startswith(
        f"error: RESOURCE_EXHAUSTED: the budget {budget} ({limit}) refuses 0.250000001: 0.25 is left until 20"
    )
    assert len(refused.stderr.splitlines()) == 1
    run("spend", "reserve", endpoint["name"], "--amount", "0.25")


def test_a_table_shows_the_reservation_and_its_windows(run: Run, reserve: Callable[..., str], budget: str) -> None:
    record, windows = run("spend", "commit", reserve("0.25"), "--amount", "0.4").stdout.split("\n\n")
    lines = dict(line.split(maxsplit=1) for line in record.splitlines())
    assert (lines["amount"], lines["recorded"], lines["state"]) == ("0.25", "0.4", "COMMITTED")
    heading, row = windows.splitlines()
    assert heading.split() == [
        *("START", "END", "UNIT", "LIMIT", "RECORDED", "RESERVED", "REMAINING", "OVERRUNS", "SHARE", "BAR", "BUDGET_POLICY")
    ]
    assert row.split()[2:] == ["USD", "1", "0.4", "0", "0.6", "-", "40.0%", "[########............]", budget[:11]]


@pytest.mark.parametrize("form", ["json", "yaml", "wide", "name"])
def test_the_forms_of_the_output(run: Run, reserve: Callable[..., str], form: str) -> None:
    key = reserve("0.5")
    text = run("spend", "release", key, "-o", form).stdout
    if form == "json":
        document = json.loads(text)
        assert document["reservation"]["amount_nanos"] == 500_000_000
        assert [each["recorded_nanos"] for each in document["balances"]] == [0]
        assert document["alerts"] == []
    elif form == "yaml":
        assert f"reservation:\n  reservation_id: {key}\n" in text
        assert "amount_nanos: 500000000" in text
    elif form == "wide":
        (heading, row), (headings, window) = (part.splitlines() for part in text.split("\n\n"))
        assert heading.split()[-2:] == ["ENDPOINT_ID", "RESERVATION_ID"]
        assert row.split()[-1] == key
        assert headings.split()[-3:] == ["SHARE", "BAR", "BUDGET_POLICY_ID"]
        assert "…" not in window
    else:
        assert text == f"{key}\n"


def test_the_time_to_live_is_in_seconds(run_json: RunJson, run: Run, endpoint: dict[str, Any]) -> None:
    made = run_json("spend", "reserve", endpoint["name"], "--amount", "0", "--ttl", "1.5")["reservation"]
    assert made["expires_at"] - made["created_at"] == 1500
    key = made["reservation_id"]
    extended = run_json("spend", "extend", key, "--ttl", "3600")
    assert extended["expires_at"] - made["created_at"] >= 3_600_000
    assert int(run_json("spend", "extend", key)["expires_at"]) == extended["expires_at"]
    for wrong in ("0", "86401", "nan", "x"):
        assert "--ttl" in run("spend", "extend", key, "--ttl", wrong, code=2).stderr
    run("spend", "release", key)
    assert "RESERVATION_SETTLED" not in run("spend", "extend", key, code=1).stdout


def test_a_repeat_with_the_same_request_id_counts_once(reserve: Callable[..., str], balance: Any, name: str) -> None:
    assert reserve("0.5", "--request-id", name) == reserve("0.5", "--request-id", name)
    assert balance() == nanos(0, 500_000_000, 500_000_000)


@pytest.mark.parametrize("settle", [("commit", "--amount", "0.5"), ("release",)])
def test_a_repeat_of_a_settled_reservation_exits_1(
    run: Run, reserve: Callable[..., str], endpoint: dict[str, Any], name: str, settle: tuple[str, ...]
) -> None:
    """Else a script would make its request with a reservation that holds nothing."""
    key = reserve("0.5", "--request-id", name)
    run("spend", settle[0], key, *settle[1:])
    repeat = run(*("spend", "reserve", endpoint["name"], "--amount", "0.5", "--request-id", name, "-o", "name"), code=1)
    assert repeat.stdout == ""
    assert repeat.stderr.startswith(f"error: FAILED_PRECONDITION: the reservation {key} was {settle[0]}")


def test_a_settled_reservation_cannot_be_settled_otherwise(run: Run, reserve: Callable[..., str]) -> None:
    key = reserve("0.5")
    run("spend", "commit", key, "--amount", "0.5")
    run("spend", "commit", key, "--amount", "0.50")
    for command in (("release", key), ("commit", key, "--amount", "0.4"), ("extend", key)):
        assert run("spend", *command, code=1).stderr.startswith("error: FAILED_PRECONDITION: ")
    assert run("spend", "release", f"br-{0:032}", code=1).stderr.startswith("error: NOT_FOUND: ")


@pytest.mark.parametrize("command", ["record", "commit", "budget-policy spend"])
def test_an_alert_is_on_standard_error(
    run: Run, endpoint: dict[str, Any], reserve: Callable[..., str], budget: str, command: str
) -> None:
    if command == "commit":
        made = run("spend", "commit", reserve("0.1"), "--amount", "0.8", "--json")
        assert [each["share_percent"] for each in json.loads(made.stdout)["alerts"]] == [50, 80]
    else:
        words = ("spend", "record") if command == "record" else command.split()
        made = run(*words, endpoint["name"], "--amount", "0.8", "--json")
        assert [each["current_spend"] for each in json.loads(made.stdout)] == [0.8]
    alerts = [line for line in made.stderr.splitlines() if line.startswith("alert: ")]
    name = f"{budget} (ENDPOINT {endpoint['endpoint_id']})"
    assert alerts == [f"alert: budget {name} has reached {share}% of 1 USD: 0.8 is recorded" for share in (50, 80)]


def test_record(run: Run, run_json: RunJson, endpoint: dict[str, Any], balance: Any, name: str) -> None:
    charge = ("spend", "record", endpoint["name"], "--amount", "1e-9", "--user", "ann", "--request-id", name)
    for _ in range(2):
        (window,) = run_json(*charge)
        assert window["current_spend"] == 1e-9
    assert balance() == nanos(1, 0, 999_999_999)
    heading, _ = run("spend", "record", endpoint["endpoint_id"], "--amount", "0").stdout.splitlines()
    assert heading.split() == ["START", "END", "SPEND", "BUDGET_POLICY"]


def test_a_correction_is_in_the_change_log_with_its_reason(
    run: Run, run_json: RunJson, endpoint: dict[str, Any], budget: str, balance: Any
) -> None:
    run("spend", "record", endpoint["name"], "--amount", "0.7")
    shown = run("spend", "adjust", budget, "--amount=-0.2", "--reason", "refunded\n", "--updated-by", "ann").stdout
    lines = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert (lines["recorded"], lines["remaining"], lines["share"]) == ("0.5", "0.5", "50.0%")
    log = run("changes", "--limit", "1").stdout.splitlines()
    assert log[0].split()[2:] == ["ann", "AdjustGatewaySpend"]
    assert log[-1].strip().startswith("recorded: 0.7 -> 0.5 USD, 1970-01-01T00:00:00.000Z to 2070-")
    assert log[-1].endswith(r"Z: refunded\n")
    window = run_json("spend", "adjust", budget, "--recorded", "0", "--reason", "a new start")
    assert window["recorded_nanos"] == 0
    assert balance() == nanos(0, 0, 10**9)
    below = run("spend", "adjust", budget, "--amount=-1", "--reason", "too much", code=1).stderr
    assert below.startswith("error: FAILED_PRECONDITION: ")


def test_a_repeated_correction_counts_once(run: Run, run_json: RunJson, budget: str, balance: Any, name: str) -> None:
    for _ in range(2):
        run("spend", "adjust", budget, "--amount", "0.5", "--reason", "missed", "--request-id", name)
    assert balance()["recorded"] == 500_000_000


@pytest.mark.parametrize("amounts", [(), ("--amount", "1", "--recorded", "1")])
def test_a_correction_has_one_amount(run: Run, amounts: tuple[str, ...]) -> None:
    refused = run("spend", "adjust", f"bp-{0:032}", *amounts, "--reason", "any", code=2).stderr
    assert "Give either --amount or --recorded." in refused


@pytest.mark.parametrize("amount", ["0.0000000001", "x", "", "NaN", "1_000", "1e30", "१", " 1"])
@pytest.mark.parametrize(
    "command", [("reserve", "any"), ("commit", "any"), ("record", "any"), ("adjust", "any", "--reason", "r")]
)
def test_an_amount_is_exact_or_refused(run: Run, command: tuple[str, ...], amount: str) -> None:
    assert "is not an amount with at most nine decimals" in run("spend", *command, "--amount", amount, code=2).stderr


def test_an_amount_that_a_float_would_round_is_exact(run: Run, run_json: RunJson, endpoint: dict[str, Any]) -> None:
    amount = "541701.701925027"
    assert int(float(amount) * 1e9) != 541_701_701_925_027
    made = run_json("spend", "reserve", endpoint["name"], "--amount", amount)["reservation"]
    assert made["amount_nanos"] == 541_701_701_925_027
    assert f" {amount}\n" in run("spend", "release", made["reservation_id"]).stdout


def test_every_invalid_field_has_a_line(run: Run, endpoint: dict[str, Any]) -> None:
    arguments = ("--amount=-1", "--request-id", "")
    first, *fields = run("spend", "reserve", endpoint["name"], *arguments, code=1).stderr.splitlines()
    assert first.startswith("error: INVALID_ARGUMENT: ")
    assert [line.split(":")[0].strip() for line in fields] == ["amount_nanos", "request_id"]
