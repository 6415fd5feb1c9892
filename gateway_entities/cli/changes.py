"""``gateway-entities log``: what changed, when, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.output import show

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient


@click.command()
@click.option(
    "--since", metavar="REVISION", type=click.IntRange(min=0), help="Only changes after this one. Without it: all."
)
@connection_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def log(connect: Callable[[], GatewayClient], since: int | None, as_json: bool) -> None:
    """List the changes of the configuration, oldest first.

    Each has a line: its number, when, who and by which RPC, then what it was about with its new etag, and what else it
    changed or removed. With --json the etags before each change stand there too. A secret is in neither.
    """
    with connect() as client:
        found = client.list_changes(since_revision=since)
    show(found, as_json=as_json)
