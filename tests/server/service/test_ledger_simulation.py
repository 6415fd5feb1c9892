"""Simulated callers on the real store, with a virtual clock: after every step the ledger is balanced and equals a model.

Each seeded run has policies of its own, and random steps: charges, reservations that are committed, released, extended or
forgotten, repeats after lost replies, corrections, changes of policies, and a clock that also goes back.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from gateway_entities.entities import BudgetDurationUnit
from gateway_entities.errors import GatewayError
from gateway_entities.server.service.spending.windows import window_at
from gatewayentities.v1.budget_pb2 import (
    CheckGatewayBudgetRequest,
    DeleteGatewayBudgetPolicyRequest,
    GatewayBudgetBalance,
    RecordGatewaySpendRequest,
    UpdateGatewayBudgetPolicyRequest,
)
from gatewayentities.v1.spend_pb2 import (
    AdjustGatewaySpendRequest,
    CommitGatewaySpendRequest,
    ExtendGatewaySpendRequest,
    ListGatewayBudgetBalancesRequest,
    ReleaseGatewaySpendRequest,
    ReserveGatewaySpendRequest,
)
from tests import profiles
from tests.clocks import PatchedClock
from tests.server.service.conftest import START_MS, Gateway
from tests.stores import KINDS, one_place

RUNS = profiles.count(1000, 6)
STEPS = 40
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DURATIONS = (("MINUTES", 1), ("MINUTES", 7), ("HOURS", 1), ("DAYS", 1), ("WEEKS", 1))
TARGETS = (("GLOBAL", None), ("WORKSPACE", None), ("ENDPOINT", 0), ("ENDPOINT", 1), ("USER", "ann"))
AMOUNTS = (0, 0, 10, 50, 100, 100, 1000)


@dataclasses.dataclass(eq=False)
class Window:
    """A window in the model. Its limit is the policy's until its end, and stays as it then was."""

    limit: int
    recorded: int = 0
    reserved: int = 0

    @property
    def taken(self) -> int:
        return self.recorded + self.reserved


@dataclasses.dataclass(eq=False)
class Policy:
    """A policy in the model, with its windows by start and end."""

    duration: tuple[str, int]
    target: tuple[str, Any]
    limit: int
    rejects: bool
    windows: dict[tuple[int, int], Window] = dataclasses.field(default_factory=dict[tuple[int, int], Window])

    def at(self, moment: int) -> tuple[int, int]:
        return tuple(window_at(BudgetDurationUnit[self.duration[0]], self.duration[1], moment))

    def window(self, moment: int) -> Window:
        """Return the window of now, to look at."""
        return dataclasses.replace(self.windows.get(self.at(moment), Window(self.limit)), limit=self.limit)

    def open(self, moment: int, now: int) -> Window:
        """Return the window of a moment, to change."""
        window = self.windows.setdefault(self.at(moment), Window(self.limit))
        if self.at(moment)[1] > now:
            # The clock may be back in a window that had ended when the amount was changed.
            window.limit = self.limit
        return window

    def matches(self, endpoint: int, user: str, workspace: str) -> bool:
        scope, target = self.target
        return {
            "GLOBAL": True,
            "WORKSPACE": workspace == "default",
            "ENDPOINT": endpoint == target,
            "USER": user == target,
        }[scope]


@dataclasses.dataclass(eq=False)
class Reservation:
    """A reservation in the model. ``recorded`` is None while it is open."""

    id: str
    request: ReserveGatewaySpendRequest
    amount: int
    expires_at: int
    windows: list[Window]
    recorded: int | None = None
    is_settled: bool = False

    def settle(self, nanos: int) -> None:
        for window in self.windows:
            if self.recorded is None:
                window.reserved -= self.amount
            window.recorded = max(window.recorded + nanos - (self.recorded or 0), 0)
        self.recorded = nanos


def taken(balance: GatewayBudgetBalance) -> tuple[str, int, int]:
    return balance.budget_policy_id, balance.window_start_ms, balance.recorded_nanos + balance.reserved_nanos


