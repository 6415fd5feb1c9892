"""Concurrent callers of the ledger in a process of their own, over connections that lose, repeat and delay.

Each caller repeats a call until it has an answer, on any of the servers, as the ledger allows. So it knows in the end what
each of its reservations and charges must have become.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple, TypeVar

from gateway_entities.client import BudgetExceededError, GatewayClient
from gateway_entities.entities import GatewayBudgetBalance, from_nanos
from gateway_entities.errors import GatewayError
from tests.server.consistency.history import LOST
from tests.server.consistency.lossy_proxy import Losses, LossyProxy

NANOS: Final = 10**9
USER: Final = "ann"
"""The user of all callers."""
LOSSES: Final = Losses(lose=0.04, repeat=0.04, cut=0.02, delay=0.05)
_PATIENCE_S: Final = 120.0
_SHORT_MS: Final = 1
_ESTIMATES: Final = 0, 1, NANOS // 1000, NANOS // 100

T = TypeVar("T")


class Plan(NamedTuple):
    """What the callers of one process do.

    Attributes:
        name: of the process; no two have the same.
        targets: the targets of each server, by scheme.
        scarce: an endpoint for which each caller first wants half a unit.
        strict: an endpoint on which no caller spends more than its estimate.
        loose: an endpoint on which callers also spend more, and without a reservation.
        seed: decides what is called and what is lost; when they meet is up to the machine.
        callers: the number of callers.
        operations: of each caller, after the first.
        timeout: seconds of a call with the retries of the client. Then another server may answer.
    """

    name: str
    targets: Sequence[Mapping[str, str]]
    scarce: str
    strict: str
    loose: str
    seed: int
    callers: int
    operations: int
    timeout: float


class Spending(NamedTuple):
    """What one operation must have become.

    Attributes:
        endpoint: the endpoint.
        recorded: nano-units that are recorded at the end.
        reserved: nano-units that stay reserved.
        charges: the number of charges.
        refused: the request_id and the nano-units of a refused reservation; None for others.
    """

    endpoint: str
    recorded: int = 0
    reserved: int = 0
    charges: int = 0
    refused: tuple[str, int] | None = None


def spend(plan: Plan, results: Connection) -> None:
    """Send a list of Spending, or the text of an error. For a process."""
    try:
        results.send(_spend(plan))
    except BaseException as error:
        results.send(f"{type(error).__name__}: {error}")
        raise


def _spend(plan: Plan) -> list[Spending]:
    with ExitStack() as stack:
        clients: list[GatewayClient] = []
        for number, targets in enumerate(plan.targets):
            for scheme in ("http", "grpc"):
                port = int(targets[scheme].rpartition(":")[2])
                seed = random.Random(f"{plan.seed} {plan.name} {number} {scheme}").getrandbits(32)
                protocol: Any = scheme
                proxy = stack.enter_context(LossyProxy(port, protocol, LOSSES, seed=seed).running())
                clients.append(
                    stack.enter_context(GatewayClient(f"{scheme}://127.0.0.1:{proxy.port}", timeout=plan.timeout))
                )
        pool = stack.enter_context(ThreadPoolExecutor(plan.callers))
        callers = [_Caller(plan, clients, f"{plan.name}-{number}") for number in range(plan.callers)]
        return [each for found in pool.map(_Caller.run, callers) for each in found]


class _Caller:
    def __init__(self, plan: Plan, clients: Sequence[GatewayClient], name: str) -> None:
        self._plan, self._clients, self._name = plan, clients, name
        self._chance = random.Random(f"{plan.seed} {name}")
        self._number = 0

    def run(self) -> list[Spending]:
        first = self._reserve(self._plan.scarce, NANOS // 2, None)
        return [first if isinstance(first, Spending) else Spending(self._plan.scarce, reserved=NANOS // 2)] + [
            self._step() for _ in range(self._plan.operations)
        ]

    def _step(self) -> Spending:
        endpoint, estimate = self._chance.choice([self._plan.strict, self._plan.loose]), self._chance.choice(_ESTIMATES)
        if endpoint == self._plan.loose and self._chance.random() < 0.2:
            request_id = self._request_id()
            self.answered(lambda client: client.record_spend(endpoint, estimate, request_id=request_id, user=USER))
            return Spending(endpoint, recorded=estimate, charges=1)
        action = self._chance.choice(("commit", "commit", "commit", "release", "extend", "forget", "expire", "late"))
        reserved = self._reserve(endpoint, estimate, _SHORT_MS if action in ("expire", "late") else None)
        return reserved if isinstance(reserved, Spending) else self._settle(action, reserved, endpoint, estimate)

    def _settle(self, action: str, reservation_id: str, endpoint: str, estimate: int) -> Spending:
        most = estimate if endpoint == self._plan.strict else 3 * estimate
        match action:
            case "release":
                settled = self.answered(lambda client: client.release_spend(reservation_id))
                check(settled.balances)
                return Spending(endpoint)
            case "forget":
                return Spending(endpoint, reserved=estimate)
            case "expire":
                return Spending(endpoint, recorded=estimate, charges=1)
            case "extend":
                self.answered(lambda client: client.extend_spend(reservation_id))
        actual = self._chance.randint(0, most)
        settled = self.answered(lambda client: client.commit_spend(reservation_id, from_nanos(actual)))
        check(settled.balances)
        return Spending(endpoint, recorded=actual, charges=1)

    def _reserve(self, endpoint: str, nanos: int, ttl_ms: int | None) -> str | Spending:
        """Return the id of a reservation; what it must have become if it is refused."""
        request_id, amount = self._request_id(), from_nanos(nanos)
        try:
            found = self.answered(
                lambda client: client.reserve_spend(endpoint, amount, ttl_ms=ttl_ms, request_id=request_id, user=USER)
            )
        except BudgetExceededError as error:
            check([error.rejection.balance])
            return Spending(endpoint, refused=(request_id, nanos))
        check(found.balances)
        return found.reservation_id

    def _request_id(self) -> str:
        self._number += 1
        return f"{self._name}-{self._number}"

    def answered(self, call: Callable[[GatewayClient], T]) -> T:
        return answered(self._clients, call, self._chance)


def answered(clients: Sequence[GatewayClient], call: Callable[[GatewayClient], T], chance: random.Random) -> T:
    """Make a call on any server until one answers. Only an error that is an answer is raised."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return call(chance.choice(clients))
        except BudgetExceededError:
            raise
        except GatewayError as error:
            is_answer = error.code not in LOST and error.reason != "CLOCK_JUMP"
            if is_answer or time.monotonic() > deadline:
                raise
        time.sleep(chance.uniform(0, 0.05))


def check(balances: Sequence[GatewayBudgetBalance]) -> None:
    """Check that the sums of windows are right, whenever they are read."""
    for each in balances:
        taken = each.recorded_nanos + each.reserved_nanos
        assert each.limit_nanos is not None, each
        assert each.remaining_nanos is not None, each
        assert taken + each.remaining_nanos - each.overrun_nanos == each.limit_nanos, each
        assert sum(part.amount_nanos for part in each.overruns) == each.overrun_nanos, each
        assert min(each.recorded_nanos, each.reserved_nanos, each.remaining_nanos, each.overrun_nanos) >= 0, each
