"""Changes through a proxy that loses answers and repeats requests: each takes effect exactly once.

By hand: ``python -m tests.server.consistency.losses [--mutations 2000] [--store sqlite|postgresql] [--seed 1]``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import click

from gateway_entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    Code,
    GatewayError,
)
from tests.client.server_client_pairs import PAIRS, open_client
from tests.mutations import prepare
from tests.replay import consistent
from tests.server.consistency.by_hand import place_by_hand
from tests.server.consistency.lossy_proxy import LossyProxy
from tests.server.consistency.server_process import ServerProcess

LOSE = REPEAT = 0.15
"""Of so many requests the answer is lost, and so many are sent twice: 30 % together."""


class Outcome(NamedTuple):
    """What became of the changes.

    Attributes:
        wanted: how often each was asked for, by its name: once.
        effects: how often each took effect, by its name.
        requests: how many requests came to the proxies.
        lost: how many answers they lost.
        repeated: how many requests they sent again.
        spent: how much of the budget was spent.
        spends: how often something was to be spent, 1 each time.
        begun_again: how often a client gave up, and the caller repeated the request.
    """

    wanted: Counter[str]
    effects: Counter[str]
    requests: int
    lost: int
    repeated: int
    spent: float
    spends: int
    begun_again: int


class _Caller:
    """Makes changes over one client, one after the other."""

    def __init__(self, client: Any, name: str, endpoint_id: str) -> None:
        self._client = client
        self._name = name
        self._endpoint_id = endpoint_id
        self.wanted: Counter[str] = Counter()
        self.spends = 0
        self.begun_again = 0

    def run(self, mutations: int) -> None:
        number = 0
        while True:
            for step in self._round(number):
                if sum(self.wanted.values()) + self.spends == mutations:
                    return
                step()
            number += 1

    def _round(self, number: int) -> Iterable[Any]:
        """The changes of one policy's life. Whoever makes one is its name, or else what it is about."""
        name = f"{self._name}-{number}"
        policy: Any = None

        def create() -> None:
            nonlocal policy
            policy = self._once(
                f"{name}-create",
                lambda **named: self._client.create_budget_policy(
                    budget_unit=BudgetUnit.USD,
                    budget_amount=1.0,
                    duration=BudgetDuration(BudgetDurationUnit.DAYS, 1),
                    target_scope=BudgetTargetScope.GLOBAL,
                    budget_action=BudgetAction.ALERT,
                    created_by=f"{name}-create",
                    **named,
                ),
            )

        def update() -> None:
            self._once(
                f"{name}-update",
                lambda **named: self._client.update_budget_policy(
                    policy.budget_policy_id, budget_amount=2.0, updated_by=f"{name}-update", **named
                ),
            )

        def bind() -> None:
            self._once(
                f"{name}-bind",
                lambda **named: self._client.create_binding(
                    self._endpoint_id, "scorer", name, created_by=f"{name}-bind", **named
                ),
            )

        def unbind() -> None:
            self._once(
                f"delete {self._endpoint_id}/scorer/{name}",
                lambda **named: self._client.delete_binding(self._endpoint_id, "scorer", name, **named),
            )

        def spend() -> None:
            # Its name is the caller's to give in any case.
            self._until_told(
                lambda: self._client.record_spend(
                    request_id=name, endpoint_id=self._endpoint_id, amount_nanos=1_000_000_000, budget_unit=BudgetUnit.USD
                )
            )
            self.spends += 1

        def delete() -> None:
            self._once(
                f"delete {policy.budget_policy_id}",
                lambda **named: self._client.delete_budget_policy(policy.budget_policy_id, **named),
            )

        return create, update, bind, unbind, spend, delete

    def _once(self, name: str, call: Any) -> Any:
        result = self._until_told(lambda: call(request_id=name))
        self.wanted[name] += 1
        return result

    def _until_told(self, call: Any) -> Any:
        """Call until there is an answer: the client repeats a few times, and then the caller does."""
        while True:
            try:
                return call()
            except GatewayError as error:
                if error.code not in {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED}:
                    raise
                self.begun_again += 1


def lose(server: ServerProcess, mutations: int, seed: int, callers_per_pair: int = 2) -> Outcome:
    """Make changes over every transport, sync and async, concurrently, through proxies.

    Args:
        server: a server whose store has nothing in it.
        mutations: how many changes.
        seed: of the proxies' dice.
        callers_per_pair: how many callers share one client.
    """
    with ExitStack() as stack:
        proxies = {
            scheme: stack.enter_context(
                LossyProxy(
                    int(target.rpartition(":")[2]), http2=scheme == "grpc", lose=LOSE, repeat=REPEAT, seed=seed
                ).running()
            )
            for scheme, target in server.targets.items()
        }
        do = stack.enter_context(server.asked())
        things = prepare(do)
        callers: list[_Caller] = []
        for pair in PAIRS:
            scheme, colour = pair.split("-")
            client = open_client(f"{scheme}://127.0.0.1:{proxies[scheme].port}", colour)
            stack.callback(client.close)
            callers += [_Caller(client, f"{pair}-{n}", things.endpoint_id) for n in range(callers_per_pair)]
        shares = [mutations // len(callers) + (n < mutations % len(callers)) for n in range(len(callers))]
        with ThreadPoolExecutor(len(callers)) as pool:
            for done in [pool.submit(caller.run, share) for caller, share in zip(callers, shares, strict=True)]:
                done.result()
        with server.client() as client:
            windows = {window.budget_policy_id: window.current_spend for window in client.list_budget_windows()}
        effects = Counter(_name(line) for line in consistent(do) if line.actor or line.rpc.startswith("Delete"))
    return Outcome(
        sum((caller.wanted for caller in callers), Counter()),
        effects,
        sum(proxy.requests for proxy in proxies.values()),
        sum(proxy.lost for proxy in proxies.values()),
        sum(proxy.repeated for proxy in proxies.values()),
        windows[things.policy_id],
        sum(caller.spends for caller in callers),
        sum(caller.begun_again for caller in callers),
    )


def _name(line: Any) -> str:
    return line.actor or f"delete {line.change.id}"


@click.command()
@click.option("--mutations", default=2000, show_default=True)
@click.option("--store", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(mutations: int, store: str, seed: int) -> None:
    """Make changes through a lossy proxy and count their effects."""
    with place_by_hand(store) as (place, folder), ServerProcess(place, folder / "log").running() as server:
        found = lose(server, mutations, seed)
    once = sum(found.effects[name] == 1 for name in found.wanted)
    click.echo(
        f"{store}: {found.wanted.total() + found.spends} changes in {found.requests} requests; {found.lost} answers lost, "
        f"{found.repeated} requests repeated, {found.begun_again} given up and begun again\n"
        f"{once} of {found.wanted.total()} took effect exactly once; {found.spent:g} of {found.spends} spent; "
        f"{(found.effects - found.wanted).total()} effects too many"
    )


if __name__ == "__main__":
    main()
