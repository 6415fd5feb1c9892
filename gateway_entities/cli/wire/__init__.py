"""``gateway-entities wire``: messages that nobody vouches for. Each subcommand is one line here and a module of its own."""

from __future__ import annotations

import click

from gateway_entities.cli.command import Group
from gateway_entities.cli.wire.check import check
from gateway_entities.cli.wire.compare import compare
from gateway_entities.cli.wire.inspect import inspect
from gateway_entities.cli.wire.vectors import vectors


@click.group(
    cls=Group,
    examples=(
        "gateway-entities wire check endpoint.binpb --type GatewayEndpoint",
        "gateway-entities wire check recorded/ --format sarif > findings.sarif",
        "echo 0a03652d31 | gateway-entities wire inspect --input hex",
        "gateway-entities wire compare mlflow gatewayentities.v1",
    ),
)
def wire() -> None:
    """Check, explain and compare messages on the wire.

    Exit codes: 0 nothing found; 1 something found; 2 it could not be read, or the command line is wrong.
    """


wire.add_command(check)
wire.add_command(inspect)
wire.add_command(compare)
wire.add_command(vectors)
