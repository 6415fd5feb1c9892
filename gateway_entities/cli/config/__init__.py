"""``gateway-entities config``: configuration as code, one module per subcommand or pair of them."""

from __future__ import annotations

import click

from gateway_entities.cli.command import Group
from gateway_entities.cli.config.export import export
from gateway_entities.cli.config.import_ import import_
from gateway_entities.cli.config.plan import apply, plan, rollback
from gateway_entities.cli.config.schema import schema
from gateway_entities.cli.config.validate import diff, validate


@click.group(
    cls=Group,
    examples=(
        "gateway-entities config export > gateway.yaml",
        "gateway-entities config validate gateway.yaml",
        "gateway-entities config plan gateway.yaml",
        "gateway-entities config apply gateway.yaml --prune",
        "gateway-entities config rollback 12",
        "gateway-entities config diff gateway.yaml @12",
        "gateway-entities config import --from litellm config.yaml > gateway.yaml",
    ),
)
def config() -> None:
    """Configuration as code: export, plan and apply YAML files.

    Exit codes: 0 success; 1 a file or the gateway reports an error; 2 usage error; 3 a difference, with --detailed-exitcode.
    """


config.add_command(export)
config.add_command(validate)
config.add_command(plan)
config.add_command(apply)
config.add_command(rollback)
config.add_command(diff)
config.add_command(schema)
config.add_command(import_)
