"""Recording spend and checking budgets through every client."""

from __future__ import annotations

import pytest

from gateway_entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    Code,
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelLinkageType,
)

SCOPE, REJECT = BudgetTargetScope, BudgetAction.REJECT


@pytest.fixture
def endpoint(client, define, unique):
    config = GatewayEndpointModelConfig(define().model_definition_id, GatewayModelLinkageType.PRIMARY)
    return client.create_endpoint(unique("endpoint"), [config]).endpoint_id


@pytest.fixture
def limit(client, endpoint):
    """Sets a budget of the endpoint."""

    def limit(amount, action=REJECT):
        return client.create_budget_policy(
            budget_unit=BudgetUnit.USD,
            budget_amount=amount,
            duration=BudgetDuration(BudgetDurationUnit.MONTHS, 1200),
            target_scope=SCOPE.ENDPOINT,
            budget_action=action,
            target_value=endpoint,
        ).budget_policy_id

    return limit


def spent(client, policy):
    return next(w.current_spend for w in client.list_budget_windows() if w.budget_policy_id == policy)


def test_spend_adds_up_exactly(client, other, endpoint, limit):
    policy = limit(100.0)
    for _ in range(10):
        windows = client.record_spend(endpoint, 100_000_000)
    assert [w.current_spend for w in windows if w.budget_policy_id == policy] == [1.0]
    assert spent(other, policy) == 1.0


def test_a_repeat_counts_once(client, other, endpoint, limit, unique):
    policy, request_id = limit(100.0), unique("request")
    for each in (client, other, client):
        each.record_spend(endpoint, 250_000_000, request_id=request_id)
    assert spent(client, policy) == 0.25
    with pytest.raises(GatewayError) as caught:
        client.record_spend(endpoint, 250_000_001, request_id=request_id)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert spent(client, policy) == 0.25


def test_a_spent_budget_rejects(client, endpoint, limit):
    limit(0.5, BudgetAction.ALERT)
    policy = limit(1.0)
    client.record_spend(endpoint, 999_999_999)
    before = client.check_budget(endpoint)
    assert (before.allowed, before.budget_policy.budget_policy_id) == (True, policy)
    client.record_spend(endpoint, 1)
    after = client.check_budget(endpoint)
    assert (after.allowed, after.budget_policy.budget_policy_id, after.window.current_spend) == (False, policy, 1.0)
    client.update_budget_policy(policy, budget_amount=2.0)
    assert client.check_budget(endpoint).allowed


@pytest.mark.parametrize(
    ("scope", "argument", "matching", "other_value"),
    [(SCOPE.USER, "user", "ann", "bob"), (SCOPE.WORKSPACE, "workspace", "default", "research")],
)
def test_the_user_and_the_workspace_choose_the_budgets(client, endpoint, unique, scope, argument, matching, other_value):
    target = unique(matching) if scope is SCOPE.USER else None
    policy = client.create_budget_policy(
        budget_unit=BudgetUnit.USD,
        budget_amount=1.0,
        duration=BudgetDuration(BudgetDurationUnit.MONTHS, 1200),
        target_scope=scope,
        budget_action=REJECT,
        target_value=target,
    ).budget_policy_id
    try:
        mine, others = {argument: target or matching}, {argument: other_value}
        client.record_spend(endpoint, 2_000_000_000, **others)
        assert spent(client, policy) == 0
        client.record_spend(endpoint, 2_000_000_000, **mine)
        assert spent(client, policy) == 2.0
        assert client.check_budget(endpoint, **others).allowed
        assert client.check_budget(endpoint, **mine).budget_policy.budget_policy_id == policy
        assert not client.check_budget(endpoint, **mine).allowed
    finally:
        client.delete_budget_policy(policy)


def test_a_limit_of_zero_rejects_immediately(client, endpoint, limit):
    limit(0.0)
    assert not client.check_budget(endpoint).allowed


def test_what_is_refused(client, endpoint):
    with pytest.raises(GatewayError) as caught:
        client.record_spend(endpoint, -1, request_id="", budget_unit=9)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert {v.field for v in caught.value.field_violations} == {"amount_nanos", "request_id", "budget_unit"}
    for call in (lambda: client.record_spend("e-none", 1), lambda: client.check_budget("e-none")):
        with pytest.raises(GatewayError) as caught:
            call()
        assert caught.value.code is Code.NOT_FOUND
