"""Spending counters and recorded charges."""

from __future__ import annotations

import pytest

from gateway_entities.entities import BudgetTargetScope
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.repositories.charge import Charge
from gateway_entities.server.store.repositories.spending.spend import Counter


def test_list_returns_the_current_windows(store, make):
    with store.write() as transaction:
        for number in (1, 2):
            transaction.budget_policies.add(make.policy(number))
        spend = transaction.budget_spend
        first, second = (spend.open("bp-0001", Counter(0, start, start + 10, start)) for start in (10, 20))
        other = spend.open("bp-0002", Counter(0, 15, 25, 3))
        at = {moment: [counter for _, counter in spend.list(moment)] for moment in (9, 10, 19, 20, 25)}
    assert at == {
        9: [None, None],
        10: [Counter(first, 10, 20, 10), None],
        19: [Counter(first, 10, 20, 10), Counter(other, 15, 25, 3)],
        20: [Counter(second, 20, 30, 20), Counter(other, 15, 25, 3)],
        25: [Counter(second, 20, 30, 20), None],
    }


def test_list_pages_by_policy(store, make):
    with store.write() as transaction:
        for number in (1, 2, 3):
            transaction.budget_policies.add(make.policy(number))
            transaction.budget_spend.open(f"bp-{number:04}", Counter(0, 0, 10, number))
        pages = [
            transaction.budget_spend.list(5, limit=2),
            transaction.budget_spend.list(5, after=(6002, "bp-0002"), limit=2),
        ]
    assert [[(policy.budget_policy_id, counter.nanos) for policy, counter in page] for page in pages] == [
        [("bp-0001", 1), ("bp-0002", 2)],
        [("bp-0003", 3)],
    ]


def test_window_ids_are_never_reused(store, make):
    with store.write() as transaction:
        transaction.budget_policies.add(make.policy())
        number = transaction.budget_spend.open("bp-0001", Counter(0, 0, 10, 1))
        transaction.budget_spend.remove("bp-0001")
        assert transaction.budget_spend.open("bp-0001", Counter(0, 0, 10, 1)) > number
        assert transaction.budget_spend.of_windows([number]) == []


def test_many_windows_in_one_call(store, make):
    with store.write() as transaction:
        numbers = []
        for number in range(1200):
            transaction.budget_policies.add(make.policy(number))
            numbers.append(transaction.budget_spend.open(f"bp-{number:04}", Counter(0, 0, 10, number)))
        few = transaction.budget_spend.of_windows(numbers[:600])
        transaction.budget_spend.save([counter._replace(nanos=counter.nanos + 10_000) for _, counter in few])
        transaction.budget_spend.save([])
        found = transaction.budget_spend.of_windows(numbers[::-1])
    assert [counter.nanos for _, counter in found] == [n + 10_000 * (n < 600) for n in range(1200)]


def test_a_policy_matches_by_its_scope_and_target(store, make):
    with store.write() as transaction:
        for number in (1, 2):
            transaction.endpoints.add(make.endpoint(number))
        targets = [("GLOBAL", None), ("WORKSPACE", None), ("ENDPOINT", "e-0001"), ("ENDPOINT", "e-0002"), ("USER", "ann")]
        for number, (scope, target) in enumerate(targets):
            policy = make.policy(number, target_scope=BudgetTargetScope[scope], target_value=target)
            transaction.budget_policies.add(policy)

        def matching(endpoint_id, user, own_workspace):
            found = transaction.budget_spend.matching(0, endpoint_id=endpoint_id, user=user, own_workspace=own_workspace)
            return [int(policy.budget_policy_id[-1]) for policy, _ in found]

        assert matching("e-0001", "ann", True) == [0, 1, 2, 4]
        assert matching("e-0002", None, False) == [0, 3]
        assert matching("ann", "e-0001", False) == [0]


def test_prune_removes_the_oldest_up_to_the_limit(store, make):
    with store.write() as transaction:
        spend, charges = transaction.budget_spend, transaction.budget_charges
        transaction.budget_policies.add(make.policy())
        for start in (20, 0, 10):
            spend.open("bp-0001", Counter(0, start, start + 10, 1))
            charges.add(f"r{start}", b"", [], start)

        def remaining():
            return [start for start in (0, 10, 20) if spend.list(start)[0].counter and charges.get(f"r{start}")]

        for until, most, expected in [(9, 5, [10, 20]), (20, 0, [10, 20]), (30, 1, [20]), (30, 5, [])]:
            spend.prune(until + 1, most)
            charges.prune(until, most)
            assert remaining() == expected


def test_charges(store):
    with store.write() as transaction:
        transaction.budget_charges.add("r 1", b"\x00\xff", [3, 2**40], 5)
        assert transaction.budget_charges.get("r 1") == Charge(b"\x00\xff", [3, 2**40])
        assert transaction.budget_charges.get("r 2") is None
    with pytest.raises(GatewayError) as caught, store.write() as transaction:
        transaction.budget_charges.add("r 1", b"", [], 6)
    assert caught.value.code is Code.ALREADY_EXISTS
