"""``gateway-entities model-definition``: models of providers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.command import (
    CREATE_OPTIONS,
    MUTATION_OPTIONS,
    UPDATE_OPTIONS,
    Decorator,
    Group,
    changes_nothing,
    clear_option,
    client_command,
    update_mask,
)
from gateway_entities.cli.options import names
from gateway_entities.cli.output import Done

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayModelDefinition

_MODEL: Final = click.argument("key", metavar="MODEL", shell_complete=names.completed(names.model_definitions))


def _secret_option(text: str, *, required: bool = False) -> Decorator:
    complete = names.completed(names.secrets)
    return click.option("--secret", metavar="SECRET", required=required, shell_complete=complete, help=text)


@click.group(
    "model-definition",
    cls=Group,
    examples=(
        "gateway-entities model-definition create fast --secret openai-prod --provider openai --model-name gpt-4o-mini",
    ),
)
def model_definition() -> None:
    """Models of providers, each with its secret.

    MODEL is the id or the name of a model definition; SECRET is the id or the name of a secret.
    """


@client_command(model_definition, "get", _MODEL)
def get(client: GatewayClient, key: str) -> GatewayModelDefinition:
    """Show one model definition."""
    return lookup.find_model_definition(client, key)


@client_command(
    model_definition,
    "list",
    click.option("--provider", help="Only models of this provider."),
    _secret_option("Only models that use this secret."),
)
def list_(client: GatewayClient, provider: str | None, secret: str | None) -> Sequence[GatewayModelDefinition]:
    """List model definitions, oldest first."""
    return client.list_model_definitions(
        provider=provider, secret_id=None if secret is None else lookup.secret_id(client, secret)
    )


@client_command(
    model_definition,
    "create",
    click.argument("name"),
    _secret_option("Secret for the provider.", required=True),
    click.option("--provider", required=True, help='Provider, such as "openai".'),
    click.option("--model-name", required=True, help='The provider\'s name of the model, such as "gpt-4o".'),
    *CREATE_OPTIONS,
)
def create(
    client: GatewayClient,
    /,
    name: str,
    *,
    secret: str,
    provider: str,
    model_name: str,
    **change: Any,
) -> GatewayModelDefinition:
    """Create a model definition."""
    secret_id = lookup.secret_id(client, secret)
    return client.create_model_definition(name, secret_id=secret_id, provider=provider, model_name=model_name, **change)


@client_command(
    model_definition,
    "update",
    _MODEL,
    click.option("--name", help="The new name."),
    _secret_option("The new secret."),
    click.option("--provider", help="The new provider."),
    click.option("--model-name", help="The provider's name of the new model."),
    clear_option("secret_id"),
    *UPDATE_OPTIONS,
)
def update(
    client: GatewayClient,
    /,
    key: str,
    *,
    name: str | None,
    secret: str | None,
    provider: str | None,
    model_name: str | None,
    clear: Sequence[str],
    **change: Any,
) -> GatewayModelDefinition:
    """Update the given fields of a model definition."""
    given: dict[str, Any] = {
        "name": name,
        "secret_id": None if secret is None else lookup.secret_id(client, secret),
        "provider": provider,
        "model_name": model_name,
    }
    if changes_nothing(clear, given):
        return lookup.find_model_definition(client, key)
    found = lookup.model_definition_id(client, key)
    return client.update_model_definition(found, **given, **change, update_mask=update_mask(clear, given))


@client_command(model_definition, "delete", _MODEL, *MUTATION_OPTIONS)
def delete(client: GatewayClient, /, key: str, **change: Any) -> Done:
    """Delete an unused model definition."""
    found = lookup.model_definition_id(client, key)
    client.delete_model_definition(found, **change)
    return Done(f"deleted {found}")
