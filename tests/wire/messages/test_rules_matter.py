"""Mutation test of the rules: with a rule disabled, the sample for it passes as valid."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway_entities.wire import RULES, check, check_json
from gateway_entities.wire.messages.report import Collector
from tests.wire.messages.samples import BAD, class_of
from tests.wire.messages.test_check import JSON, OTHER_JSON, STREAM

REPORTED_BY_CHECK = sorted(RULES.keys() - JSON.keys() - STREAM.keys() - {OTHER_JSON[0]} - {"rules/limit", "wire/limit"})


def detected() -> set[str]:
    """Return the rules whose samples give exactly the expected finding."""
    return {
        bad.rule
        for bad in BAD
        if {finding.rule for finding in check(bad.data, class_of(bad.message_type)).findings} == {bad.rule}
    }


@pytest.fixture
def disable(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def disable(rule: str) -> None:
        count_in = Collector.count_in
        monkeypatch.setattr(Collector, "count_in", lambda self, each: each != rule and count_in(self, each))

    return disable


@pytest.mark.parametrize("rule", REPORTED_BY_CHECK)
def test_a_disabled_rule_is_not_detected(rule: str, disable: Callable[[str], None]) -> None:
    assert rule in detected()
    disable(rule)
    assert rule not in detected()


@pytest.mark.parametrize("rule", JSON)
def test_a_disabled_json_rule_is_not_detected(rule: str, disable: Callable[[str], None]) -> None:
    assert {finding.rule for finding in check_json(JSON[rule], "GatewayEndpointTag").findings} == {rule}
    disable(rule)
    assert not check_json(JSON[rule], "GatewayEndpointTag").findings
