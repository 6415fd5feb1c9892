"""``gateway-entities endpoint``: named routes to models."""

from __future__ import annotations

import contextlib
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
    created_by,
    enum_choice,
    update_mask,
)
from gateway_entities.cli.options import names
from gateway_entities.cli.output import Done
from gateway_entities.cli.resolution import resolve
from gateway_entities.cli.tag import tag
from gateway_entities.entities import (
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpointModelConfig,
    GatewayModelLinkageType,
    RoutingStrategy,
)
from gateway_entities.errors import GatewayError

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayEndpoint, GatewayEndpointModelMapping

_ENDPOINT: Final = click.argument("key", metavar="ENDPOINT", shell_complete=names.completed(names.endpoints))
_MODEL: Final = click.argument("model", shell_complete=names.completed(names.model_definitions))
_OPTIONS: Final[Sequence[Decorator]] = (
    click.option(
        "--primary",
        metavar="MODEL WEIGHT",
        type=(str, float),
        multiple=True,
        shell_complete=names.completed(names.model_definitions),
        help="PRIMARY model and its weight. Repeatable.",
    ),
    click.option(
        "--fallback",
        metavar="MODEL",
        multiple=True,
        shell_complete=names.completed(names.model_definitions),
        help="FALLBACK model, tried in the given order when PRIMARY models fail. Repeatable.",
    ),
    click.option("--max-attempts", type=int, help="Maximum number of fallback models to try. Default: all."),
    click.option(
        "--routing-strategy",
        type=enum_choice(RoutingStrategy),
        help="Choice of the PRIMARY model. Default: by weight for a new endpoint with several --primary, else the first.",
    ),
    click.option("--experiment-id", metavar="NUMBER", help="Experiment that receives the traces."),
    click.option(
        "--usage-tracking/--no-usage-tracking", default=None, help="Whether requests are traced. New endpoints: yes."
    ),
)


@click.group(
    cls=Group,
    examples=(
        "gateway-entities endpoint create chat --primary fast 0.7 --primary big 0.3 --fallback spare --tag team search",
    ),
)
def endpoint() -> None:
    """Named routes to models, with weights and fallbacks.

    ENDPOINT is the id or the name of an endpoint; MODEL is the id or the name of a model definition.
    """


@client_command(endpoint, "get", _ENDPOINT)
def get(client: GatewayClient, key: str) -> GatewayEndpoint:
    """Show one endpoint with its models and tags."""
    return lookup.find_endpoint(client, key)


@client_command(
    endpoint,
    "list",
    click.option("--provider", help="Only endpoints with a model of this provider."),
    click.option(
        "--secret",
        metavar="SECRET",
        shell_complete=names.completed(names.secrets),
        help="Only endpoints with a model that uses this secret.",
    ),
)
def list_(client: GatewayClient, provider: str | None, secret: str | None) -> Sequence[GatewayEndpoint]:
    """List endpoints, oldest first."""
    return client.list_endpoints(provider=provider, secret_id=None if secret is None else lookup.secret_id(client, secret))


@client_command(
    endpoint,
    "create",
    click.argument("name"),
    *_OPTIONS,
    click.option("--tag", "tags", metavar="KEY VALUE", nargs=2, multiple=True, help="Tag to set. Repeatable."),
    *CREATE_OPTIONS,
)
def create(
    client: GatewayClient,
    /,
    name: str,
    tags: Sequence[tuple[str, str]],
    created_by: str | None,
    request_id: str | None,
    **options: Any,
) -> GatewayEndpoint:
    """Create an endpoint. At least one --primary is required."""
    fields = _fields(client, **options)
    if fields["routing_strategy"] is None and len(options["primary"]) > 1:
        fields["routing_strategy"] = RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT
    stored = client.create_endpoint(
        name, fields.pop("model_configs") or [], **fields, created_by=created_by, request_id=request_id
    )
    if not tags:
        return stored
    try:
        for key, value in tags:
            client.set_endpoint_tag(stored.endpoint_id, key, value)
    except GatewayError:
        # A rejected tag must not leave a partial endpoint behind.
        with contextlib.suppress(GatewayError):
            client.delete_endpoint(stored.endpoint_id)
        raise
    return client.get_endpoint(endpoint_id=stored.endpoint_id)


