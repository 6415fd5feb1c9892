"""``gateway-entities changes``: the change log."""

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
    "--since", metavar="REVISION", type=click.IntRange(min=0), help="Only changes after this revision. Default: all."
)
@connection_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def changes(connect: Callable[[], GatewayClient], since: int | None, as_json: bool) -> None:
    """List changes of the configuration, oldest first. The alias log does the same.

    One line per change: revision, time, actor, RPC, the resource with its new etag, and side effects on other resources.
    --json adds the etags before each change. Secret values are never shown.
    """
    with connect() as client:
        found = client.list_changes(since_revision=since)
    show(found, as_json=as_json)
