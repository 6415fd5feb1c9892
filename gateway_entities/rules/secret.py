"""Rules of requests for secrets. No violation ever shows a value of secret_value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.message import Message

from gateway_entities.rules.address import AllowedAddresses, provider_address
from gateway_entities.rules.bounds import MAX_ENTRIES, at_most, small_map
from gateway_entities.rules.mutation import CHANGES, CREATES
from gateway_entities.rules.stamps import ACTORS, TIMES
from gateway_entities.rules.table import Table, clearable, exactly_one, optional, required, required_on_update, updates
from gateway_entities.rules.values import ACTOR, IDENTIFIER, NAME, PAGE_SIZE, PAGE_TOKEN, SELECTOR, entry, text
from gateway_entities.rules.violation import Violation
from gatewayentities.v1 import secret_pb2 as pb

# Each of these chooses where a provider's client sends its requests. Only api_base is validated.
_RESERVED = frozenset({"api_base", "base_url", "model_list", "fallbacks", "custom_llm_provider"})
_API_BASE = "api_base"
PROVIDER = text(0, 64)


def normalized_auth_config(auth_config: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in their stored form: api_base stripped, and removed if it is blank."""
    normalized = dict(auth_config)
    if _API_BASE in normalized:
        normalized[_API_BASE] = normalized[_API_BASE].strip()
        if not normalized[_API_BASE]:
            del normalized[_API_BASE]
    return normalized


def _secret_value(values: Mapping[str, str], path: str) -> Iterator[Violation]:
    for key in sorted(values):
        field = entry(path, key)
        if not key:
            yield Violation("rules/empty-entry", field, "must not have an empty key")
        elif key in _RESERVED:
            yield Violation(
                "rules/reserved-key", field, "is reserved; put the provider's address into auth_config as api_base"
            )
        if not values[key]:
            yield Violation("rules/empty-entry", field, "must not have an empty value")
        yield from _no_nul(key, values[key], field)


def _auth_config(settings: Mapping[str, str], path: str) -> Iterator[Violation]:
    for key in sorted(settings):
        field = entry(path, key)
        if key in _RESERVED and key != _API_BASE:
            yield Violation("rules/reserved-key", field, "is reserved; give the provider's address as api_base")
        yield from _no_nul(key, settings[key], field)
    api_base = normalized_auth_config(settings).get(_API_BASE)
    if api_base is not None:
        yield from provider_address(api_base, entry(path, _API_BASE))


def allowed_address(request: Any, field: str, allowed: AllowedAddresses) -> Iterator[Violation]:
    """The address in the auth_config of a request, under what a server allows. It violates the rule without that.

    Args:
        request: a request with an auth_config.
        field: the path of the address.
        allowed: the hosts that the server allows.
    """
    yield from provider_address(normalized_auth_config(request.auth_config)[_API_BASE], field, allowed)


def no_nul_entries(entries: Mapping[str, str], path: str) -> Iterator[Violation]:
    """Entries without NUL characters."""
    for key in sorted(entries):
        yield from _no_nul(key, entries[key], entry(path, key))


def _no_nul(key: str, value: str, path: str) -> Iterator[Violation]:
    if "\0" in key or "\0" in value:
        yield Violation("rules/nul", path, "must not contain NUL characters")


SECRET_VALUE = small_map(_secret_value)
AUTH_CONFIG = small_map(_auth_config)

TABLES = {
    pb.CreateGatewaySecretRequest: Table(
        {
            "secret_name": required(NAME),
            "secret_value": required(small_map(_secret_value)),
            "provider": optional(PROVIDER),
            "auth_config": optional(small_map(_auth_config)),
            "created_by": optional(ACTOR),
            **CREATES,
        }
    ),
    pb.GetGatewaySecretInfoRequest: Table(
        {"secret_id": optional(SELECTOR), "secret_name": optional(SELECTOR)},
        across=[exactly_one("secret_id", "secret_name")],
    ),
    pb.UpdateGatewaySecretRequest: updates(
        Table(
            {
                "secret_id": required(IDENTIFIER),
                "secret_value": required_on_update(small_map(_secret_value)),
                "auth_config": clearable(small_map(_auth_config)),
                "updated_by": optional(ACTOR),
                **CHANGES,
            }
        )
    ),
    pb.DeleteGatewaySecretRequest: Table({"secret_id": required(IDENTIFIER), **CHANGES}),
    pb.ListGatewaySecretInfosRequest: Table(
        {"provider": optional(SELECTOR), "page_size": optional(PAGE_SIZE), "page_token": optional(PAGE_TOKEN)}
    ),
}

_SECRET = Table(
    {
        "secret_id": required(IDENTIFIER),
        "secret_name": required(NAME),
        "masked_values": optional(at_most(MAX_ENTRIES, "entries", no_nul_entries)),
        **TIMES,
        "provider": optional(PROVIDER),
        **ACTORS,
        "auth_config": optional(small_map(no_nul_entries)),
    }
)

RESOURCES: dict[type[Message], Table] = {pb.GatewaySecretInfo: _SECRET}
