"""Concurrent read-modify-write of one endpoint: with etags, no update is lost.

To run it: ``python -m tests.server.consistency.editors [--store sqlite|postgresql] [--editors 8] [--updates 10]``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import click

from gateway_entities import Code, GatewayError
from tests.client.server_client_pairs import PAIRS, connect
from tests.mutations import prepare
from tests.replay import consistent
from tests.server.consistency.server_process import ServerProcess
from tests.server.consistency.temporary_place import temporary_place


class EditResult(NamedTuple):
    """Result of a run.

    Attributes:
        survived: the number of updates in the endpoint.
        logged: the number of updates in the change log.
        aborted: the number of retries after ABORTED.
    """

    survived: int
    logged: int
    aborted: int


def edit(servers: Sequence[ServerProcess], pairs: Sequence[str], editors: int, updates: int) -> EditResult:
    """Let editors increment the experiment_id of one endpoint, with retries after ABORTED.

    Args:
        servers: servers of one store, used in turn.
        pairs: transports, sync or async, used in turn.
        editors: the number of editors.
        updates: the number of updates by each.
    """
    start = threading.Barrier(editors)
    with servers[0].transport() as do:
        resources = prepare(do)

        def run(number: int) -> int:
            targets = servers[number % len(servers)].targets
            client = connect(pairs[number % len(pairs)], targets["grpc"], targets["http"])
            try:
                start.wait(timeout=60)
                return sum(_update(client, resources.endpoint_id) for _ in range(updates))
            finally:
                client.close()

        with ThreadPoolExecutor(editors) as pool:
            aborted = sum(pool.map(run, range(editors)))
        with servers[0].client() as client:
            counted = client.get_endpoint(endpoint_id=resources.endpoint_id).experiment_id
        lines = [line for line in consistent(do) if line.change.id == resources.endpoint_id]
        logged = sum(line.rpc == "UpdateGatewayEndpoint" for line in lines)
    return EditResult(int(counted or 0), logged, aborted)


def _update(client: Any, endpoint_id: str) -> int:
    """Increment once; return the number of retries."""
    aborted = 0
    while True:
        endpoint = client.get_endpoint(endpoint_id=endpoint_id)
        counted = str(int(endpoint.experiment_id or 0) + 1)
        try:
            client.update_endpoint(endpoint_id, experiment_id=counted, etag=endpoint.etag(), timeout=120)
        except GatewayError as error:
            if error.code is not Code.ABORTED:
                raise
            aborted += 1
        else:
            return aborted


@click.command()
@click.option("--store", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--editors", default=8, show_default=True)
@click.option("--updates", default=10, show_default=True)
def main(store: str, editors: int, updates: int) -> None:
    """Edit one endpoint over each transport, sync and async."""
    for pair in PAIRS:
        with temporary_place(store) as (place, folder), ServerProcess(place, folder / "log").running() as server:
            found = edit([server], [pair], editors, updates)
        click.echo(f"{store} {pair}: {found.survived} of {editors * updates} survive; {found.aborted} retries")


if __name__ == "__main__":
    main()
