"""Look-up of resources by id or name.

A key in the format of an id is an id; a resource whose name has that format can only be found by its id.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import (
        GatewayEndpoint,
        GatewayModelDefinition,
        GatewaySecretInfo,
        ResolvedGatewayEndpoint,
    )


def find_secret(client: GatewayClient, key: str) -> GatewaySecretInfo:
    """Return the secret with this id or name."""
    return client.get_secret(secret_id=key) if _is_id("s", key) else client.get_secret(secret_name=key)


def find_model_definition(client: GatewayClient, key: str) -> GatewayModelDefinition:
    """Return the model definition with this id or name."""
    if _is_id("d", key):
        return client.get_model_definition(model_definition_id=key)
    return client.get_model_definition(name=key)


def find_endpoint(client: GatewayClient, key: str) -> GatewayEndpoint:
    """Return the endpoint with this id or name."""
    return client.get_endpoint(endpoint_id=key) if _is_id("e", key) else client.get_endpoint(name=key)


def resolve_endpoint(client: GatewayClient, key: str) -> ResolvedGatewayEndpoint:
    """Return the endpoint with this id or name, resolved."""
    return client.resolve_endpoint(endpoint_id=key) if _is_id("e", key) else client.resolve_endpoint(name=key)


def secret_id(client: GatewayClient, key: str) -> str:
    """Return the id of a secret; only a name needs a call."""
    return key if _is_id("s", key) else find_secret(client, key).secret_id


def model_definition_id(client: GatewayClient, key: str) -> str:
    """Return the id of a model definition; only a name needs a call."""
    return key if _is_id("d", key) else find_model_definition(client, key).model_definition_id


def endpoint_id(client: GatewayClient, key: str) -> str:
    """Return the id of an endpoint; only a name needs a call."""
    return key if _is_id("e", key) else find_endpoint(client, key).endpoint_id


def _is_id(prefix: str, key: str) -> bool:
    return re.fullmatch(f"{prefix}-[0-9a-f]{{32}}", key) is not None
