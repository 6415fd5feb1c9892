"""Alerts of budgets in a mirror: subscribers get each once, in order."""

from __future__ import annotations

import pytest

from gateway_entities.errors import WireError
from gateway_entities.mirror import MirrorCore
from gateway_entities.mirror.core import MirrorUpdate
from gatewayentities.v1 import change_pb2 as pb
from tests.mirror.messages import definition, message, secret, snapshot


def alerting(revision: int, *numbers: int, store_id: str = "store") -> bytes:
    """Return an encoded update with alerts."""
    update = pb.WatchGatewayResponse(store_id=store_id, revision=revision, resume_token=f"token{revision}")
    for number in numbers:
        alert = update.alerts.add(alert_id=number, share_percent=50, raised_at=1)
        alert.budget_policy.budget_policy_id = alert.balance.budget_policy_id = "bp-1"
        alert.budget_policy.budget_unit = alert.balance.budget_unit = 1
        alert.budget_policy.budget_amount = 1.0
        alert.budget_policy.duration.unit = alert.budget_policy.duration.value = 1
        alert.budget_policy.target_scope = alert.budget_policy.budget_action = 1
        alert.budget_policy.created_at = alert.budget_policy.last_updated_at = 1
        for field in ("window_start_ms", "window_end_ms", "recorded_nanos", "reserved_nanos", "overrun_nanos"):
            setattr(alert.balance, field, 1)
    return update.SerializeToString()


def alerts(update: MirrorUpdate | None) -> list[int]:
    assert update is not None
    return [alert.alert_id for alert in update.alerts]


@pytest.fixture
def core() -> MirrorCore:
    core = MirrorCore()
    core.apply(snapshot(3, secret(1)))
    return core


def test_an_alert_is_in_one_update(core: MirrorCore) -> None:
    assert alerts(core.apply(alerting(3, 5))) == [5]
    # The stream delivers at least once.
    assert alerts(core.apply(alerting(3, 5, 6))) == [6]
    assert alerts(core.apply(alerting(3, 7, 8))) == [7, 8]
    assert alerts(core.apply(message(4, definition(1)))) == []
    assert core.resume_token == "token4"


def test_an_alert_changes_no_state(core: MirrorCore) -> None:
    before, digest = core.state, core.digest()
    update = core.apply(alerting(3, 5))
    assert update is not None
    assert (update.state, update.events, update.is_snapshot, core.digest()) == (before, (), False, digest)


def test_another_store_has_other_numbers(core: MirrorCore) -> None:
    core.apply(alerting(3, 9))
    core.accept_earlier()
    core.apply(snapshot(1, secret(1), store_id="other"))
    assert alerts(core.apply(alerting(1, 2, store_id="other"))) == [2]


def test_alerts_during_a_snapshot_that_is_behind_are_not_lost(core: MirrorCore) -> None:
    """Another server may still have an earlier snapshot, which its later updates complete."""
    assert core.apply(snapshot(2, secret(1))) is None
    assert core.apply(alerting(2, 5)) is None
    assert alerts(core.apply(message(3, secret(2)))) == [5]


def test_an_alert_that_cannot_be_read_is_refused(core: MirrorCore) -> None:
    broken = pb.WatchGatewayResponse.FromString(alerting(3, 5))
    broken.alerts[0].ClearField("balance")
    with pytest.raises(WireError, match="balance"):
        core.apply(broken.SerializeToString())
    assert alerts(core.apply(alerting(3, 5))) == [5]
