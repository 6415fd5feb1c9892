from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_entities.entities import BudgetAction, BudgetDuration, BudgetTargetScope
from gateway_entities.errors import Code, GatewayError


def test_round_trip(store, make):
    policies = [
        make.policy(1, created_by="ana", last_updated_by="", target_scope=BudgetTargetScope.USER, target_value="bo"),
        make.policy(2, budget_amount=0.0, target_value=""),
        make.policy(
            3, budget_amount=1e308, budget_unit=9, duration=BudgetDuration(9, 2**31 - 1), target_scope=9, budget_action=9
        ),
        make.policy(4, budget_amount=0.1 + 0.2),
    ]
    with store.write() as transaction:
        for policy in policies:
            transaction.budget_policies.add(policy)
    with store.read() as transaction:
        assert transaction.budget_policies.list() == policies
        for policy in policies:
            found = transaction.budget_policies.get(policy.budget_policy_id)
            assert found == policy
            assert type(found.target_scope) is type(policy.target_scope)
            assert type(found.duration.unit) is type(policy.duration.unit)
        assert transaction.budget_policies.get("bp-0009") is None


def test_update(store, make):
    with store.write() as transaction:
        transaction.budget_policies.add(make.policy(created_by="ana"))
        changed = make.policy(
            created_by="ana",
            budget_amount=1.0,
            duration=BudgetDuration(2, 7),
            target_scope=BudgetTargetScope.USER,
            target_value="bo",
            budget_action=BudgetAction.REJECT,
            last_updated_at=9000,
            last_updated_by="bo",
        )
        transaction.budget_policies.update(changed)
        assert transaction.budget_policies.get("bp-0001") == changed
        with pytest.raises(GatewayError) as caught:
            transaction.budget_policies.update(make.policy(2))
    assert caught.value.message == "BudgetPolicy not found (budget_policy_id='bp-0002')"


def test_target_not_found(store, make):
    policy = make.policy(target_scope=BudgetTargetScope.ENDPOINT, target_value="e-0001")
    with store.write() as transaction:
        transaction.budget_policies.add(make.policy())
    for attempt in (
        lambda transaction: transaction.budget_policies.update(policy),
        lambda transaction: transaction.budget_policies.add(replace(policy, budget_policy_id="bp-0002")),
    ):
        with pytest.raises(GatewayError) as caught, store.write() as transaction:
            attempt(transaction)
        assert caught.value.code is Code.NOT_FOUND
        assert caught.value.message == "GatewayEndpoint not found (endpoint_id='e-0001')"


def test_a_retargeted_policy_outlives_its_former_endpoint(store, make):
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint())
        transaction.budget_policies.add(make.policy(1, target_scope=BudgetTargetScope.ENDPOINT, target_value="e-0001"))
        transaction.budget_policies.add(make.policy(2))
        transaction.budget_policies.update(make.policy(1))
        transaction.budget_policies.update(make.policy(2, target_scope=BudgetTargetScope.ENDPOINT, target_value="e-0001"))
        transaction.endpoints.remove("e-0001")
        assert transaction.budget_policies.list() == [make.policy(1)]


def test_remove(store, make):
    with store.write() as transaction:
        transaction.budget_policies.add(make.policy())
        assert transaction.budget_policies.remove("bp-0001")
        assert not transaction.budget_policies.remove("bp-0001")


def test_list(store, make):
    with store.write() as transaction:
        for number, created_at in [(3, 50), (1, 60), (2, 50)]:
            transaction.budget_policies.add(make.policy(number, created_at=created_at))
    with store.read() as transaction:
        listing = transaction.budget_policies.list
        assert ids(listing()) == ["bp-0002", "bp-0003", "bp-0001"]
        assert ids(listing(limit=1)) == ["bp-0002"]
        assert ids(listing(limit=2, after=(50, "bp-0002"))) == ["bp-0003", "bp-0001"]
        assert ids(listing(after=(60, "bp-0001"))) == []


def ids(policies):
    return [policy.budget_policy_id for policy in policies]
