"""Recorded histories: concurrent clients of two servers with one store, under faults, checked for linearizability.

To run it: ``python -m tests.server.consistency.histories [--histories 10] [--operations 1000] [--store sqlite|postgresql]
[--seed 1]``. The seed decides requests and faults; when they meet is up to the machine.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from gateway_entities.server.store.admin.token_manager import open_tokens
from gatewayentities.v1 import binding_pb2, budget_pb2, endpoint_pb2, model_definition_pb2, secret_pb2
from tests.client.recording_transports import MessageTransport
from tests.client.server_client_pairs import PAIRS
from tests.replay import log
from tests.server.consistency.charge_checker import check_charges
from tests.server.consistency.checker import check
from tests.server.consistency.failing_server import FailingServer
from tests.server.consistency.faults import Faults, Tokens, restart
from tests.server.consistency.history import History, Violation, shown
from tests.server.consistency.lossy_proxy import Losses, LossyProxy
from tests.server.consistency.model import is_change
from tests.server.consistency.recording_client import Client
from tests.server.consistency.temporary_place import temporary_place
from tests.server.consistency.token_checker import check_tokens
from tests.server.consistency.workload import Known, Workload, policy
from tests.stores import Place

_LOSSES: Final = Losses(lose=0.04, repeat=0.04, cut=0.02, delay=0.05)
_DATABASE_LOSSES: Final = Losses(cut=0.0004, delay=0.01, longest_delay=0.03)
_LONGEST_S: Final = 240.0
"""Bound of one history: it ends then, which is a violation."""

_FINAL_READS: Final = (
    secret_pb2.ListGatewaySecretInfosRequest(),
    model_definition_pb2.ListGatewayModelDefinitionsRequest(),
    endpoint_pb2.ListGatewayEndpointsRequest(),
    binding_pb2.ListGatewayEndpointBindingsRequest(),
    budget_pb2.ListGatewayBudgetPoliciesRequest(),
)


class Result(NamedTuple):
    """Result of one history.

    Attributes:
        history: the history.
        violations: its contradictions with the model.
        lost: the number of changes without a response during the history.
        effective: the number of those that had taken effect.
    """

    history: History
    violations: list[Violation]
    lost: int
    effective: int


def record(place: Place, folder: Path, operations: int, seed: int) -> Result:
    """Record and check one history.

    Args:
        place: a place without a store.
        folder: a folder for files.
        operations: the number of operations with a result.
        seed: the seed of the requests and faults.
    """
    history = History()
    with ExitStack() as stack:
        tokens = Tokens(stack.enter_context(open_tokens(place.url, create=True)))
        database, reached = None, place
        if place.server is not None:
            port = place.server.port
            database = stack.enter_context(LossyProxy(port, "other", seed=seed).running())
            reached = Place(place.url.replace(f":{port}/", f":{database.port}/"), place.keys, server=place.server)
        servers = [FailingServer(reached, folder / f"log{number}") for number in range(2)]
        for server in servers:
            stack.enter_context(server.running())
        targets = [server.targets for server in servers]
        direct = stack.enter_context(_client("direct", PAIRS[0], targets, tokens, seed, doubled=False))
        known = Known()
        charged, counter = _set_up(direct, known)
        with ExitStack() as during:
            clients = [
                during.enter_context(_disturbed(f"client-{number}", pair, targets, tokens, seed))
                for number, pair in enumerate(PAIRS * 2)
            ]
            if database is not None:
                database.losses = _DATABASE_LOSSES
            faults = Faults(place, servers, database, tokens, seed, lambda: sum(len(client.attempts) for client in clients))
            loads = [Workload(known, charged, counter, seed, client.name) for client in clients]
            _run(clients, loads, operations, faults, tokens)
            history.faults = faults.done
            if database is not None:
                database.losses = Losses()
        # Nothing that was sent before may take effect later.
        restart(servers)
        lost = _finish(history, direct, [direct, *clients], charged, counter)
        history.tokens = list(tokens.uses.values())
    violations = [*check(history), *check_tokens(history), *check_charges(history), *_damage(place)]
    if sum(not attempt.is_lost for attempt in history.attempts) < operations:
        violations.append(Violation("progress", f"fewer than {operations} operations had a result in {_LONGEST_S:g} s"))
    return Result(history, violations, *lost)


@contextmanager
def _client(
    name: str, pair: str, targets: Sequence[Mapping[str, str]], tokens: Tokens, seed: int, *, doubled: bool
) -> Iterator[Client]:
    """Open a client with a token of its own."""
    scheme, mode = pair.split("-")
    text = tokens.create(name)
    assert text is not None
    transports = [MessageTransport(target[scheme], mode) for target in targets]
    try:
        yield Client(name, text, transports, seed, doubled=doubled)
    finally:
        for transport in transports:
            transport.close()


@contextmanager
def _disturbed(name: str, pair: str, targets: Sequence[Mapping[str, str]], tokens: Tokens, seed: int) -> Iterator[Client]:
    """Open a client that reaches each server through a proxy."""
    scheme: Any = pair.partition("-")[0]
    with ExitStack() as stack:
        through: list[Mapping[str, str]] = []
        for number, target in enumerate(targets):
            port = int(target[scheme].rpartition(":")[2])
            proxy = LossyProxy(port, scheme, _LOSSES, seed=random.Random(f"{seed} {name} {number}").getrandbits(32))
            stack.enter_context(proxy.running())
            through.append({scheme: f"{scheme}://127.0.0.1:{proxy.port}"})
        yield stack.enter_context(_client(name, pair, through, tokens, seed, doubled=True))


def _run(clients: Sequence[Client], loads: Sequence[Workload], operations: int, faults: Faults, tokens: Tokens) -> None:
    """Let the clients run under faults."""
    over = threading.Event()
    clock = threading.Timer(_LONGEST_S, over.set)
    clock.start()
    faults.start()
    try:
        shares = [operations // len(clients) + (n < operations % len(clients)) for n in range(len(clients))]
        with ThreadPoolExecutor(len(clients)) as pool:
            running = [
                pool.submit(client.run, load, share, tokens, over)
                for client, load, share in zip(clients, loads, shares, strict=True)
            ]
            for each in running:
                each.result()
    finally:
        clock.cancel()
        over.set()
        faults.stop()


def _set_up(direct: Client, known: Known) -> tuple[str, str]:
    """Create what the workloads need; return the endpoint of the charges and the policy that counts them."""
    secret = direct.answer(
        secret_pb2.CreateGatewaySecretRequest(
            secret_name="s-0", secret_value={"api_key": "first"}, request_id="setup-secret"
        )
    ).secret
    known.add("secret", secret.secret_id)
    configs: list[endpoint_pb2.GatewayEndpointModelConfig] = []
    for number in range(3):
        definition = direct.answer(
            model_definition_pb2.CreateGatewayModelDefinitionRequest(
                name=f"model-{number}",
                secret_id=secret.secret_id,
                provider="openai",
                model_name="first",
                request_id=f"setup-{number}",
            )
        ).model_definition
        known.add("model_definition", definition.model_definition_id)
        configs.append(
            endpoint_pb2.GatewayEndpointModelConfig(
                model_definition_id=definition.model_definition_id, linkage_type="PRIMARY", weight=1
            )
        )
    for name in ("endpoint-0", "charged"):
        endpoint = direct.answer(
            endpoint_pb2.CreateGatewayEndpointRequest(name=name, model_configs=configs, request_id=f"setup-{name}")
        ).endpoint
        if name != "charged":
            known.add("endpoint", endpoint.endpoint_id)
    request = policy("GLOBAL", None, 1.0)
    request.request_id = "setup-policy"
    return endpoint.endpoint_id, direct.answer(request).budget_policy.budget_policy_id


def _finish(history: History, direct: Client, clients: Sequence[Client], charged: str, counter: str) -> tuple[int, int]:
    """Read the state at the end, then find out by their request_ids which of the lost requests had taken effect.

    Returns:
        The number of changes without a response, and of those that had taken effect.
    """
    # It waits for the lock, and so for a commit that the database may still have in hand.
    direct.answer(
        budget_pb2.RecordGatewaySpendRequest(
            endpoint_id=charged, amount_nanos=1_000_000_000, budget_unit="USD", request_id="fence"
        )
    )
    for request in _FINAL_READS:
        direct.answer(request)
    history.changes = log(direct.answer)
    changes = _unanswered(clients)
    lost = {key: change for key, change in changes.items() if change.is_lost}
    effective = sum(_settle(direct, change, history) for change in lost.values())
    if _unclaimed(clients, history):
        # A rejected request that was sent twice may have taken effect the second time.
        for key in changes.keys() - lost.keys():
            _settle(direct, changes[key], history)
    windows = direct.answer(budget_pb2.ListGatewayBudgetWindowsRequest()).windows
    history.charged = int(next(window.current_spend for window in windows if window.budget_policy_id == counter))
    history.attempts = [attempt for client in clients for attempt in client.attempts]
    return len(lost), effective


class _Unanswered(NamedTuple):
    """A request with a request_id and without a response.

    Attributes:
        client: its client.
        request: the request.
        is_lost: whether a response to it was lost, rather than an error received each time.
    """

    client: Client
    request: Any
    is_lost: bool


def _unanswered(clients: Sequence[Client]) -> dict[str, _Unanswered]:
    found: dict[str, _Unanswered] = {}
    attempts = [(client, attempt) for client in clients for attempt in client.attempts if attempt.request_id]
    answered = {attempt.request_id for _, attempt in attempts if attempt.response is not None}
    for client, attempt in attempts:
        if attempt.request_id not in answered:
            before = found.get(attempt.request_id)
            is_lost = attempt.is_lost or (before is not None and before.is_lost)
            found[attempt.request_id] = _Unanswered(client, attempt.request, is_lost)
    return found


def _settle(direct: Client, change: _Unanswered, history: History) -> bool:
    """Send a request again; return whether it is a change that had taken effect before the end of the history."""
    attempt = direct.settle(change.request, change.client)
    return is_change(change.request) and attempt.response is not None and attempt.response.revision <= len(history.changes)


def _unclaimed(clients: Sequence[Client], history: History) -> bool:
    """Return whether the change log has a revision that no response has."""
    attempts = (attempt for client in clients for attempt in client.attempts)
    changes = (attempt for attempt in attempts if is_change(attempt.request) and attempt.response is not None)
    claimed = {attempt.response.revision for attempt in changes}
    return not claimed >= {change.revision for change in history.changes}


def _damage(place: Place) -> list[Violation]:
    """Return what SQLite reports of its file."""
    if place.path is None:
        return []
    found = [*place.execute("PRAGMA integrity_check"), *place.execute("PRAGMA foreign_key_check")]
    return [] if found == [("ok",)] else [Violation("damage", str(found))]


def report(result: Result) -> str:
    """Return a whole history with its violations as text, in the order of invocation."""
    lines = [str(violation) for violation in result.violations]
    events = [(attempt.invoked, shown(attempt)) for attempt in result.history.attempts]
    events += [(float(fault.partition(" ")[0]), fault) for fault in result.history.faults]
    lines += [text for _, text in sorted(events)]
    lines += [" ".join(str(change).split()) for change in result.history.changes]
    return "\n".join(lines)


@click.command()
@click.option("--histories", default=10, show_default=True)
@click.option("--operations", default=1000, show_default=True)
@click.option("--store", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--seed", default=1, show_default=True, help="Seed of the first; the others have the next ones.")
@click.option("--reports", type=click.Path(path_type=Path), help="Folder for the histories with violations.")
def main(histories: int, operations: int, store: str, seed: int, reports: Path | None) -> None:
    """Record histories and check them."""
    found = 0
    for number in range(seed, seed + histories):
        started = time.monotonic()
        with temporary_place(store) as (place, folder):
            result = record(place, folder, operations, number)
        violations = result.violations
        found += bool(violations)
        click.echo(
            f"{store} seed {number}: {len(result.history.attempts)} requests, {len(result.history.changes)} revisions, "
            f"{len(result.history.faults)} faults, {result.lost} changes lost of which {result.effective} took effect, "
            f"{len(violations)} violations, {time.monotonic() - started:.1f} s"
        )
        for violation in violations[:5]:
            click.echo(f"  {violation}"[:1000])
        if violations and reports is not None:
            reports.mkdir(parents=True, exist_ok=True)
            (reports / f"{store}-{number}.txt").write_text(report(result))
    sys.exit(found > 0)


if __name__ == "__main__":
    main()
