"""``gateway-entities binding``: links of resources to endpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.command import CREATE_OPTIONS, MUTATION_OPTIONS, Group, client_command
from gateway_entities.cli.options import names
from gateway_entities.cli.output import Done
from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayEndpointBinding


def _key_arguments(function: Callable[..., Any]) -> Callable[..., Any]:
    for name in ("resource_id", "resource_type"):
        function = click.argument(name)(function)
    return click.argument("endpoint", shell_complete=names.completed(names.endpoints))(function)


@click.group(
    cls=Group,
    examples=("gateway-entities binding create chat scorer 1234",),
)
def binding() -> None:
    """Links between endpoints and the resources that use them.

    A binding is identified by ENDPOINT (id or name), RESOURCE_TYPE (such as scorer or scorer_job) and RESOURCE_ID.
    """


@client_command(binding, "get", _key_arguments)
def get(client: GatewayClient, endpoint: str, resource_type: str, resource_id: str) -> GatewayEndpointBinding:
    """Show one binding."""
    found = client.list_bindings(
        endpoint_id=lookup.endpoint_id(client, endpoint), resource_type=resource_type, resource_id=resource_id
    )
    if not found or not (resource_type and resource_id):
        raise GatewayError(Code.NOT_FOUND, f"no binding of endpoint {endpoint} to {resource_type} {resource_id}")
    return found[0]


@client_command(
    binding,
    "list",
    click.option(
        "--endpoint",
        metavar="ENDPOINT",
        shell_complete=names.completed(names.endpoints),
        help="Only bindings of this endpoint.",
    ),
    click.option("--resource-type", help="Only bindings of this resource type."),
    click.option("--resource-id", help="Only bindings of this resource."),
)
def list_(
    client: GatewayClient, endpoint: str | None, resource_type: str | None, resource_id: str | None
) -> Sequence[GatewayEndpointBinding]:
    """List bindings, oldest first."""
    return client.list_bindings(
        endpoint_id=None if endpoint is None else lookup.endpoint_id(client, endpoint),
        resource_type=resource_type,
        resource_id=resource_id,
    )


@client_command(binding, "create", _key_arguments, *CREATE_OPTIONS)
def create(
    client: GatewayClient, /, endpoint: str, resource_type: str, resource_id: str, **change: Any
) -> GatewayEndpointBinding:
    """Bind a resource to an endpoint. The gateway does not check that the resource exists."""
    endpoint_id = lookup.endpoint_id(client, endpoint)
    return client.create_binding(endpoint_id, resource_type, resource_id, **change)


@client_command(binding, "delete", _key_arguments, *MUTATION_OPTIONS)
def delete(client: GatewayClient, /, endpoint: str, resource_type: str, resource_id: str, **change: Any) -> Done:
    """Delete a binding."""
    client.delete_binding(lookup.endpoint_id(client, endpoint), resource_type, resource_id, **change)
    return Done(f"deleted the binding of {endpoint} to {resource_type} {resource_id}")
