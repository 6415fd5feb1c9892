"""Model-based test: the sums after any sequence of charges, repeats and edits equal those of a plain Python model."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.entities import BudgetDurationUnit
from gateway_entities.server.service.spending.windows import window_at
from gatewayentities.v1.budget_pb2 import (
    DeleteGatewayBudgetPolicyRequest,
    ListGatewayBudgetWindowsRequest,
    RecordGatewaySpendRequest,
    UpdateGatewayBudgetPolicyRequest,
)
from tests.clocks import PatchedClock
from tests.server.service.conftest import START_MS, Gateway
from tests.stores import KINDS, one_place

DAY = 86_400_000

durations = st.sampled_from([("MINUTES", 7), ("HOURS", 1), ("HOURS", 24), ("DAYS", 1), ("WEEKS", 1), ("MONTHS", 5)])
targets = st.sampled_from([("GLOBAL", None), ("WORKSPACE", None), ("ENDPOINT", 0), ("ENDPOINT", 1), ("USER", "ann")])
# Small steps stay in a window; large ones pass its end, or the retention of charges.
passing = st.integers(0, 10_000) | st.integers(0, 2 * DAY)
charges = st.fixed_dictionaries(
    {
        "endpoint": st.integers(0, 1),
        "amount_nanos": st.integers(0, 5) | st.integers(0, 10**15) | st.integers(10**15 - 5, 10**15),
        "user": st.sampled_from(["", "ann", "bob"]),
        "workspace": st.sampled_from(["", "default", "research"]),
        "late": st.none() | st.integers(-DAY, DAY) | st.integers(-DAY, 40 * DAY),
    }
)
steps = st.one_of(
    st.tuples(st.just("record"), charges),
    st.tuples(st.just("record"), charges),
    st.tuples(st.just("repeat"), st.integers(0, 30)),
    st.tuples(st.just("wait"), passing),
    st.tuples(st.just("create"), st.tuples(durations, targets)),
    st.tuples(st.just("edit"), st.tuples(st.integers(0, 5), durations, targets)),
    st.tuples(st.just("touch"), st.integers(0, 5)),
    st.tuples(st.just("delete"), st.integers(0, 5)),
)


@dataclasses.dataclass
class Policy:
    """A policy in the model, with its charges and their times."""

    duration: tuple[str, int]
    target: tuple[str, Any]
    counted: list[tuple[int, int]] = dataclasses.field(default_factory=list)

    def window(self, moment: int) -> tuple[int, int]:
        return window_at(BudgetDurationUnit[self.duration[0]], self.duration[1], moment)

    def matches(self, charge: dict[str, Any]) -> bool:
        scope, target = self.target
        return {
            "GLOBAL": True,
            "WORKSPACE": charge["workspace"] in {"", "default"},
            "ENDPOINT": charge["endpoint"] == target,
            "USER": charge["user"] == target,
        }[scope]

    def spent(self, moment: int) -> float:
        """Return the spending in the window that contains a moment."""
        nanos = sum(nanos for nanos, at in self.counted if self.window(at) == self.window(moment))
        return nanos / 10**9


class Course:
    """One sequence of events, applied to a gateway and to its model."""

    def __init__(self, gateway: Gateway, endpoints: list[str], clock: list[int], run: int) -> None:
        self.gateway, self.endpoints, self.clock, self.run = gateway, endpoints, clock, run
        self.policies: dict[str, Policy] = {}
        self.recorded: list[tuple[RecordGatewaySpendRequest, int]] = []

    def take(self, step: str, argument: Any) -> None:
        getattr(self, step)(argument)
        windows = self.gateway.do(ListGatewayBudgetWindowsRequest()).windows
        shown = {
            window.budget_policy_id: (window.window_start_ms, window.window_end_ms, window.current_spend)
            for window in windows
        }
        now = self.clock[0]
        assert shown == {key: (*policy.window(now), policy.spent(now)) for key, policy in self.policies.items()}

    def record(self, charge: dict[str, Any]) -> None:
        now = self.clock[0]
        moment = now if charge["late"] is None else now - charge["late"]
        request = RecordGatewaySpendRequest(
            endpoint_id=self.endpoints[charge["endpoint"]],
            amount_nanos=charge["amount_nanos"],
            user=charge["user"],
            workspace=charge["workspace"],
            budget_unit="USD",
            request_id=f"{self.run}-{len(self.recorded)}",
            occurred_at=None if charge["late"] is None else moment,
        )
        expected = {}
        for key, policy in self.policies.items():
            if policy.matches(charge) and policy.window(moment)[1] > now - DAY:
                policy.counted.append((charge["amount_nanos"], moment))
                expected[key] = (*policy.window(moment), policy.spent(moment))
        response = {
            window.budget_policy_id: (window.window_start_ms, window.window_end_ms, window.current_spend)
            for window in self.gateway.do(request).windows
        }
        assert response == expected
        self.recorded.append((request, now))

    def repeat(self, number: int) -> None:
        # Older charges may have been pruned.
        fresh = [request for request, at in self.recorded if at > self.clock[0] - DAY]
        if fresh:
            self.gateway.do(fresh[number % len(fresh)])

    def wait(self, milliseconds: int) -> None:
        self.clock[0] += milliseconds

    def create(self, fields: tuple[tuple[str, int], tuple[str, Any]]) -> None:
        made = self.gateway.policy(**self.wire(*fields))
        self.policies[made.budget_policy_id] = Policy(*fields)

    def edit(self, fields: tuple[int, tuple[str, int], tuple[str, Any]]) -> None:
        number, duration, target = fields
        for key in list(self.policies)[number : number + 1]:
            self.gateway.do(UpdateGatewayBudgetPolicyRequest(budget_policy_id=key, **self.wire(duration, target)))
            if (self.policies[key].duration, self.policies[key].target) != (duration, target):
                self.policies[key] = Policy(duration, target)

    def touch(self, number: int) -> None:
        for key in list(self.policies)[number : number + 1]:
            self.gateway.do(
                UpdateGatewayBudgetPolicyRequest(budget_policy_id=key, budget_amount=2.0, budget_action="REJECT")
            )

    def delete(self, number: int) -> None:
        for key in list(self.policies)[number : number + 1]:
            self.gateway.do(DeleteGatewayBudgetPolicyRequest(budget_policy_id=key))
            del self.policies[key]

    def wire(self, duration: tuple[str, int], target: tuple[str, Any]) -> dict[str, Any]:
        scope, value = target
        value = self.endpoints[value] if scope == "ENDPOINT" else value
        return {
            "duration": {"unit": duration[0], "value": duration[1]},
            "target_scope": scope,
            **({} if value is None else {"target_value": value}),
        }


@pytest.fixture(scope="module", params=KINDS)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all sequences: each deletes its policies at the end, and request_ids never repeat."""
    with one_place(request, tmp_path_factory) as place, closing(place.open(clock=PatchedClock())) as store:
        yield Gateway(store, place)


def test_sums_equal_those_of_the_model(opened: Gateway) -> None:
    endpoints = [opened.endpoint().endpoint_id for _ in range(2)]
    runs = itertools.count()

    @given(st.lists(st.tuples(durations, targets), min_size=1, max_size=4), st.lists(steps, min_size=5, max_size=40))
    def law(created: list[Any], taken: list[tuple[str, Any]]) -> None:
        clock = [START_MS]
        course = Course(opened, endpoints, clock, next(runs))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "time_ns", lambda: clock[0] * 1_000_000)
            try:
                for fields in created:
                    course.take("create", fields)
                for step, argument in taken:
                    course.take(step, argument)
            finally:
                while course.policies:
                    course.delete(0)

    law()