class Run:
    """One seeded run."""

    def __init__(self, gateway: Gateway, endpoints: list[str], clock: list[int], seed: int) -> None:
        self.gateway, self.endpoints, self.clock, self.seed = gateway, endpoints, clock, seed
        self.random = random.Random(seed)
        self.policies: dict[str, Policy] = {}
        self.reservations: list[Reservation] = []
        self.number = 0

    @property
    def now(self) -> int:
        return self.clock[0]

    def step(self) -> None:
        actions = {
            self.reserve: 10,
            self.record: 4,
            self.commit: 6,
            self.release: 2,
            self.extend: 2,
            self.wait: 5,
            self.set_clock: 1,
            self.expire: 2,
            self.adjust: 2,
            self.change_amount: 2,
            self.change_action: 1,
            self.change_duration: 1,
            self.create: 1,
            self.delete: 1,
        }
        [action] = self.random.choices(list(actions), list(actions.values()))
        action()
        self.check()

    def check(self) -> None:
        """Compare every window with the model, and its sums with each other."""
        overdue = [each for each in self.reservations if each.recorded is None and each.expires_at <= self.now]
        late = {id(window) for each in overdue for window in each.windows}
        found = {}
        for each in self.gateway.do(ListGatewayBudgetBalancesRequest(ended_since=0)).balances:
            [*_, amount] = taken(each)
            assert amount + each.remaining_nanos - each.overrun_nanos == each.limit_nanos
            assert sum(part.amount_nanos for part in each.overruns) == each.overrun_nanos
            assert min(each.recorded_nanos, each.reserved_nanos, each.remaining_nanos, each.overrun_nanos) >= 0
            key = (each.window_start_ms, each.window_end_ms)
            found[each.budget_policy_id, key] = each
            policy = self.policies[each.budget_policy_id]
            window = policy.windows[key]
            assert each.limit_nanos == (policy.limit if each.window_end_ms > self.now else window.limit)
            if id(window) in late:
                # Whether the estimate is recorded already, it is taken.
                assert amount == window.taken
            else:
                assert (each.recorded_nanos, each.reserved_nanos) == (window.recorded, window.reserved)
        assert set(found) == {(policy_id, key) for policy_id, policy in self.policies.items() for key in policy.windows}

    def spender(self) -> tuple[int, str, str]:
        return self.random.randrange(2), self.random.choice(["", "ann", "bob"]), self.random.choice(["default", "other"])

    def name(self) -> str:
        self.number += 1
        return f"{self.seed}-{self.number}"

    def reserve(self) -> None:
        endpoint, user, workspace = self.spender()
        nanos, ttl = self.random.choice([0, 1, 10, 30, 50, 200]), self.random.choice([1, MINUTE, HOUR, DAY])
        sent = ReserveGatewaySpendRequest(
            endpoint_id=self.endpoints[endpoint],
            user=user,
            workspace=workspace,
            amount_nanos=nanos,
            budget_unit="USD",
            ttl_ms=ttl,
            request_id=self.name(),
        )
        matching = [policy for policy in self.policies.values() if policy.matches(endpoint, user, workspace)]
        rejecting = [policy for policy in matching if policy.rejects]
        windows = [policy.window(self.now) for policy in rejecting]
        admitted = all(each.taken < each.limit and each.taken + nanos <= each.limit for each in windows)
        checked = CheckGatewayBudgetRequest(endpoint_id=sent.endpoint_id, user=user, workspace=workspace)
        assert self.gateway.do(checked).check.allowed == all(each.taken < each.limit for each in windows)
        response = self.gateway.do(sent)
        assert (response.HasField("reservation"), response.HasField("refusal")) == (admitted, not admitted)
        if not admitted:
            return
        held = [policy.open(self.now, self.now) for policy in matching]
        for window in held:
            window.reserved += nanos
        found = response.reservation
        self.reservations.append(Reservation(found.reservation_id, sent, nanos, found.expires_at, held))
        if self.random.random() < 0.3:
            assert self.gateway.do(sent).reservation == found

    def record(self) -> None:
        endpoint, user, workspace = self.spender()
        nanos, moment = self.random.choice([0, 1, 20, 60]), self.now - self.random.choice([0, 0, MINUTE, 23 * HOUR])
        sent = RecordGatewaySpendRequest(
            endpoint_id=self.endpoints[endpoint],
            user=user,
            workspace=workspace,
            amount_nanos=nanos,
            budget_unit="USD",
            occurred_at=moment,
            request_id=self.name(),
        )
        for _ in range(self.random.choice([1, 1, 3])):
            self.gateway.do(sent)
        for policy in self.policies.values():
            if policy.matches(endpoint, user, workspace) and policy.at(moment)[1] > self.now - DAY:
                policy.open(moment, self.now).recorded += nanos

    def one(self) -> Reservation | None:
        """Draw a reservation that the store has still."""
        usable = [each for each in self.reservations if not each.is_settled and each.expires_at > self.now - 20 * HOUR]
        return self.random.choice(usable) if usable else None

    def commit(self) -> None:
        self.settle(lambda each: self.random.choice([each.amount, each.amount // 2, each.amount + 70, 0]), releases=False)

    def release(self) -> None:
        self.settle(lambda _each: 0, releases=True)

    def settle(self, draw: Any, *, releases: bool) -> None:
        reservation = self.one()
        if reservation is None:
            return
        nanos = draw(reservation)
        sent = (
            ReleaseGatewaySpendRequest(reservation_id=reservation.id)
            if releases
            else CommitGatewaySpendRequest(reservation_id=reservation.id, amount_nanos=nanos)
        )
        if reservation.expires_at <= self.now and reservation.recorded is None:
            reservation.settle(reservation.amount)
        response = self.gateway.do(sent)
        reservation.settle(nanos)
        reservation.is_settled = True
        assert response.reservation.recorded_nanos == nanos
        if self.random.random() < 0.3:
            again = self.gateway.do(sent)
            assert again.reservation == response.reservation
            assert releases or again.alerts == response.alerts
            # The second call may have settled others that have expired.
            assert [taken(each) for each in again.balances] == [taken(each) for each in response.balances]
            assert self.gateway.do(reservation.request).reservation == response.reservation

    def extend(self) -> None:
        reservation = self.one()
        if reservation is None:
            return
        ttl = self.random.choice([1, MINUTE, DAY])
        sent = ExtendGatewaySpendRequest(reservation_id=reservation.id, ttl_ms=ttl)
        if reservation.recorded is None and reservation.expires_at > self.now:
            reservation.expires_at = max(reservation.expires_at, self.now + ttl)
            assert self.gateway.do(sent).reservation.expires_at == reservation.expires_at
        else:
            with pytest.raises(GatewayError, match="has expired"):
                self.gateway.do(sent)
            self.expired(reservation)

    def expired(self, reservation: Reservation) -> None:
        if reservation.recorded is None:
            reservation.settle(reservation.amount)

    def expire(self) -> None:
        while self.gateway.service.expire_reservations():
            pass
        for reservation in self.reservations:
            if reservation.expires_at <= self.now:
                self.expired(reservation)

    def wait(self) -> None:
        self.clock[0] += self.random.choice([0, 1, MINUTE, 10 * MINUTE, HOUR, 25 * HOUR])

    def set_clock(self) -> None:
        # A reservation that has expired stays so.
        self.expire()
        self.clock[0] += self.random.choice([-HOUR, HOUR])

    def adjust(self) -> None:
        if not self.policies:
            return
        policy_id, policy = self.random.choice(list(self.policies.items()))
        self.expire()
        window, nanos = policy.open(self.now, self.now), self.random.choice([-5, 5, 100])
        sent = AdjustGatewaySpendRequest(budget_policy_id=policy_id, reason="r", request_id=self.name())
        if window.recorded + nanos < 0:
            sent.recorded_nanos, window.recorded = 3, 3
        else:
            sent.amount_nanos = nanos
            window.recorded += nanos
        first = self.gateway.do(sent)
        assert self.gateway.do(sent) == first

    def create(self) -> None:
        duration, target = self.random.choice(DURATIONS), self.random.choice(TARGETS)
        limit, rejects = self.random.choice(AMOUNTS), self.random.random() < 0.7
        scope, value = target
        made = self.gateway.policy(
            budget_amount=limit / 10**9,
            budget_action="REJECT" if rejects else "ALERT",
            duration={"unit": duration[0], "value": duration[1]},
            target_scope=scope,
            target_value=self.endpoints[value] if scope == "ENDPOINT" else value,
        )
        self.policies[made.budget_policy_id] = Policy(duration, target, limit, rejects)

    def change(self, **fields: Any) -> Policy | None:
        if not self.policies:
            return None
        policy_id = self.random.choice(list(self.policies))
        self.gateway.do(UpdateGatewayBudgetPolicyRequest(budget_policy_id=policy_id, **fields))
        return self.policies[policy_id]

    def change_amount(self) -> None:
        limit = self.random.choice(AMOUNTS)
        policy = self.change(budget_amount=limit / 10**9)
        if policy is not None:
            policy.limit = limit
            for (_, end), window in policy.windows.items():
                if end > self.now:
                    window.limit = limit

    def change_action(self) -> None:
        rejects = self.random.random() < 0.5
        policy = self.change(budget_action="REJECT" if rejects else "ALERT")
        if policy is not None:
            policy.rejects = rejects

    def change_duration(self) -> None:
        duration = self.random.choice(DURATIONS)
        policy = self.change(duration={"unit": duration[0], "value": duration[1]})
        if policy is not None and policy.duration != duration:
            policy.duration = duration
            policy.windows = {}

    def delete(self) -> None:
        if len(self.policies) > 2:
            policy_id = self.random.choice(list(self.policies))
            self.gateway.do(DeleteGatewayBudgetPolicyRequest(budget_policy_id=policy_id))
            del self.policies[policy_id]


@pytest.fixture(scope="module", params=KINDS)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all runs: each deletes its policies at the end, and request_ids never repeat."""
    with one_place(request, tmp_path_factory) as place, closing(place.open(clock=PatchedClock())) as store:
        yield Gateway(store, place)


def test_the_ledger_is_balanced_and_equals_its_model_after_every_step(
    opened: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints = [opened.endpoint().endpoint_id for _ in range(2)]
    clock = [START_MS]
    monkeypatch.setattr(time, "time_ns", lambda: clock[0] * 1_000_000)
    for number in range(RUNS):
        seed = profiles.SEED + number
        run = Run(opened, endpoints, clock, seed)
        try:
            for _ in range(3):
                run.create()
            for _ in range(STEPS):
                run.step()
            run.expire()
            run.check()
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        for policy_id in run.policies:
            opened.do(DeleteGatewayBudgetPolicyRequest(budget_policy_id=policy_id))
