"""A server under attack: ``python -m tests.benchmarks attack``.

Each attack comes from a process on one core, at a bounded rate. The server and an honest client have the other core. The
client's latency is compared with that of the same client with bare echoes of the same size under the same attack. Rounds
alternate between the two.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway_entities import methods
from gateway_entities.transports.open import open_transport
from gatewayentities.v1 import endpoint_pb2
from tests.benchmarks import example, table
from tests.benchmarks.attackers import ATTACKS, Attack, Victim
from tests.benchmarks.echo_client import ROOT, echo_server
from tests.benchmarks.honest_client import Latency, Observation, Service, observe
from tests.benchmarks.our_server import OurServer, our_server, require_server
from tests.calls import call

ENDPOINTS: Final = 50_001
MAX_RATIO: Final = 3.0
"""Maximum ratio of a p99 to that with a bare echo."""
MAX_MEMORY_MIB: Final = 300
PAGE: Final = ROOT / "docs" / "guides" / "limits.md"
MARKERS: Final = ("<!-- attack: begin -->", "<!-- attack: end -->")
NO_ATTACK: Final = "none"
_TRANSPORTS: Final = ("http", "grpc")
_LEAD_S: Final = 1.0
_REST_S: Final = 0.3
"""Seconds after an attack, before the next subject."""


class Subject(NamedTuple):
    """A server to attack.

    Attributes:
        victim: as the attacker sees it.
        service: as the honest client sees it.
    """

    victim: Victim
    service: Service


class Round(NamedTuple):
    """What the honest client has seen of both under one attack, and the rates of the attack."""

    ours: Observation
    echo: Observation
    rates: tuple[float, float]


class Outcome(NamedTuple):
    """The result of one attack.

    Attributes:
        name: the attack.
        ours: the medians of the client's latencies with our server, by transport.
        echo: the same with the echo.
        ratios: the median of the ratios of p99, by transport.
        errors: the calls to our server that failed.
        calls: the calls to our server.
        health: the slowest response of its ``/healthz``, in seconds.
        memory: its peak memory, in MiB.
        rate: the median rate of the attack on it, in units a second.
    """

    name: str
    ours: dict[str, Latency]
    echo: dict[str, Latency]
    ratios: dict[str, float]
    errors: int
    calls: int
    health: float
    memory: float
    rate: float

    @property
    def is_met(self) -> bool:
        """Whether the server withstands the attack."""
        return max(self.ratios.values()) <= MAX_RATIO and self.memory < MAX_MEMORY_MIB and not self.errors


def main(arguments: Sequence[str]) -> int:
    """Measure the attacks of the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks attack", description="Attack the server, and measure.")
    names = (NO_ATTACK, *ATTACKS)
    parser.add_argument("attacks", metavar="ATTACK", nargs="*", help=f"by default all: {', '.join(names)}")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each attack")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds of each round, for each subject")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/guides/limits.md")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.attacks) - set(names)):
        parser.error(f"no such attack: {', '.join(unknown)}")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        parser.error("it needs two processors: one for the attacker")
    require_server()
    own, attacking = cores[:2]
    # The servers inherit both.
    os.sched_setaffinity(0, {own})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="gateway-attack-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        tokens = _make_store(folder)
        for each in given.attacks or names:
            outcomes.append(_measure(each, folder, tokens, attacking, given.rounds, given.seconds))
            print(" | ".join(_cells(outcomes[-1])), flush=True)
    if given.docs:
        _write_page(outcomes)
    return 0 if all(outcome.is_met for outcome in outcomes) else 1


def _make_store(folder: Path) -> dict[str, str]:
    """Create a store of many endpoints; return a token for each scope."""
    from gateway_entities.server.store import open_store
    from gateway_entities.server.store.admin.token_manager import open_tokens
    from gateway_entities.server.store.repositories.token import AccessScope

    url = f"sqlite:///{folder}/gateway.sqlite"
    store = open_store(url)
    try:
        example.fill(store, ENDPOINTS)
    finally:
        store.close()
    with open_tokens(url) as tokens:
        return {scope.name.lower(): tokens.create(scope.name.lower(), scope).text for scope in AccessScope}


def _measure(name: str, folder: Path, tokens: dict[str, str], core: int, rounds: int, seconds: float) -> Outcome:
    attack = ATTACKS.get(name)
    with ExitStack() as stack:
        server = stack.enter_context(our_server(folder))
        ours = _our_subject(server, tokens, attack)
        echoes = {each: stack.enter_context(echo_server(each, folder)) for each in _TRANSPORTS}
        targets = {each: f"{each}://{target.authority}" for each, target in echoes.items()}
        echo = _echo_subject(targets, ours)
        found: list[Round] = []
        for number in range(rounds):
            order = (ours, echo) if number % 2 == 0 else (echo, ours)
            seen = {id(each): _observe(each, name, core, seconds) for each in order}
            (our_observation, our_rate), (echo_observation, echo_rate) = seen[id(ours)], seen[id(echo)]
            found.append(Round(our_observation, echo_observation, (our_rate, echo_rate)))
        return _outcome(name, found, _peak_memory(server.pid))


