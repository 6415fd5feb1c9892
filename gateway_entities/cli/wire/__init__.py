"""``gateway-entities wire``: checks of messages and schemas, one module per subcommand."""

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
        "gateway-entities wire check recorded/ --schema proto --type Order",
        "gateway-entities wire compare --against main proto",
        r"gateway-entities wire compare mlflow gatewayentities.v1 --rename 'mlflow\.(.*)' 'gatewayentities.v1.\1'",
    ),
)
def wire() -> None:
    """Validate and inspect messages, compare schemas.

    Exit codes: 0 nothing is wrong; 1 a message or a schema is; 2 an input cannot be read, nothing was compared, or a usage
    error.
    """


wire.add_command(check)
wire.add_command(inspect)
wire.add_command(compare)
wire.add_command(vectors)
