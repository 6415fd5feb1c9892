"""Alerts: once for each window and share of its limit, whatever makes the recorded spending reach it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_entities.entities import GatewaySpendAlert
from gateway_entities.errors import GatewayError
from gateway_entities.server.service.spending.ledger import check_shares
from gatewayentities.v1.budget_pb2 import RecordGatewaySpendRequest, UpdateGatewayBudgetPolicyRequest
from gatewayentities.v1.spend_pb2 import AdjustGatewaySpendRequest
from tests.server.service.spending import MINUTE, commit, release, request


@pytest.fixture
def stored(gateway: Any) -> Any:
    """Return the stored alerts, as policies and shares; those that were reported are the same."""
    reported: list[GatewaySpendAlert] = []
    gateway.service.report_alert = reported.append

    def stored() -> list[tuple[str, int]]:
        with gateway.store.read() as transaction:
            found = transaction.spend_alerts.list(0, 1000)
            assert transaction.spend_alerts.last() == (found[-1].alert_id if found else 0)
        assert found == reported
        assert [each.alert_id for each in found] == sorted({each.alert_id for each in found})
        return [(each.budget_policy.budget_policy_id, each.share_percent) for each in found]

    return stored


def charge(endpoint_id: str, nanos: int, request_id: str, **fields: Any) -> RecordGatewaySpendRequest:
    return RecordGatewaySpendRequest(
        endpoint_id=endpoint_id, amount_nanos=nanos, budget_unit="USD", request_id=request_id, **fields
    )


def shares(response: Any) -> list[int]:
    return [alert.share_percent for alert in response.alerts]


@pytest.mark.parametrize("action", ["ALERT", "REJECT"])
def test_each_share_is_reported_once_in_the_response_to_the_charge(
    gateway: Any, limit: Any, stored: Any, endpoint_id: str, action: str
) -> None:
    policy_id = limit(1000, action)

    def spend(nanos: int, name: str) -> list[int]:
        return shares(gateway.do(charge(endpoint_id, nanos, name)))

    assert [spend(499, "a"), spend(1, "b"), spend(1, "c"), spend(700, "d"), spend(1, "e")] == [[], [50], [], [80, 100], []]
    assert stored() == [(policy_id, 50), (policy_id, 80), (policy_id, 100)]
    # A repeat has the alerts of its charge, and raises none.
    assert [spend(1, "b"), spend(700, "d"), spend(1, "e")] == [[50], [80, 100], []]
    assert len(stored()) == 3


def test_an_alert_has_its_policy_and_window_as_they_were(gateway: Any, limit: Any, stored: Any, endpoint_id: str) -> None:
    policy_id = limit(10, "ALERT")
    [half, most, whole] = gateway.do(charge(endpoint_id, 15, "a")).alerts
    assert (half.share_percent, most.share_percent, whole.share_percent) == (50, 80, 100)
    assert whole.budget_policy.budget_policy_id == whole.balance.budget_policy_id == policy_id
    assert (whole.balance.recorded_nanos, whole.balance.limit_nanos, whole.balance.overrun_nanos) == (15, 10, 5)
    assert whole.balance.window_start_ms <= whole.raised_at < whole.balance.window_end_ms
    assert stored()[-1] == (policy_id, 100)


def test_reservations_raise_alerts_once_they_are_recorded(
    gateway: Any, reserve: Any, limit: Any, stored: Any, ticks: Any
) -> None:
    policy_id = limit(100)
    first, second = reserve(50), reserve(30, ttl_ms=MINUTE)
    assert stored() == []
    committed = commit(gateway, first, 60)
    assert shares(committed) == [50]
    assert commit(gateway, first, 60) == committed
    ticks.advance(MINUTE)
    # The next write settles what has expired, and tells what follows.
    assert shares(reserve(1)) == [80]
    release(gateway, second)
    commit(gateway, reserve(30), 40)
    assert stored() == [(policy_id, 50), (policy_id, 80), (policy_id, 100)]


def test_the_server_raises_alerts_of_what_has_expired(
    gateway: Any, reserve: Any, limit: Any, stored: Any, ticks: Any
) -> None:
    policy_id = limit(100)
    reserve(100, ttl_ms=MINUTE)
    ticks.advance(MINUTE)
    gateway.service.expire_reservations()
    assert stored() == [(policy_id, 50), (policy_id, 80), (policy_id, 100)]


def test_corrections_and_lowered_amounts_raise_alerts(gateway: Any, limit: Any, stored: Any, endpoint_id: str) -> None:
    policy_id = limit(100)
    gateway.do(charge(endpoint_id, 40, "a"))
    adjust = {"budget_policy_id": policy_id, "reason": "r"}
    assert shares(gateway.do(AdjustGatewaySpendRequest(amount_nanos=10, **adjust))) == [50]
    gateway.do(UpdateGatewayBudgetPolicyRequest(budget_policy_id=policy_id, budget_amount=60 / 10**9))
    assert stored() == [(policy_id, 50), (policy_id, 80)]
    # Back and again is no news.
    gateway.do(AdjustGatewaySpendRequest(recorded_nanos=0, **adjust))
    assert shares(gateway.do(AdjustGatewaySpendRequest(recorded_nanos=50, **adjust))) == []
    gateway.do(UpdateGatewayBudgetPolicyRequest(budget_policy_id=policy_id, budget_amount=50 / 10**9))
    assert stored() == [(policy_id, 50), (policy_id, 80), (policy_id, 100)]


def test_each_window_has_its_own_alerts(gateway: Any, limit: Any, stored: Any, endpoint_id: str, ticks: Any) -> None:
    minute = limit(10, "ALERT", duration={"unit": "MINUTES", "value": 1})
    day = limit(1000, "ALERT", target_scope="WORKSPACE")
    for name in "ab":
        gateway.do(charge(endpoint_id, 5, name))
        ticks.advance(MINUTE)
    assert stored() == [(minute, 50), (minute, 50)]
    gateway.do(charge(endpoint_id, 490, "c"))
    assert stored()[2:] == [(minute, 50), (minute, 80), (minute, 100), (day, 50)]


def test_a_limit_of_nothing_alerts_at_the_first_spending_and_one_beyond_int64_never(
    gateway: Any, limit: Any, stored: Any, endpoint_id: str
) -> None:
    nothing, _unlimited = limit(0), limit(10**30)
    gateway.do(charge(endpoint_id, 0, "a"))
    assert stored() == []
    gateway.do(charge(endpoint_id, 10**15, "b"))
    assert stored() == [(nothing, 50), (nothing, 80), (nothing, 100)]


def test_the_shares_can_be_set(gateway: Any, limit: Any, stored: Any, endpoint_id: str) -> None:
    gateway.service.alert_shares = check_shares([120, 10, 10])
    policy_id = limit(100)
    gateway.do(charge(endpoint_id, 100, "a"))
    gateway.do(charge(endpoint_id, 20, "b"))
    assert stored() == [(policy_id, 10), (policy_id, 120)]
    for wrong in ([0], [1001], [50, -1], range(1, 22)):
        with pytest.raises(GatewayError, match="1 to 1000, in percent"):
            check_shares(wrong)


def test_what_fails_raises_no_alert(gateway: Any, limit: Any, stored: Any, endpoint_id: str) -> None:
    limit(100)
    gateway.do(charge(endpoint_id, 1, "a"))
    gateway.refused(charge(endpoint_id, 99, "a"))
    gateway.refused(charge("nope", 99, "b"))
    gateway.do(request(endpoint_id, 99))
    assert stored() == []


def test_an_alert_is_in_the_log(gateway: Any, limit: Any, endpoint_id: str, caplog: pytest.LogCaptureFixture) -> None:
    policy_id = limit(100, "ALERT")
    gateway.do(charge(endpoint_id, 50, "a"))
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"budget alert: policy {policy_id} has recorded 50 of 100 nano-units, 50 % of its limit"
    ]
