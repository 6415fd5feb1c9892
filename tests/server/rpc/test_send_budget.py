"""The budget of responses that clients have not received yet."""

from __future__ import annotations

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.send_budget import SendBudget


def assert_refused(budget: SendBudget, connection: str) -> None:
    with pytest.raises(GatewayError) as caught:
        budget.check(lambda: connection)
    assert (caught.value.code, caught.value.reason) == (Code.RESOURCE_EXHAUSTED, "OVERLOADED")


def test_a_connection_that_receives_nothing_is_refused_and_others_are_not():
    budget = SendBudget(100)
    release = budget.add("slow", 26, required=False)
    assert_refused(budget, "slow")
    budget.check(lambda: "other")
    release()
    budget.check(lambda: "slow")


def test_a_response_beyond_the_budget_is_refused_unless_its_call_had_an_effect():
    budget = SendBudget(100)
    release = budget.add("a", 60, required=False)
    with pytest.raises(GatewayError) as caught:
        budget.add("b", 60, required=False)
    assert (caught.value.code, caught.value.reason) == (Code.RESOURCE_EXHAUSTED, "OVERLOADED")
    budget.add("c", 60, required=True)()
    release()
    budget.add("b", 60, required=False)()


def test_a_single_response_larger_than_the_budget_is_sent():
    SendBudget(100).add("a", 1000, required=False)
