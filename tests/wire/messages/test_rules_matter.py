"""Switching any rule off makes some sample look better than it is: no rule is without a test that needs it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway_entities.wire import RULES, check, check_json
from gateway_entities.wire.messages.report import Collector
from tests.wire.messages.samples import BAD, class_of
from tests.wire.messages.test_check import JSON, STREAM

TOLD_BY_CHECK = sorted(RULES.keys() - JSON.keys() - STREAM.keys() - {"rules/limit", "wire/limit"})


def all_right() -> set[str]:
    """Return the rules of the samples that give exactly the finding they are made for."""
    return {
        bad.rule
        for bad in BAD
        if {finding.rule for finding in check(bad.data, class_of(bad.message_type)).findings} == {bad.rule}
    }


@pytest.fixture
def switch_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def switch_off(rule: str) -> None:
        wants = Collector.wants
        monkeypatch.setattr(Collector, "wants", lambda self, told: told != rule and wants(self, told))

    return switch_off


@pytest.mark.parametrize("rule", TOLD_BY_CHECK)
def test_switching_a_rule_off_is_noticed(rule: str, switch_off: Callable[[str], None]) -> None:
    assert rule in all_right()
    switch_off(rule)
    assert rule not in all_right()


@pytest.mark.parametrize("rule", JSON)
def test_switching_a_rule_of_json_off_is_noticed(rule: str, switch_off: Callable[[str], None]) -> None:
    assert {finding.rule for finding in check_json(JSON[rule], "GatewayEndpointTag").findings} == {rule}
    switch_off(rule)
    assert not check_json(JSON[rule], "GatewayEndpointTag").findings
