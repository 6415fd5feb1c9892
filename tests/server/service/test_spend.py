"""Recording of charges in budget windows, idempotency, and budget checks."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway_entities.errors import Code
from gatewayentities.v1.budget_pb2 import (
    CheckGatewayBudgetRequest,
    DeleteGatewayBudgetPolicyRequest,
    GatewayBudgetCheck,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
    ListGatewayBudgetWindowsRequest,
    RecordGatewaySpendRequest,
    UpdateGatewayBudgetPolicyRequest,
)
from gatewayentities.v1.endpoint_pb2 import DeleteGatewayEndpointRequest

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# 2027-01-15T00:00Z, a Friday.
TODAY = 1_799_971_200_000
NOON = TODAY + 12 * HOUR


@dataclasses.dataclass
class Clock:
    """The gateway's clock, in milliseconds since the Unix epoch."""

    now: int = NOON


@pytest.fixture
def clock(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time_ns", lambda: clock.now * 1_000_000)
    make = gateway.policy

    def policy(**fields: Any) -> GatewayBudgetPolicy:
        # Policies are listed in order of creation.
        clock.now += 1
        return make(**fields)

    monkeypatch.setattr(gateway, "policy", policy)
    return clock


@pytest.fixture
def endpoint_id(gateway: Any) -> str:
    return gateway.endpoint().endpoint_id


_numbers = itertools.count()


def charge(endpoint_id: str, nanos: int, **fields: Any) -> RecordGatewaySpendRequest:
    given = {"budget_unit": "USD", "request_id": f"r{next(_numbers)}", **fields}
    return RecordGatewaySpendRequest(endpoint_id=endpoint_id, amount_nanos=nanos, **given)


@pytest.fixture
def spend(gateway: Any, clock: Clock, endpoint_id: str) -> Callable[..., list[GatewayBudgetWindow]]:
    """Record a charge; return the windows it was added to."""

    def spend(nanos: int, *, of: str = endpoint_id, **fields: Any) -> list[GatewayBudgetWindow]:
        return list(gateway.do(charge(of, nanos, **fields)).windows)

    return spend


@pytest.fixture
def shown(gateway: Any, clock: Clock) -> Callable[[GatewayBudgetPolicy], float]:
    """Return the listed spending of a policy."""

    def shown(policy: GatewayBudgetPolicy) -> float:
        windows = gateway.do(ListGatewayBudgetWindowsRequest()).windows
        (window,) = (window for window in windows if window.budget_policy_id == policy.budget_policy_id)
        assert window.window_start_ms <= clock.now < window.window_end_ms
        return window.current_spend

    return shown


@pytest.fixture
def check(gateway: Any, clock: Clock, endpoint_id: str) -> Callable[..., GatewayBudgetCheck]:
    def check(**fields: Any) -> GatewayBudgetCheck:
        return gateway.do(CheckGatewayBudgetRequest(**{"endpoint_id": endpoint_id, **fields})).check

    return check


@pytest.fixture
def rows(gateway: Any) -> Callable[[str], int]:
    """Count the rows of a table."""
    return lambda table: gateway.place.execute(f"SELECT count(*) FROM {table}")[0][0]


def change(gateway: Any, policy: GatewayBudgetPolicy, **fields: Any) -> GatewayBudgetPolicy:
    request = UpdateGatewayBudgetPolicyRequest(budget_policy_id=policy.budget_policy_id, **fields)
    return gateway.do(request).budget_policy


def test_a_charge_counts_for_every_matching_policy(gateway: Any, spend: Any, shown: Any, endpoint_id: str) -> None:
    other = gateway.endpoint().endpoint_id
    policies = {
        "everybody": gateway.policy(duration={"unit": "WEEKS", "value": 1}),
        "workspace": gateway.policy(target_scope="WORKSPACE"),
        "endpoint": gateway.policy(target_scope="ENDPOINT", target_value=endpoint_id),
        "other": gateway.policy(target_scope="ENDPOINT", target_value=other),
        "ann": gateway.policy(target_scope="USER", target_value="ann"),
    }
    names = {policy.budget_policy_id: name for name, policy in policies.items()}

    def counted(nanos: int, **fields: Any) -> list[str]:
        return [names[window.budget_policy_id] for window in spend(nanos, **fields)]

    assert counted(1) == ["everybody", "workspace", "endpoint"]
    assert counted(10, user="ann", workspace="") == ["everybody", "workspace", "endpoint", "ann"]
    assert counted(100, user="bob", workspace="default") == ["everybody", "workspace", "endpoint"]
    assert counted(1000, of=other, user="ann", workspace="research") == ["everybody", "other", "ann"]
    assert counted(10_000, user="") == ["everybody", "workspace", "endpoint"]
    # An endpoint's id does not match a user of that name, nor the reverse.
    assert counted(100_000, user=endpoint_id) == ["everybody", "workspace", "endpoint"]
    sums = {"everybody": 111_111, "workspace": 110_111, "endpoint": 110_111, "other": 1000, "ann": 1010}
    assert {name: shown(policy) for name, policy in policies.items()} == {name: sums[name] / 10**9 for name in sums}


def test_occurred_at_selects_the_window(gateway: Any, spend: Any, shown: Any) -> None:
    day = gateway.policy()
    week = gateway.policy(duration={"unit": "WEEKS", "value": 1})
    sunday = TODAY - 5 * DAY
    assert spend(250_000_000, occurred_at=TODAY - 1) == [
        GatewayBudgetWindow(
            budget_policy_id=day.budget_policy_id, window_start_ms=TODAY - DAY, window_end_ms=TODAY, current_spend=0.25
        ),
        GatewayBudgetWindow(
            budget_policy_id=week.budget_policy_id,
            window_start_ms=sunday,
            window_end_ms=sunday + 7 * DAY,
            current_spend=0.25,
        ),
    ]
    assert (shown(day), shown(week)) == (0.0, 0.25)
    assert [window.current_spend for window in spend(250_000_000, occurred_at=TODAY)] == [0.25, 0.5]
    assert [window.current_spend for window in spend(500_000_000)] == [0.75, 1.0]
    assert (shown(day), shown(week)) == (0.75, 1.0)


def test_the_next_window_starts_at_zero(gateway: Any, spend: Any, shown: Any, clock: Clock) -> None:
    policy = gateway.policy()
    spend(1_000_000_000)
    clock.now = TODAY + DAY - 1
    assert shown(policy) == 1.0
    clock.now += 1
    assert shown(policy) == 0.0
    spend(2_000_000_000)
    assert shown(policy) == 2.0


def test_a_window_that_ended_a_day_ago_is_closed(gateway: Any, spend: Any, clock: Clock) -> None:
    gateway.policy()
    clock.now = TODAY + DAY - 1
    assert [window.window_end_ms for window in spend(1, occurred_at=TODAY - 1)] == [TODAY]
    clock.now += 1
    assert spend(1, occurred_at=TODAY - 1) == []
    assert spend(1, occurred_at=-(2**63)) == []


def test_a_charge_may_be_up_to_a_day_ahead(gateway: Any, clock: Clock, endpoint_id: str) -> None:
    gateway.policy()
    (window,) = gateway.do(charge(endpoint_id, 1, occurred_at=clock.now + DAY)).windows
    assert window.window_start_ms == TODAY + DAY
    for moment in clock.now + DAY + 1, 2**63 - 1:
        error = gateway.refused(charge(endpoint_id, 1, occurred_at=moment))
        assert (error.code, [field for field, _ in error.field_violations]) == (Code.INVALID_ARGUMENT, ["occurred_at"])


def test_sums_are_exact(gateway: Any, spend: Any, shown: Any) -> None:
    policy = gateway.policy(duration={"unit": "MONTHS", "value": 1200})
    for _ in range(10):
        spend(100_000_000)
    assert shown(policy) == 1.0
    for nanos in *[10**15] * 10, 1, 1, 1:
        spend(nanos)
    spend(0)
    # More than 2^53, so that a double would lose the ones.
    assert shown(policy) == (10**16 + 1_000_000_003) / 10**9
    assert gateway.place.execute("SELECT spend_nanos FROM budget_windows") == [(10**16 + 1_000_000_003,)]


def test_a_window_saturates_at_int64(gateway: Any, spend: Any, shown: Any, endpoint_id: str) -> None:
    full = gateway.policy()
    spend(1)
    gateway.place.execute("UPDATE budget_windows SET spend_nanos = 9223372036854775805")
    gateway.policy()
    assert not gateway.do(charge(endpoint_id, 1)).saturated
    for request in charge(endpoint_id, 2), charge(endpoint_id, 10**15), charge(endpoint_id, 10**15):
        response = gateway.do(request)
        assert response.saturated
        assert gateway.do(request) == response
    assert gateway.place.execute("SELECT max(spend_nanos) FROM budget_windows") == [(2**63 - 1,)]
    assert shown(full) == 9223372036.854775807


def test_a_repeat_counts_once_and_returns_the_same_response(
    gateway: Any, shown: Any, clock: Clock, endpoint_id: str
) -> None:
    policies = [gateway.policy(), gateway.policy(target_scope="USER", target_value="ann")]
    request = charge(endpoint_id, 1_500_000_000, user="ann", request_id="🙂")
    first = gateway.do(request)
    gateway.policy()
    assert gateway.do(request) == first
    # It stays in the window of its first recording.
    clock.now += DAY
    assert gateway.do(request) == first
    assert [shown(policy) for policy in policies] == [0.0, 0.0]
    clock.now -= DAY
    assert [shown(policy) for policy in policies] == [1.5, 1.5]


def test_a_repeat_returns_the_current_sums(gateway: Any, spend: Any, clock: Clock, endpoint_id: str) -> None:
    unchanged, edited, deleted = gateway.policy(), gateway.policy(), gateway.policy()
    request = charge(endpoint_id, 1)
    assert len(gateway.do(request).windows) == 3
    change(gateway, edited, duration={"unit": "HOURS", "value": 1})
    change(gateway, edited, duration={"unit": "DAYS", "value": 1})
    gateway.do(DeleteGatewayBudgetPolicyRequest(budget_policy_id=deleted.budget_policy_id))
    # The edited policy has a new counter for the same time, without this charge.
    assert len(spend(10)) == 2
    (window,) = gateway.do(request).windows
    assert (window.budget_policy_id, window.current_spend) == (unchanged.budget_policy_id, 0.000000011)


@pytest.mark.parametrize(
    "changes",
    [{"amount_nanos": 8}, {"user": "bob"}, {"user": ""}, {"workspace": "other"}, {"occurred_at": NOON}, {"occurred_at": 0}],
)
def test_a_request_id_with_another_content_is_invalid(
    gateway: Any, shown: Any, clock: Clock, endpoint_id: str, changes: dict[str, Any]
) -> None:
    policy = gateway.policy()
    fields = {"user": "ann", "request_id": "r"}
    gateway.do(charge(endpoint_id, 7, **fields))
    other = charge(endpoint_id, 7, **fields)
    for name, value in changes.items():
        setattr(other, name, value)
    error = gateway.refused(other)
    assert (error.code, [field for field, _ in error.field_violations]) == (Code.INVALID_ARGUMENT, ["request_id"])
    assert shown(policy) == 0.000000007
    # Explicit defaults are the same content.
    assert len(gateway.do(charge(endpoint_id, 7, **fields, workspace="default")).windows) == 1
    assert shown(policy) == 0.000000007


def test_another_endpoint_is_another_content(gateway: Any, clock: Clock, endpoint_id: str) -> None:
    gateway.do(charge(endpoint_id, 1, request_id="r"))
    error = gateway.refused(charge(gateway.endpoint().endpoint_id, 1, request_id="r"))
    assert error.code is Code.INVALID_ARGUMENT


def test_endpoint_not_found(gateway: Any, not_found: Any, clock: Clock) -> None:
    not_found(gateway.refused(charge("nope", 1)), "GatewayEndpoint not found (endpoint_id='nope')")
    not_found(
        gateway.refused(CheckGatewayBudgetRequest(endpoint_id="nope")), "GatewayEndpoint not found (endpoint_id='nope')"
    )


def test_a_policy_counts_charges_after_its_creation(gateway: Any, spend: Any, shown: Any) -> None:
    spend(1)
    policy = gateway.policy()
    assert shown(policy) == 0.0
    spend(10, occurred_at=TODAY)
    assert shown(policy) == 0.00000001


@pytest.mark.parametrize(
    ("changes", "counts_on"),
    [
        ({"budget_amount": 5.0, "budget_action": "REJECT", "updated_by": "ann"}, True),
        (
            {
                "duration": {"unit": "DAYS", "value": 1},
                "budget_unit": "USD",
                "target_scope": "USER",
                "target_value": "ann",
            },
            True,
        ),
        ({"duration": {"unit": "HOURS", "value": 24}}, False),
        ({"duration": {"unit": "DAYS", "value": 2}}, False),
        ({"target_scope": "GLOBAL"}, False),
        ({"target_value": "bob"}, False),
    ],
)
def test_changing_a_counting_field_resets_the_counter(
    gateway: Any, spend: Any, shown: Any, changes: dict[str, Any], counts_on: bool
) -> None:
    policy = gateway.policy(target_scope="USER", target_value="ann")
    spend(1_000_000_000, user="ann")
    change(gateway, policy, **changes)
    assert shown(policy) == (1.0 if counts_on else 0.0)


def test_counters_are_deleted_with_their_policy_or_endpoint(gateway: Any, spend: Any, rows: Any, endpoint_id: str) -> None:
    policy = gateway.policy()
    gateway.policy(target_scope="ENDPOINT", target_value=endpoint_id)
    request = charge(endpoint_id, 1)
    gateway.do(request)
    assert rows("budget_windows") == 2
    gateway.do(DeleteGatewayEndpointRequest(endpoint_id=endpoint_id))
    assert rows("budget_windows") == 1
    gateway.do(DeleteGatewayBudgetPolicyRequest(budget_policy_id=policy.budget_policy_id))
    assert rows("budget_windows") == 0
    assert gateway.refused(request).code is Code.NOT_FOUND


def test_recording_prunes_expired_rows(gateway: Any, spend: Any, clock: Clock, rows: Any) -> None:
    for _ in range(3):
        gateway.policy(duration={"unit": "MINUTES", "value": 1})
    for _ in range(20):
        spend(1)
        clock.now += MINUTE
    assert (rows("budget_charges"), rows("budget_windows")) == (20, 60)
    # Charges stay for a day, windows for 90 days.
    clock.now += DAY - 20 * MINUTE - 1
    spend(1)
    assert (rows("budget_charges"), rows("budget_windows")) == (21, 63)
    # A charge prunes four more rows than it adds: 3 + 4 windows, 1 + 4 charges.
    clock.now += DAY
    for charges, windows in (17, 66), (13, 69), (9, 72):
        clock.now += MINUTE
        spend(1)
        assert (rows("budget_charges"), rows("budget_windows")) == (charges, windows)
    clock.now += 90 * DAY
    for windows in 68, 64, 60:
        clock.now += MINUTE
        spend(1)
        assert rows("budget_windows") == windows
    for _ in range(20):
        spend(1)
    assert (rows("budget_charges"), rows("budget_windows")) == (23, 9)


def test_a_request_id_expires_after_a_day(gateway: Any, clock: Clock, spend: Any, shown: Any, endpoint_id: str) -> None:
    policy = gateway.policy(duration={"unit": "WEEKS", "value": 1})
    request = charge(endpoint_id, 1)
    gateway.do(request)
    clock.now += DAY - 1
    spend(10)
    gateway.do(request)
    assert shown(policy) == 0.000000011


@pytest.mark.parametrize(
    ("amount", "nanos", "allowed", "remaining"),
    [
        (0.0, 0, False, 0.0),
        (0.1, 99_999_999, True, 0.000000001),
        (0.1, 100_000_000, False, 0.0),
        (0.3, 100_000_000, True, 0.2),
        (1.0, 2_000_000_000, False, 0.0),
        # An amount is rounded down to whole nano-units.
        (0.0000000029, 1, True, 0.000000001),
        (0.0000000029, 2, False, 0.0),
        (5e-324, 0, False, 0.0),
        # Beyond int64, so never reached.
        (9223372036.854774, 2**63 - 1, False, 0.0),
        (9223372036.854776, 2**63 - 1, True, 0.000000193),
        (1e300, 2**63 - 1, True, 1e300),
    ],
)
def test_spending_equal_to_the_amount_is_rejected(
    gateway: Any, spend: Any, check: Any, amount: float, nanos: int, allowed: bool, remaining: float
) -> None:
    policy = gateway.policy(budget_amount=amount, budget_action="REJECT")
    if nanos:
        spend(1)
        gateway.place.execute("UPDATE budget_windows SET spend_nanos = :nanos", {"nanos": nanos})
    assert check() == GatewayBudgetCheck(
        allowed=allowed,
        budget_policy=policy,
        window={
            "budget_policy_id": policy.budget_policy_id,
            "window_start_ms": TODAY,
            "window_end_ms": TODAY + DAY,
            "current_spend": nanos / 10**9,
        },
        remaining=remaining,
    )


def test_without_a_reject_policy_all_is_allowed(gateway: Any, spend: Any, check: Any, endpoint_id: str) -> None:
    assert check() == GatewayBudgetCheck(allowed=True)
    gateway.policy(budget_amount=0.0)
    gateway.policy(budget_amount=0.0, budget_action="REJECT", target_scope="USER", target_value="ann")
    gateway.policy(budget_amount=0.0, budget_action="REJECT", target_scope="WORKSPACE")
    assert check(user="bob", workspace="research") == GatewayBudgetCheck(allowed=True)
    assert not check(user="bob").allowed
    assert not check(user="ann", workspace="research").allowed


def test_the_check_is_that_of_the_tightest_policy(gateway: Any, spend: Any, check: Any, clock: Clock) -> None:
    def limit(amount: float, days: int) -> str:
        policy = gateway.policy(budget_amount=amount, budget_action="REJECT", duration={"unit": "DAYS", "value": days})
        return policy.budget_policy_id

    ten, five, week, _ = limit(10.0, 1), limit(5.0, 1), limit(5.0, 7), limit(5.0, 7)
    gateway.policy(budget_amount=1.0)
    # Three have the same remaining amount: the latest end wins, then the first policy.
    assert (check().budget_policy.budget_policy_id, check().remaining) == (week, 5.0)
    spend(5_000_000_000)
    assert (check().allowed, check().budget_policy.budget_policy_id) == (False, week)
    clock.now += 6 * DAY
    assert check().allowed
    assert (check().budget_policy.budget_policy_id, ten != five) == (week, True)
