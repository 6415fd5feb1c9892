"""``gateway-entities guardrail``: checks of the requests and responses of endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.command import MUTATION_OPTIONS, Group, client_command, enum_choice, request_id_option
from gateway_entities.cli.options import names
from gateway_entities.cli.output import Done
from gateway_entities.entities import GuardrailAction, GuardrailStage

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayGuardrail, GatewayGuardrailConfig

_GUARDRAIL: Final = click.argument("guardrail", shell_complete=names.completed(names.guardrails))
_ENDPOINT: Final = click.argument("endpoint", shell_complete=names.completed(names.endpoints))
_ORDER: Final = click.option(
    "--order", type=int, help="Place in the order of execution, the lowest first. Default: after all others."
)


@click.group(
    cls=Group,
    examples=(
        "gateway-entities guardrail create safe --scorer-id 1234 --scorer-version 1 --stage BEFORE --action VALIDATION",
        "gateway-entities guardrail add my-endpoint safe --order 1",
        "gateway-entities guardrail of my-endpoint",
    ),
)
def guardrail() -> None:
    """Checks of the requests and responses of endpoints.

    ENDPOINT and GUARDRAIL are ids or names. A name that several guardrails have is refused with their ids.
    """


@client_command(guardrail, "get", _GUARDRAIL)
def get(client: GatewayClient, guardrail: str) -> GatewayGuardrail:
    """Show one guardrail."""
    return client.get_guardrail(lookup.guardrail_id(client, guardrail))


@client_command(guardrail, "list")
def list_(client: GatewayClient) -> Sequence[GatewayGuardrail]:
    """List guardrails, oldest first."""
    return client.list_guardrails()


@client_command(
    guardrail,
    "create",
    click.argument("name"),
    click.option("--scorer-id", metavar="ID", required=True, help="Scorer that judges, in its own system. Not looked up."),
    click.option("--scorer-version", type=int, required=True, help="Version of the scorer."),
    click.option("--stage", type=enum_choice(GuardrailStage), required=True, help="When the guardrail is executed."),
    click.option("--action", type=enum_choice(GuardrailAction), required=True, help="What it does with what it finds."),
    click.option(
        "--action-endpoint",
        metavar="ENDPOINT",
        shell_complete=names.completed(names.endpoints),
        help="Endpoint that the action calls.",
    ),
    request_id_option,
)
def create(
    client: GatewayClient, /, name: str, *, stage: str, action: str, action_endpoint: str | None, **change: Any
) -> GatewayGuardrail:
    """Create a guardrail. Its name need not be unique."""
    return client.create_guardrail(
        name,
        stage=GuardrailStage[stage],
        action=GuardrailAction[action],
        action_endpoint_id=None if action_endpoint is None else lookup.endpoint_id(client, action_endpoint),
        **change,
    )


@client_command(guardrail, "delete", _GUARDRAIL, *MUTATION_OPTIONS)
def delete(client: GatewayClient, /, guardrail: str, **change: Any) -> Done:
    """Delete a guardrail, also from every endpoint."""
    found = lookup.guardrail_id(client, guardrail)
    client.delete_guardrail(found, **change)
    return Done(f"deleted {found}")


@client_command(guardrail, "of", _ENDPOINT)
def of(client: GatewayClient, endpoint: str) -> Sequence[GatewayGuardrailConfig]:
    """List the guardrails of an endpoint, in the order of execution."""
    return client.list_endpoint_guardrails(lookup.endpoint_id(client, endpoint))


@client_command(guardrail, "add", _ENDPOINT, _GUARDRAIL, _ORDER, request_id_option)
def add(
    client: GatewayClient, /, endpoint: str, guardrail: str, *, order: int | None, **change: Any
) -> GatewayGuardrailConfig:
    """Make an endpoint use a guardrail."""
    ids = lookup.endpoint_id(client, endpoint), lookup.guardrail_id(client, guardrail)
    return client.add_guardrail_to_endpoint(*ids, execution_order=order, **change)


@client_command(guardrail, "move", _ENDPOINT, _GUARDRAIL, _ORDER, *MUTATION_OPTIONS)
def move(
    client: GatewayClient, /, endpoint: str, guardrail: str, *, order: int | None, **change: Any
) -> GatewayGuardrailConfig:
    """Give a guardrail of an endpoint another place in the order of execution."""
    ids = lookup.endpoint_id(client, endpoint), lookup.guardrail_id(client, guardrail)
    return client.update_endpoint_guardrail(*ids, execution_order=order, **change)


@client_command(guardrail, "remove", _ENDPOINT, _GUARDRAIL, *MUTATION_OPTIONS)
def remove(client: GatewayClient, /, endpoint: str, guardrail: str, **change: Any) -> Done:
    """Make an endpoint no longer use a guardrail."""
    ids = lookup.endpoint_id(client, endpoint), lookup.guardrail_id(client, guardrail)
    client.remove_guardrail_from_endpoint(*ids, **change)
    return Done(f"removed {guardrail} from {endpoint}")
