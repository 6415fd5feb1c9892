"""``gateway-entities config validate | diff``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import click

from gateway_entities.cli.config import options
from gateway_entities.cli.config.difference import differences
from gateway_entities.cli.config.source import load
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.entities import GatewayConfiguration

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient

_REVISION: Final = re.compile(r"@([0-9]{1,18})?")


@click.command()
@options.paths
def validate(paths: Sequence[str]) -> None:
    """Check files without a gateway. FILE is a file or a folder; default: gateway.yaml.

    Everything that is wrong is printed, with file, line and column. Values of secrets are not read.
    """
    found = load(paths).configuration
    parts = [
        f"{len(each)} {noun if len(each) != 1 else one}"
        for each, noun, one in (
            (found.secrets, "secrets", "secret"),
            (found.model_definitions, "model definitions", "model definition"),
            (found.endpoints, "endpoints", "endpoint"),
            (found.budget_policies, "budget policies", "budget policy"),
            (found.guardrails, "guardrails", "guardrail"),
        )
    ]
    click.echo(f"valid: {', '.join(parts)}")


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@options.together(options.output, options.detailed_exitcode, connection_options)
def diff(
    connect: Callable[[], GatewayClient], before: str, after: str, *, output: options.PlanForm, detailed_exitcode: bool
) -> None:
    """Show the difference of two configurations. A and B are files or folders.

    @12 is the gateway after revision 12, and @ the gateway now. Files alone need no gateway.
    """
    client: GatewayClient | None = None
    found: list[GatewayConfiguration] = []
    try:
        for name in (before, after):
            revision = _REVISION.fullmatch(name)
            if revision is None:
                found.append(load([name]).configuration)
            else:
                client = client or connect()
                found.append(client.export_configuration(at_revision=int(revision[1]) if revision[1] else None))
    finally:
        if client is not None:
            client.close()
    changes = differences(*found)
    options.show_changes(changes, (), output, document={"changes": [change.to_dict() for change in changes]})
    if detailed_exitcode and changes:
        raise click.exceptions.Exit(options.DIFFERENT)
