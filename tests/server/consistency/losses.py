"""Mutations through a proxy that loses responses and repeats requests: each takes effect exactly once.

To run it: ``python -m tests.server.consistency.losses [--mutations 2000] [--store sqlite|postgresql] [--seed 1]``.
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
from tests.server.consistency.lossy_proxy import LossyProxy
from tests.server.consistency.server_process import ServerProcess
from tests.server.consistency.temporary_place import temporary_place

LOSE = REPEAT = 0.15
"""Fraction of requests whose response is lost, and of those that are sent twice."""


class Outcome(NamedTuple):
    """Result of a run.

    Attributes:
        wanted: the requested mutations by name, each once.
        effects: the number of effects of each, by name.
        requests: the number of requests at the proxies.
        lost: the number of lost responses.
        repeated: the number of repeated requests.
        spent: the recorded spending.
        spends: the number of charges, of 1 each.
        caller_retries: the number of retries by callers after the client had given up.
    """

    wanted: Counter[str]
    effects: Counter[str]
    requests: int
    lost: int
    repeated: int
    spent: float
    spends: int
    caller_retries: int


class _Caller:
    """Makes mutations sequentially over one client."""

    def __init__(self, client: Any, name: str, endpoint_id: str) -> None:
        self._client = client
        self._name = name
        self._endpoint_id = endpoint_id
        self.wanted: Counter[str] = Counter()
        self.spends = 0
        self.caller_retries = 0

    def run(self, mutations: int) -> None:
        number = 0
        while True:
            for step in self._round(number):
                if sum(self.wanted.values()) + self.spends == mutations:
                    return
                step()
            number += 1

    def _round(self, number: int) -> Iterable[Any]:
        """The mutations of a policy and a binding. The name of each is its actor, or for deletes its resource."""
        name = f"{self._name}-{number}"
        policy: Any = None

        def create() -> None:
            nonlocal policy
            policy = self._once(
                f"{name}-create",
                lambda **options: self._client.create_budget_policy(
                    budget_unit=BudgetUnit.USD,
                    budget_amount=1.0,
                    duration=BudgetDuration(BudgetDurationUnit.DAYS, 1),
                    target_scope=BudgetTargetScope.GLOBAL,
                    budget_action=BudgetAction.ALERT,
                    created_by=f"{name}-create",
                    **options,
                ),
            )

        def update() -> None:
            self._once(
                f"{name}-update",
                lambda **options: self._client.update_budget_policy(
                    policy.budget_policy_id, budget_amount=2.0, updated_by=f"{name}-update", **options
                ),
            )

        def bind() -> None:
            self._once(
                f"{name}-bind",
                lambda **options: self._client.create_binding(
                    self._endpoint_id, "scorer", name, created_by=f"{name}-bind", **options
                ),
            )

        def unbind() -> None:
            self._once(
                f"delete {self._endpoint_id}/scorer/{name}",
                lambda **options: self._client.delete_binding(self._endpoint_id, "scorer", name, **options),
            )

        def spend() -> None:
            # Its request_id is always set by the caller.
            self._retry(
                lambda: self._client.record_spend(
                    request_id=name, endpoint_id=self._endpoint_id, amount_nanos=1_000_000_000, budget_unit=BudgetUnit.USD
                )
            )
            self.spends += 1

        def delete() -> None:
            self._once(
                f"delete {policy.budget_policy_id}",
                lambda **options: self._client.delete_budget_policy(policy.budget_policy_id, **options),
            )

        return create, update, bind, unbind, spend, delete

    def _once(self, name: str, call: Any) -> Any:
        result = self._retry(lambda: call(request_id=name))
        self.wanted[name] += 1
        return result

    def _retry(self, call: Any) -> Any:
        """Call until there is a response; the client itself retries a few times."""
        while True:
            try:
                return call()
            except GatewayError as error:
                if error.code not in {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED}:
                    raise
                self.caller_retries += 1


def lose(server: ServerProcess, mutations: int, seed: int, callers_per_pair: int = 2) -> Outcome:
    """Make mutations through proxies, over all transports, sync and async, concurrently.

    Args:
        server: a server with an empty store.
        mutations: the number of mutations.
        seed: the seed of the proxies.
        callers_per_pair: the number of callers that share one client.
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
        do = stack.enter_context(server.transport())
        resources = prepare(do)
        callers: list[_Caller] = []
        for pair in PAIRS:
            scheme, mode = pair.split("-")
            client = open_client(f"{scheme}://127.0.0.1:{proxies[scheme].port}", mode)
            stack.callback(client.close)
            callers += [_Caller(client, f"{pair}-{n}", resources.endpoint_id) for n in range(callers_per_pair)]
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
        windows[resources.policy_id],
        sum(caller.spends for caller in callers),
        sum(caller.caller_retries for caller in callers),
    )


def _name(line: Any) -> str:
    return line.actor or f"delete {line.change.id}"


@click.command()
@click.option("--mutations", default=2000, show_default=True)
@click.option("--store", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(mutations: int, store: str, seed: int) -> None:
    """Make mutations through a lossy proxy and count their effects."""
    with temporary_place(store) as (place, folder), ServerProcess(place, folder / "log").running() as server:
        found = lose(server, mutations, seed)
    once = sum(found.effects[name] == 1 for name in found.wanted)
    click.echo(
        f"{store}: {found.wanted.total() + found.spends} mutations in {found.requests} requests; "
        f"{found.lost} responses lost, {found.repeated} requests repeated, {found.caller_retries} retries by callers\n"
        f"{once} of {found.wanted.total()} took effect exactly once; {found.spent:g} of {found.spends} spent; "
        f"{(found.effects - found.wanted).total()} excess effects"
    )


if __name__ == "__main__":
    main()
