"""Budget policies and windows through every client."""

from __future__ import annotations

import time

import pytest

from gateway_entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    Code,
    GatewayError,
)

DAY_MS = 86_400_000


@pytest.fixture
def policy(client):
    def policy(**fields):
        return client.create_budget_policy(
            **{
                "budget_unit": BudgetUnit.USD,
                "budget_amount": 12.5,
                "duration": BudgetDuration(BudgetDurationUnit.DAYS, 1),
                "target_scope": BudgetTargetScope.GLOBAL,
                "budget_action": BudgetAction.REJECT,
                **fields,
            }
        )

    return policy


def test_lifecycle(client, other, policy):
    made = policy(created_by="ann")
    assert made.budget_policy_id.startswith("bp-")
    assert (made.budget_amount, made.target_value, made.created_by) == (12.5, None, "ann")
    assert other.get_budget_policy(made.budget_policy_id) == made
    assert made in other.list_budget_policies()
    changed = client.update_budget_policy(
        made.budget_policy_id, budget_amount=0.0, duration=BudgetDuration(BudgetDurationUnit.MONTHS, 3), updated_by="bob"
    )
    assert (changed.budget_amount, changed.duration.value, changed.last_updated_by) == (0.0, 3, "bob")
    assert (changed.budget_unit, changed.target_scope, changed.budget_action) == (
        made.budget_unit,
        made.target_scope,
        made.budget_action,
    )
    client.delete_budget_policy(made.budget_policy_id)
    with pytest.raises(GatewayError) as caught:
        other.get_budget_policy(made.budget_policy_id)
    assert caught.value.code is Code.NOT_FOUND


def test_enums_by_name(client, policy):
    made = policy(budget_unit="USD", target_scope="GLOBAL", budget_action="REJECT")
    assert (made.budget_unit, made.target_scope) == (BudgetUnit.USD, BudgetTargetScope.GLOBAL)
    changed = client.update_budget_policy(made.budget_policy_id, budget_action="ALERT")
    assert changed.budget_action is BudgetAction.ALERT
    for field, name in (("budget_unit", "EUR"), ("target_scope", "EVERYBODY"), ("budget_action", "DENY")):
        with pytest.raises(GatewayError) as caught:
            policy(**{field: name})
        (violation,) = caught.value.field_violations
        assert violation.field == field
        assert "must be one of " in violation.description
        assert name not in violation.description


def test_each_policy_has_its_current_window(client, policy):
    made = policy()
    before = time.time_ns() // 1_000_000
    (window,) = [w for w in client.list_budget_windows() if w.budget_policy_id == made.budget_policy_id]
    after = time.time_ns() // 1_000_000
    assert window.window_end_ms - window.window_start_ms == DAY_MS
    assert window.window_start_ms % DAY_MS == 0
    assert window.window_start_ms <= after
    assert before < window.window_end_ms
    assert window.current_spend == 0.0


def test_equal_policies_coexist(client, policy):
    assert policy().budget_policy_id != policy().budget_policy_id


def test_a_user_budget_needs_no_authentication(client, policy):
    assert policy(target_scope=BudgetTargetScope.USER, target_value="ann").target_value == "ann"


def test_a_new_scope_drops_the_old_target(client, policy):
    made = policy(target_scope=BudgetTargetScope.USER, target_value="ann")
    changed = client.update_budget_policy(made.budget_policy_id, target_scope=BudgetTargetScope.GLOBAL)
    assert (changed.target_scope, changed.target_value) == (BudgetTargetScope.GLOBAL, None)
    with pytest.raises(GatewayError) as caught:
        client.update_budget_policy(made.budget_policy_id, target_scope=BudgetTargetScope.USER)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert [violation.field for violation in caught.value.field_violations] == ["target_value"]


def test_an_endpoint_budget_needs_an_endpoint_that_exists(client, policy):
    with pytest.raises(GatewayError) as caught:
        policy(target_scope=BudgetTargetScope.ENDPOINT, target_value="e-none")
    assert caught.value.code is Code.NOT_FOUND
    assert "e-none" in caught.value.message


def test_a_scope_of_a_newer_release_is_refused_with_those_that_are_known(client, policy):
    """MLflow will have the scope ROLE; its number is sent here."""
    for call in (
        lambda: policy(target_scope=5, target_value="admins"),
        lambda: client.update_budget_policy(policy().budget_policy_id, target_scope=5, target_value="admins"),
    ):
        with pytest.raises(GatewayError) as caught:
            call()
        assert caught.value.code is Code.INVALID_ARGUMENT
        (violation,) = caught.value.field_violations
        assert violation == ("target_scope", "must be one of GLOBAL, WORKSPACE, ENDPOINT, USER, is 5")
