"""Look-up of resources by id, shortened id or name.

A key in the format of an id is an id; a resource whose name has that format can only be found by its id. Every other key is
a name first, and then the beginning of an id, as tables show it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeVar

from gateway_entities.cli.cells import SHORT_ID_DIGITS
from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import (
        GatewayEndpoint,
        GatewayModelDefinition,
        GatewaySecretInfo,
        ResolvedGatewayEndpoint,
    )

Found = TypeVar("Found")

_ID_DIGITS: Final = 32


def find_secret(client: GatewayClient, key: str) -> GatewaySecretInfo:
    """Return the secret with this id or name."""

    def by_id(identifier: str) -> GatewaySecretInfo:
        return client.get_secret(secret_id=identifier)

    return _found("s", key, by_id, lambda: client.get_secret(secret_name=key), lambda: _secret_ids(client))


def find_model_definition(client: GatewayClient, key: str) -> GatewayModelDefinition:
    """Return the model definition with this id or name."""

    def by_id(identifier: str) -> GatewayModelDefinition:
        return client.get_model_definition(model_definition_id=identifier)

    return _found("d", key, by_id, lambda: client.get_model_definition(name=key), lambda: _model_definition_ids(client))


def find_endpoint(client: GatewayClient, key: str) -> GatewayEndpoint:
    """Return the endpoint with this id or name."""

    def by_id(identifier: str) -> GatewayEndpoint:
        return client.get_endpoint(endpoint_id=identifier)

    return _found("e", key, by_id, lambda: client.get_endpoint(name=key), lambda: _endpoint_ids(client))


def resolve_endpoint(client: GatewayClient, key: str) -> ResolvedGatewayEndpoint:
    """Return the endpoint with this id or name, resolved."""

    def by_id(identifier: str) -> ResolvedGatewayEndpoint:
        return client.resolve_endpoint(endpoint_id=identifier)

    return _found("e", key, by_id, lambda: client.resolve_endpoint(name=key), lambda: _endpoint_ids(client))


def secret_id(client: GatewayClient, key: str) -> str:
    """Return the id of a secret; only a whole id needs no call."""
    return key if _is_id("s", key) else find_secret(client, key).secret_id


def model_definition_id(client: GatewayClient, key: str) -> str:
    """Return the id of a model definition; only a whole id needs no call."""
    return key if _is_id("d", key) else find_model_definition(client, key).model_definition_id


def endpoint_id(client: GatewayClient, key: str) -> str:
    """Return the id of an endpoint; only a whole id needs no call."""
    return key if _is_id("e", key) else find_endpoint(client, key).endpoint_id


def budget_policy_id(client: GatewayClient, key: str) -> str:
    """Return the id of a budget policy, which has no name, of its beginning."""
    if not _is_short_id("bp", key):
        return key
    return _whole(key, (each.budget_policy_id for each in client.list_budget_policies())) or key


def guardrail_id(client: GatewayClient, key: str) -> str:
    """Return the id of a guardrail; only a whole id needs no call.

    Raises:
        GatewayError: NOT_FOUND; or FAILED_PRECONDITION, several have the name, and the error has their ids.
    """
    if _is_id("gr", key):
        return key
    listed = client.list_guardrails()
    named = [each.guardrail_id for each in listed if key in (each.name, each.guardrail_id)]
    if not named and _is_short_id("gr", key):
        named = [each for each in [_whole(key, (each.guardrail_id for each in listed))] if each is not None]
    if not named:
        raise GatewayError(Code.NOT_FOUND, f"no guardrail has the name {key!r}")
    if len(named) > 1:
        raise GatewayError(Code.FAILED_PRECONDITION, f"several guardrails have the name {key!r}: {', '.join(named)}")
    return named[0]


def _found(
    prefix: str,
    key: str,
    by_id: Callable[[str], Found],
    by_name: Callable[[], Found],
    ids: Callable[[], Iterable[str]],
) -> Found:
    if _is_id(prefix, key):
        return by_id(key)
    try:
        return by_name()
    except GatewayError as error:
        whole = _whole(key, ids()) if error.code == Code.NOT_FOUND and _is_short_id(prefix, key) else None
        if whole is None:
            raise
    return by_id(whole)


def _whole(key: str, ids: Iterable[str]) -> str | None:
    """Return the one id that begins with a key; None if there is none."""
    fitting = [each for each in ids if each.startswith(key)]
    if len(fitting) > 1:
        raise GatewayError(Code.FAILED_PRECONDITION, f"several ids begin with {key}: {', '.join(sorted(fitting))}")
    return fitting[0] if fitting else None


def _secret_ids(client: GatewayClient) -> Iterable[str]:
    return (each.secret_id for each in client.list_secrets())


def _model_definition_ids(client: GatewayClient) -> Iterable[str]:
    return (each.model_definition_id for each in client.list_model_definitions())


def _endpoint_ids(client: GatewayClient) -> Iterable[str]:
    return (each.endpoint_id for each in client.list_endpoints())


def _is_id(prefix: str, key: str) -> bool:
    return re.fullmatch(f"{prefix}-[0-9a-f]{{{_ID_DIGITS}}}", key) is not None


def _is_short_id(prefix: str, key: str) -> bool:
    return re.fullmatch(f"{prefix}-[0-9a-f]{{{SHORT_ID_DIGITS},{_ID_DIGITS - 1}}}", key) is not None