@client_command(
    endpoint,
    "update",
    _ENDPOINT,
    click.option("--name", help="The new name."),
    *_OPTIONS,
    clear_option("routing_strategy", "fallback_config", "experiment_id", "usage_tracking"),
    *UPDATE_OPTIONS,
)
def update(
    client: GatewayClient,
    /,
    key: str,
    *,
    name: str | None,
    clear: Sequence[str],
    updated_by: str | None,
    etag: str | None,
    request_id: str | None,
    **options: Any,
) -> GatewayEndpoint:
    """Update the given fields of an endpoint. --primary and --fallback replace all of its models."""
    fields: dict[str, Any] = {"name": name, **_fields(client, **options)}
    if changes_nothing(clear, fields):
        return lookup.find_endpoint(client, key)
    return client.update_endpoint(
        lookup.endpoint_id(client, key),
        **fields,
        updated_by=updated_by,
        update_mask=update_mask(clear, fields),
        etag=etag,
        request_id=request_id,
    )


@client_command(endpoint, "delete", _ENDPOINT, *MUTATION_OPTIONS)
def delete(client: GatewayClient, /, key: str, **change: Any) -> Done:
    """Delete an endpoint with its model mappings, tags, bindings and budgets."""
    found = lookup.endpoint_id(client, key)
    client.delete_endpoint(found, **change)
    return Done(f"deleted {found}")


@client_command(
    endpoint,
    "attach",
    _ENDPOINT,
    _MODEL,
    click.option("--weight", type=float, help="Weight of the model. Default: 1."),
    click.option("--fallback", is_flag=True, help="Attach it as FALLBACK."),
    click.option("--order", type=int, help="Position among the FALLBACK models, from 0. Default: last."),
    created_by,
    *MUTATION_OPTIONS,
)
def attach(
    client: GatewayClient,
    /,
    key: str,
    model: str,
    *,
    weight: float | None,
    fallback: bool,
    order: int | None,
    **change: Any,
) -> GatewayEndpointModelMapping:
    """Attach a model to an endpoint, as PRIMARY unless --fallback is given."""
    config = GatewayEndpointModelConfig(
        model_definition_id=lookup.model_definition_id(client, model),
        linkage_type=GatewayModelLinkageType.FALLBACK if fallback else GatewayModelLinkageType.PRIMARY,
        weight=weight,
        fallback_order=order,
    )
    return client.attach_model(lookup.endpoint_id(client, key), config, **change)


@client_command(endpoint, "detach", _ENDPOINT, _MODEL, *MUTATION_OPTIONS)
def detach(client: GatewayClient, /, key: str, model: str, **change: Any) -> Done:
    """Detach a model from an endpoint, both as PRIMARY and as FALLBACK."""
    client.detach_model(lookup.endpoint_id(client, key), lookup.model_definition_id(client, model), **change)
    return Done(f"detached {model} from {key}")


endpoint.add_command(resolve)
endpoint.add_command(tag)


def _fields(
    client: GatewayClient,
    *,
    primary: Sequence[tuple[str, float]],
    fallback: Sequence[str],
    max_attempts: int | None,
    routing_strategy: str | None,
    experiment_id: str | None,
    usage_tracking: bool | None,
) -> dict[str, Any]:
    """Return the options as fields of a create or update request, with None for absent ones."""
    model_configs = [
        GatewayEndpointModelConfig(
            model_definition_id=lookup.model_definition_id(client, model),
            linkage_type=GatewayModelLinkageType.PRIMARY,
            weight=weight,
        )
        for model, weight in primary
    ] + [
        GatewayEndpointModelConfig(
            model_definition_id=lookup.model_definition_id(client, model),
            linkage_type=GatewayModelLinkageType.FALLBACK,
            fallback_order=order,
        )
        for order, model in enumerate(fallback)
    ]
    return {
        "model_configs": model_configs or None,
        "routing_strategy": None if routing_strategy is None else RoutingStrategy[routing_strategy],
        "fallback_config": None if max_attempts is None else FallbackConfig(FallbackStrategy.SEQUENTIAL, max_attempts),
        "experiment_id": experiment_id,
        "usage_tracking": usage_tracking,
    }