def _our_subject(server: OurServer, tokens: dict[str, str], attack: Attack | None) -> Subject:
    metadata = {"authorization": f"Bearer {tokens['read']}"}
    with contextlib.closing(open_transport(server.grpc_target)) as transport:
        first = call(
            transport, methods.LIST_GATEWAY_ENDPOINTS, endpoint_pb2.ListGatewayEndpointsRequest(), metadata=metadata
        )
    scope = None if attack is None else attack.scope
    victim = Victim(
        server.http_target,
        server.grpc_target,
        is_echo=False,
        token=tokens[scope] if scope else None,
        page=first.next_page_token,
        list_bytes=first.ByteSize(),
    )
    request = endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=first.endpoints[0].endpoint_id)
    body = request.SerializeToString()
    service = Service(
        server.http_target, server.grpc_target, methods.GET_GATEWAY_ENDPOINT.path, body, metadata, has_health=True
    )
    return Subject(victim, service)


def _echo_subject(targets: dict[str, str], ours: Subject) -> Subject:
    with contextlib.closing(open_transport(ours.service.grpc)) as transport:
        size = len(
            transport.call(methods.GET_GATEWAY_ENDPOINT, ours.service.body, timeout=20, metadata=ours.service.metadata)
        )
    victim = replace(ours.victim, **targets, is_echo=True)
    return Subject(victim, ours.service._replace(**targets, path=f"/bench/echo-{size}", has_health=False))


def _observe(subject: Subject, name: str, core: int, seconds: float) -> tuple[Observation, float]:
    """Return what the honest client sees during an attack, and the rate of that."""
    if name == NO_ATTACK:
        return observe(subject.service, seconds, _LEAD_S), 0.0
    rates: list[float] = []
    with _attacker(name, subject.victim, core, rates):
        seen = observe(subject.service, seconds, _LEAD_S)
    time.sleep(_REST_S)
    return seen, rates[0]


@contextmanager
def _attacker(name: str, victim: Victim, core: int, rates: list[float]) -> Iterator[None]:
    """Attack during the block; append the rate at its end."""
    command = [sys.executable, "-m", "tests.benchmarks.attackers"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            print(json.dumps({"attack": name, "core": core, "victim": asdict(victim)}), file=process.stdin, flush=True)
            if process.stdout.readline() != "ready\n":
                raise RuntimeError(f"the attacker of {name} does not start")
            yield
            process.stdin.close()
            rates.append(json.loads(process.stdout.readline())["rate"])
        finally:
            process.kill()


def _peak_memory(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def _outcome(name: str, rounds: Sequence[Round], memory: float) -> Outcome:
    def medians(of: str, transport: str) -> Latency:
        latencies: list[Latency] = [getattr(getattr(each, of), transport) for each in rounds]
        return Latency(*(statistics.median(column) for column in zip(*latencies, strict=True)))

    def ratio(transport: str) -> float:
        pairs: list[tuple[Any, Any]] = [(getattr(each.ours, transport), getattr(each.echo, transport)) for each in rounds]
        return statistics.median(ours.p99 / echo.p99 for ours, echo in pairs)

    return Outcome(
        name,
        {each: medians("ours", each) for each in _TRANSPORTS},
        {each: medians("echo", each) for each in _TRANSPORTS},
        {each: ratio(each) for each in _TRANSPORTS},
        sum(each.ours.errors for each in rounds),
        sum(each.ours.calls for each in rounds),
        max(each.ours.health for each in rounds),
        memory,
        statistics.median(each.rates[0] for each in rounds),
    )


_HEAD: Final = (
    "attack",
    "at most, a second",
    "HTTP p50, p99",
    "echo",
    "ratio of p99",
    "gRPC p50, p99",
    "echo",
    "ratio of p99",
    "slowest `/healthz`",
    "peak memory",
    "failed",
)


def _cells(outcome: Outcome) -> tuple[str, ...]:
    attack = ATTACKS.get(outcome.name)
    columns: list[str] = []
    for transport in _TRANSPORTS:
        columns += [_shown(outcome.ours[transport]), _shown(outcome.echo[transport]), f"{outcome.ratios[transport]:.2g}x"]
    return (
        "no attack" if attack is None else attack.what,
        "" if attack is None else f"{attack.rate:,g} {attack.unit} (sent: {outcome.rate:,.3g})",
        *columns,
        f"{outcome.health * 1000:.0f} ms",
        f"{outcome.memory:.0f} MiB",
        f"{outcome.errors} of {outcome.calls:,}",
    )


def _shown(latency: Latency) -> str:
    return f"{latency.p50 * 1000:.2g}, {latency.p99 * 1000:.2g} ms"


def _write_page(outcomes: Sequence[Outcome]) -> None:
    before, after = table.around_table(PAGE, MARKERS)
    lines = [_HEAD, ("---",) * len(_HEAD), *map(_cells, outcomes)]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    PAGE.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")
