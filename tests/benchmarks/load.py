"""A mixed load of 16 clients for some minutes: ``python -m tests.benchmarks load --minutes 5``.

Four of five calls read. Each client has an endpoint of its own; half of the clients use HTTP, half gRPC. With ``--against``
the server of another checkout gets the same load from the same clients in turns, so that the two can be compared.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from gateway_entities import GatewayClient, GatewayEndpoint, GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.errors import GatewayError
from tests.benchmarks.our_server import OurServer, our_server
from tests.benchmarks.process_tree import memory_of, processor_seconds

CLIENTS: Final = 16
_WARM_UP_S: Final = 2.0
_SAMPLE_S: Final = 1.0
_FIRST_SAMPLE_S: Final = 60.0
_VALUE: Final = "a value of some length " * 3


class Outcome(NamedTuple):
    """The result of one run.

    Attributes:
        reads: reads a second.
        writes: writes a second.
        errors: the calls that failed, by their error.
        cost: processor seconds of the server for each call.
        first: its memory in MiB after a minute, or after a fifth of a shorter run.
        last: its memory at the end.
    """

    reads: float
    writes: float
    errors: Counter[str]
    cost: float
    first: float
    last: float


def main(arguments: Sequence[str]) -> int:
    """Measure; return 1 if a call has failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks load", description="Run a mixed load of 16 clients.")
    parser.add_argument("--minutes", type=float, default=5.0, help="minutes of each run")
    parser.add_argument("--against", metavar="FOLDER", type=Path, help="a checkout whose server gets the same load in turns")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each server")
    given = parser.parse_args(arguments)
    servers: dict[str, Path | None] = {"this": None} | ({"other": given.against.resolve()} if given.against else {})
    runs: dict[str, list[Outcome]] = {name: [] for name in servers}
    print("server  reads/s  writes/s  server ms/call  MiB first  MiB last  errors")
    for number in range(given.rounds):
        for name in sorted(servers, reverse=number % 2 == 0):
            runs[name].append(run := _run(servers[name], given.minutes * 60))
            print(
                f"{name:6} {run.reads:8.0f} {run.writes:9.0f} {run.cost * 1000:15.3f} {run.first:10.1f} {run.last:9.1f}"
                f"  {dict(run.errors) or 0}",
                flush=True,
            )
    if given.against:
        _compare(runs["this"], runs["other"])
    return 1 if any(run.errors for run in runs["this"]) else 0


def _compare(this: Sequence[Outcome], other: Sequence[Outcome]) -> None:
    for what in ("reads", "writes", "cost", "last"):
        ratios = [getattr(one, what) / getattr(two, what) for one, two in zip(this, other, strict=True)]
        print(f"{what}, this / other: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


def _run(checkout: Path | None, seconds: float) -> Outcome:
    environment = {} if checkout is None else {"PYTHONPATH": f"{checkout}:{checkout}/gen/python"}
    with (
        tempfile.TemporaryDirectory(prefix="gateway-load-", ignore_cleanup_errors=True) as name,
        our_server(Path(name), environment=environment) as server,
        _clients(server) as counts,
    ):
        time.sleep(_WARM_UP_S)
        before, start, processor = counts(), time.monotonic(), processor_seconds(server.pid)
        first = min(_FIRST_SAMPLE_S, seconds / 5)
        time.sleep(first)
        memory = _memory(server)
        time.sleep(max(0.0, seconds - (time.monotonic() - start)))
        done, took = counts() - before, time.monotonic() - start
        processor = processor_seconds(server.pid) - processor
        last = _memory(server)
    errors = Counter({name: count for name, count in done.items() if name not in {"reads", "writes"}})
    calls = done["reads"] + done["writes"]
    return Outcome(done["reads"] / took, done["writes"] / took, errors, processor / calls, memory, last)


def _memory(server: OurServer) -> float:
    """Return the median of some samples: a response in flight is not growth."""
    samples: list[float] = []
    for _ in range(5):
        samples.append(memory_of(server.pid, "Rss"))
        time.sleep(_SAMPLE_S / 5)
    return statistics.median(samples)


@contextmanager
def _clients(server: OurServer) -> Iterator[Callable[[], Counter[str]]]:
    """Run the clients during the block; yield a function that returns their counts of reads, writes and errors."""
    counts: Counter[str] = Counter()
    lock, stopped = threading.Lock(), threading.Event()
    with ExitStack() as stack:
        clients = [
            stack.enter_context(GatewayClient(server.target("http" if number % 2 else "grpc"))) for number in range(CLIENTS)
        ]
        definition = _make_definition(clients[0])

        def work(client: GatewayClient, number: int) -> None:
            operations = _operations(client, number, definition)
            while not stopped.is_set():
                kind, operation = next(operations)
                try:
                    operation()
                except GatewayError as error:
                    kind = f"{error.code.name} {error.reason}"
                with lock:
                    counts[kind] += 1

        def counted() -> Counter[str]:
            with lock:
                return counts.copy()

        threads = [threading.Thread(target=work, args=(client, number)) for number, client in enumerate(clients)]
        for thread in threads:
            thread.start()
        try:
            yield counted
        finally:
            stopped.set()
            for thread in threads:
                thread.join()


def _make_definition(client: GatewayClient) -> str:
    secret = client.create_secret("openai", {"api_key": "sk-not-a-real-key-of-anybody"}, provider="openai")
    definition = client.create_model_definition("gpt", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
    return definition.model_definition_id


def _operations(client: GatewayClient, number: int, definition: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the client's operations without end: its writes in turns, with four reads before each."""
    configs = [GatewayEndpointModelConfig(definition, GatewayModelLinkageType.PRIMARY, 1.0)]
    own: GatewayEndpoint = client.create_endpoint(f"client-{number}", configs)
    made = itertools.count()
    reads = itertools.cycle(
        (
            lambda: client.get_endpoint(endpoint_id=own.endpoint_id),
            lambda: client.get_endpoint(name="client-0"),
            client.list_endpoints,
            client.list_secrets,
            lambda: client.get_model_definition(model_definition_id=definition),
        )
    )
    temporary: list[str] = []

    def create() -> None:
        temporary.append(client.create_endpoint(f"made-{number}-{next(made)}", configs).endpoint_id)

    def delete() -> None:
        # The creation may have failed.
        if temporary:
            client.delete_endpoint(temporary.pop())

    writes = itertools.cycle(
        (
            lambda: client.set_endpoint_tag(own.endpoint_id, "key", f"{_VALUE}{next(made)}"),
            create,
            lambda: client.update_endpoint(own.endpoint_id, usage_tracking=next(made) % 2 == 0),
            delete,
        )
    )
    while True:
        for read in itertools.islice(reads, 4):
            yield "reads", read
        yield "writes", next(writes)
