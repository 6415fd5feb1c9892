"""The ledger under concurrent callers of several processes and servers: nothing is overspent, lost or charged twice."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gateway_entities.client import BudgetExceededError, GatewayClient
from gateway_entities.entities import (
    BudgetDuration,
    BudgetDurationUnit,
    BudgetOverrunCause,
    GatewayBudgetBalance,
    GatewayEndpointModelConfig,
    GatewayModelLinkageType,
    GatewaySpendAlert,
    from_nanos,
)
from gateway_entities.server.service.spending.ledger import DEFAULT_SHARES
from tests import profiles
from tests.server.consistency.failing_server import PROCESSES, FailingServer
from tests.server.consistency.server_process import ServerProcess
from tests.server.consistency.spenders import NANOS, USER, Plan, Spending, answered, check, spend
from tests.server.fake_clock import NOW, FakeClock
from tests.stores import KINDS, Place, postgresql_place, sqlite_place

CALLER_PROCESSES = profiles.count(16, 2)
SERVERS = {"sqlite": 1, "postgresql": profiles.whole(4, 2)}
CALLERS, OPERATIONS = profiles.count(200, 12), 6
# A server with libfaketime needs ten times the processor time.
CALLERS_WITH_CLOCKS, OPERATIONS_WITH_CLOCKS = profiles.count(200, 6), 1
YEAR = BudgetDuration(BudgetDurationUnit.MONTHS, 12)
HOUR = BudgetDuration(BudgetDurationUnit.HOURS, 1)
CHARGES_ONLY = {BudgetOverrunCause.RECORD, BudgetOverrunCause.COMMIT}
LONGEST_S = 400.0
Disturb = Callable[[threading.Event, random.Random], None]
"""Disturbs the servers once; the event is set when the callers have ended."""

pytestmark = pytest.mark.timeout(600)


class Budgets(NamedTuple):
    """The endpoints, and the policies by what they limit: each endpoint, and the user of all calls."""

    scarce: str
    strict: str
    loose: str
    policies: dict[str, str]

    def policy_of(self, endpoint: str) -> str:
        return self.policies[endpoint]


def set_up(client: GatewayClient, limit: Decimal) -> Budgets:
    secret = client.create_secret(secret_name="key", secret_value={"api_key": "sk-0123456789abcdef"})
    definition = client.create_model_definition(name="m", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
    config = GatewayEndpointModelConfig(definition.model_definition_id, GatewayModelLinkageType.PRIMARY)
    scarce, strict, loose = (client.create_endpoint(name, [config]).endpoint_id for name in ("scarce", "strict", "loose"))

    def policy(scope: str, target: str, amount: Decimal | int, duration: BudgetDuration, action: str) -> str:
        made = client.create_budget_policy(
            budget_unit="USD",
            budget_amount=float(amount),
            duration=duration,
            target_scope=scope,
            target_value=target,
            budget_action=action,
        )
        return made.budget_policy_id

    policies = {
        scarce: policy("ENDPOINT", scarce, 1, YEAR, "REJECT"),
        # A clock that is an hour wrong would put spending into another window.
        strict: policy("ENDPOINT", strict, limit, HOUR, "REJECT"),
        loose: policy("ENDPOINT", loose, limit, HOUR, "REJECT"),
        USER: policy("USER", USER, limit, YEAR, "ALERT"),
    }
    return Budgets(scarce, strict, loose, policies)


class Watch:
    """Looks at all windows, again and again, while callers spend."""

    def __init__(self, clients: Sequence[GatewayClient], budgets: Budgets) -> None:
        self._clients, self._budgets = clients, budgets
        self._over = threading.Event()
        self._chance = random.Random(0)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self.looks = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()
        if self._error is not None:
            raise self._error

    def look(self) -> dict[str, list[GatewayBudgetBalance]]:
        """Return the windows by policy, after a check."""
        found = answered(self._clients, lambda client: list(client.list_budget_balances(ended_since=0)), self._chance)
        check(found)
        by_policy: dict[str, list[GatewayBudgetBalance]] = {}
        for each in found:
            by_policy.setdefault(each.budget_policy_id, []).append(each)
        for endpoint in (self._budgets.scarce, self._budgets.strict):
            assert not any(each.overrun_nanos for each in by_policy.get(self._budgets.policy_of(endpoint), []))
        for each in by_policy.get(self._budgets.policy_of(self._budgets.loose), []):
            assert {part.cause for part in each.overruns} <= CHARGES_ONLY
        self.looks += 1
        return by_policy

    def _run(self) -> None:
        try:
            while not self._over.wait(0.02):
                self.look()
        except BaseException as error:
            self._error = error


def run_callers(plans: Sequence[Plan]) -> list[Spending]:
    """Run each plan in a process; return what all operations must have become."""
    pipes = [PROCESSES.Pipe(duplex=False) for _ in plans]
    running = [
        PROCESSES.Process(target=spend, args=(plan, theirs), daemon=True)
        for plan, (_, theirs) in zip(plans, pipes, strict=True)
    ]
    for process in running:
        process.start()
    found: list[Spending] = []
    end = time.monotonic() + LONGEST_S
    try:
        for ours, theirs in pipes:
            theirs.close()
            assert ours.poll(max(0, end - time.monotonic())), "the callers take too long"
            result = ours.recv()
            assert isinstance(result, list), result
            found += result
    finally:
        for process, (ours, _) in zip(running, pipes, strict=True):
            process.kill()
            process.join()
            ours.close()
    return found


@contextmanager
def disturbed(disturb: Disturb, chance: random.Random) -> Iterator[None]:
    """Disturb the servers again and again, at least once, until the block ends."""
    over = threading.Event()

    def run() -> None:
        while True:
            began = time.monotonic()
            disturb(over, chance)
            # A server that starts slowly gets time to serve.
            if over.wait((time.monotonic() - began) * chance.uniform(1, 3)):
                return

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            yield
        finally:
            over.set()
        running.result()


def spend_all(servers: Sequence[Any], disturb: Disturb, place: Place, callers: int, operations: int) -> None:
    """Let all callers spend while something disturbs the servers; compare the ledger with what they know afterwards."""
    began, seed = time.time(), profiles.SEED
    targets = [server.targets for server in servers]
    with ExitStack() as stack:
        clients = [stack.enter_context(GatewayClient(each["grpc"])) for each in targets]
        # A third of the estimates of all operations, about.
        budgets = set_up(clients[0], from_nanos(callers * operations * NANOS // 2000))
        each = callers // CALLER_PROCESSES
        # All of them may wait for the same window.
        timeout = 2 + callers / 10
        plans = [
            Plan(f"p{number}", targets, budgets.scarce, budgets.strict, budgets.loose, seed, each, operations, timeout)
            for number in range(CALLER_PROCESSES)
        ]
        watch = Watch(clients, budgets)
        with watch.running(), disturbed(disturb, random.Random(f"{seed} faults")):
            spendings = run_callers(plans)
        assert watch.looks
        compare(watch, clients, budgets, spendings, hours_passed=int(time.time() // 3600 - began // 3600))
        windows = [each for found in watch.look().values() for each in found]
    assert_alerts_once(place, windows)


def compare(
    watch: Watch, clients: Sequence[GatewayClient], budgets: Budgets, spendings: Sequence[Spending], hours_passed: int
) -> None:
    chance = random.Random(1)
    first = [each for each in spendings if each.endpoint == budgets.scarce]
    assert len([each for each in first if each.refused is None]) == 2, "half a unit is twice in one"
    for refused in (each for each in spendings if each.refused is not None):
        take_back(clients, refused, chance)
    reserved, recorded, charges = Counter[str](), Counter[str](), Counter[str]()
    for each in spendings:
        for key in (each.endpoint, USER):
            reserved[key] += each.reserved
            recorded[key] += each.recorded
        charges[each.endpoint] += each.charges
    found = watch.look()
    end = time.monotonic() + 30
    # Servers settle in the background what has expired.
    while (
        sum(each.reserved_nanos for each in found.get(budgets.policies[USER], ())) > reserved[USER]
        and time.monotonic() < end
    ):
        time.sleep(0.05)
        found = watch.look()
    for key, policy in budgets.policies.items():
        windows = found.get(policy, [])
        assert len(windows) <= 1 + hours_passed
        assert sum(each.reserved_nanos for each in windows) == reserved[key], key
        assert sum(each.recorded_nanos for each in windows) == recorded[key], key
    totals = clients[0].list_spend(group_by=["ENDPOINT"])
    assert {each.endpoint_id: (each.amount_nanos, each.charges) for each in totals if each.charges} == {
        endpoint: (recorded[endpoint], number) for endpoint, number in charges.items() if number
    }
    take_the_rest(clients[0], budgets)


def take_back(clients: Sequence[GatewayClient], spending: Spending, chance: random.Random) -> None:
    """Release what was refused: a proxy may have sent it twice, and the second time there may have been room."""
    assert spending.refused is not None
    request_id, nanos = spending.refused
    try:
        late = answered(
            clients,
            lambda client: client.reserve_spend(spending.endpoint, from_nanos(nanos), request_id=request_id, user=USER),
            chance,
        )
    except BudgetExceededError:
        return
    answered(clients, lambda client: client.release_spend(late.reservation_id), chance)


def take_the_rest(client: GatewayClient, budgets: Budgets) -> None:
    """Reserve exactly what is left of the strict endpoint; afterwards nothing is."""
    [balance] = client.list_budget_balances(budget_policy_id=budgets.policy_of(budgets.strict))
    assert balance.remaining_nanos is not None
    if balance.remaining_nanos:
        with pytest.raises(BudgetExceededError):
            client.reserve_spend(budgets.strict, from_nanos(balance.remaining_nanos + 1))
        client.reserve_spend(budgets.strict, from_nanos(balance.remaining_nanos))
    with pytest.raises(BudgetExceededError):
        client.reserve_spend(budgets.strict, 0)


def assert_alerts_once(place: Place, windows: Iterable[GatewayBudgetBalance]) -> None:
    """Check that each share of a limit that is spent has one alert, and that each alert was true.

    A reservation that ran out is charged; a late commit of less takes a part back, but not the alert.
    """
    alerts = [GatewaySpendAlert.from_bytes(bytes(row[0])) for row in place.execute("SELECT content FROM spend_alerts")]
    keys = [(each.balance.budget_policy_id, each.balance.window_start_ms, each.share_percent) for each in alerts]
    assert len(set(keys)) == len(keys)
    assert all(has_reached(each.balance, each.share_percent) for each in alerts)
    spent = {
        (each.budget_policy_id, each.window_start_ms, share)
        for each in windows
        for share in DEFAULT_SHARES
        if has_reached(each, share)
    }
    assert spent <= set(keys)


def has_reached(window: GatewayBudgetBalance, share_percent: int) -> bool:
    return window.limit_nanos is not None and window.recorded_nanos * 100 >= window.limit_nanos * share_percent


@contextmanager
def new_place(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    with (
        nullcontext(sqlite_place(folder / "gateway.sqlite", with_tables=True))
        if kind == "sqlite"
        else postgresql_place(request.getfixturevalue("postgresql"), folder / "gateway.key", with_tables=True)
    ) as place:
        yield place


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_overspent_or_lost_while_replies_are_lost_and_servers_die(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    with new_place(kind, request, tmp_path) as place, ExitStack() as stack:
        servers = [FailingServer(place, tmp_path / f"log{number}") for number in range(SERVERS[kind])]
        for server in servers:
            stack.enter_context(server.running())

        def crash(over: threading.Event, chance: random.Random) -> None:
            server = chance.choice(servers)
            server.send(f"crash {chance.randint(1, 30)}")
            over.wait(chance.uniform(0.1, 0.4))
            server.kill()
            server.start()
            server.wait()

        spend_all(servers, crash, place, CALLERS, OPERATIONS)


@pytest.mark.programs
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_overspent_or_lost_while_clocks_are_set_back_and_forth(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, make_fake_clock: Callable[[], FakeClock]
) -> None:
    with new_place(kind, request, tmp_path) as place, ExitStack() as stack:
        clocks = [make_fake_clock() for _ in range(SERVERS[kind])]
        servers = [ServerProcess(place, tmp_path / f"log{number}", clock.environment) for number, clock in enumerate(clocks)]
        for server in servers:
            stack.enter_context(server.running())

        def set_clock(over: threading.Event, chance: random.Random) -> None:
            number = chance.randrange(len(servers))
            clocks[number].set(chance.choice(["+1h", "-1h"]))
            over.wait(chance.uniform(0.1, 0.3))
            if chance.random() < 0.5:
                servers[number].kill()
                servers[number].start()
            clocks[number].set(NOW)

        spend_all(servers, set_clock, place, CALLERS_WITH_CLOCKS, OPERATIONS_WITH_CLOCKS)
