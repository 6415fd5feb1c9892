"""``gateway-entities endpoint tag``: tags of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.command import MUTATION_OPTIONS, client_command
from gateway_entities.cli.options import names
from gateway_entities.cli.output import Done

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient

_ENDPOINT: Final = click.argument("endpoint", shell_complete=names.completed(names.endpoints))
_KEY: Final = click.argument("key")


@click.group()
def tag() -> None:
    """Tags of an endpoint. ENDPOINT is its id or name."""


@client_command(tag, "set", _ENDPOINT, _KEY, click.argument("value"), *MUTATION_OPTIONS)
def set_tag(client: GatewayClient, /, endpoint: str, key: str, value: str, **change: Any) -> Done:
    """Set one tag, replacing its value."""
    client.set_endpoint_tag(lookup.endpoint_id(client, endpoint), key, value, **change)
    return Done(f"set {key} on {endpoint}")


@client_command(tag, "delete", _ENDPOINT, _KEY, *MUTATION_OPTIONS)
def delete_tag(client: GatewayClient, /, endpoint: str, key: str, **change: Any) -> Done:
    """Delete one tag. A missing key is not an error."""
    client.delete_endpoint_tag(lookup.endpoint_id(client, endpoint), key, **change)
    return Done(f"deleted {key} from {endpoint}")
