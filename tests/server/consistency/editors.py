"""Editors that all read, change and write one endpoint: with etags, no edit is lost.

By hand: ``python -m tests.server.consistency.editors [--store sqlite|postgresql] [--editors 8] [--updates 10]``.
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
from tests.server.consistency.by_hand import place_by_hand
from tests.server.consistency.server_process import ServerProcess


class Edited(NamedTuple):
    """What became of the edits.

    Attributes:
        survived: how many are in the endpoint.
        logged: how many the change log tells of.
        refused: how often an editor came too late, and began again.
    """

    survived: int
    logged: int
    refused: int


def edit(servers: Sequence[ServerProcess], pairs: Sequence[str], editors: int, updates: int) -> Edited:
    """Let editors count up the experiment_id of one endpoint, each so many times, and again whenever it came too late.

    Args:
        servers: servers of one store; the editors are spread over them.
        pairs: transports, sync and async; the editors are spread over them.
        editors: how many there are.
        updates: how many updates each makes.
    """
    together = threading.Barrier(editors)
    with servers[0].asked() as do:
        things = prepare(do)

        def run(number: int) -> int:
            targets = servers[number % len(servers)].targets
            client = connect(pairs[number % len(pairs)], targets["grpc"], targets["http"])
            try:
                together.wait(timeout=60)
                return sum(_update(client, things.endpoint_id) for _ in range(updates))
            finally:
                client.close()

        with ThreadPoolExecutor(editors) as pool:
            refused = sum(pool.map(run, range(editors)))
        with servers[0].client() as client:
            counted = client.get_endpoint(endpoint_id=things.endpoint_id).experiment_id
        logged = sum(line.rpc == "UpdateGatewayEndpoint" for line in consistent(do))
    return Edited(int(counted or 0), logged, refused)


def _update(client: Any, endpoint_id: str) -> int:
    """Count up once; return how often that was refused because another editor had been faster."""
    refused = 0
    while True:
        endpoint = client.get_endpoint(endpoint_id=endpoint_id)
        counted = str(int(endpoint.experiment_id or 0) + 1)
        try:
            client.update_endpoint(endpoint_id, experiment_id=counted, etag=endpoint.etag(), timeout=120)
        except GatewayError as error:
            if error.code is not Code.ABORTED:
                raise
            refused += 1
        else:
            return refused


@click.command()
@click.option("--store", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--editors", default=8, show_default=True)
@click.option("--updates", default=10, show_default=True)
def main(store: str, editors: int, updates: int) -> None:
    """Edit one endpoint, over each transport, sync and async, in turn."""
    for pair in PAIRS:
        with place_by_hand(store) as (place, folder), ServerProcess(place, folder / "log").running() as server:
            found = edit([server], [pair], editors, updates)
        click.echo(f"{store} {pair}: {found.survived} of {editors * updates} survive; {found.refused} began again")


if __name__ == "__main__":
    main()
