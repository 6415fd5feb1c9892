"""Validation rules: pure functions over messages, without a database, a network or a clock.

The comments of proto/ state the rules. Each request and resource has one table in its noun's module; the tables of responses
are derived from them. Rules that depend on stored data, such as whether an id exists, belong to the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from google.protobuf.message import Message

from gateway_entities.errors import GatewayError
from gateway_entities.rules import (
    address,
    binding,
    budget,
    change,
    configuration,
    convergence,
    endpoint,
    guardrail,
    model_definition,
    resolution,
    secret,
    spend,
)
from gateway_entities.rules.address import EVERY_ALLOWED, NONE_ALLOWED, AllowedAddresses
from gateway_entities.rules.bounds import MAX_MODELS
from gateway_entities.rules.budget import target_fault
from gateway_entities.rules.endpoint import linkage_faults
from gateway_entities.rules.responses import RESOURCES, RESPONSES
from gateway_entities.rules.secret import normalized_auth_config
from gateway_entities.rules.table import Field, Table
from gateway_entities.rules.violation import MAX_VIOLATIONS, Violation
from gatewayentities.v1 import endpoint_pb2

__all__ = [
    "EVERY_ALLOWED",
    "MAX_VIOLATIONS",
    "NONE_ALLOWED",
    "AllowedAddresses",
    "Violation",
    "check",
    "fields",
    "has_rules",
    "normalized_auth_config",
    "target_fault",
    "validate",
    "violations",
    "written_fields",
]

_TABLES: Mapping[type[Message], Table] = {
    **secret.TABLES,
    **model_definition.TABLES,
    **endpoint.TABLES,
    **binding.TABLES,
    **budget.TABLES,
    **spend.TABLES,
    **guardrail.TABLES,
    **change.TABLES,
    **resolution.TABLES,
    **configuration.TABLES,
    **convergence.TABLES,
    **RESOURCES,
    **RESPONSES,
}


def has_rules(message_type: type[Message]) -> bool:
    """Return whether a message type belongs to the contract, so that it has rules."""
    return message_type in _TABLES


def fields(message_type: type[Message]) -> Mapping[str, Field]:
    """Return the rule of every field of a message of the contract, by name.

    Args:
        message_type: the type of a request, response or resource.
    """
    return _TABLES[message_type].fields


def check(message: Message) -> list[Violation]:
    """Return all violations of a message, in the order of its fields; an empty list if it is valid.

    Args:
        message: a request, response or resource of the contract.

    Raises:
        TypeError: the message is none of them.
    """
    return list(_table(message).violations(message))


def violations(message: Message) -> Iterator[Violation]:
    """Yield all violations of a message, and then those that the server finds while it applies the request.

    Args:
        message: a request, response or resource of the contract.

    Raises:
        TypeError: the message is none of them.
    """
    yield from _table(message).violations(message)
    if (
        isinstance(message, endpoint_pb2.CreateGatewayEndpointRequest | endpoint_pb2.UpdateGatewayEndpointRequest)
        and len(message.model_configs) <= MAX_MODELS
    ):
        yield from linkage_faults(message.model_configs, "model_configs")


def validate(request: Message, allowed: AllowedAddresses = NONE_ALLOWED) -> None:
    """Raise for an invalid request.

    Args:
        request: the request.
        allowed: hosts of providers that need neither https nor a public address.

    Raises:
        GatewayError: INVALID_ARGUMENT with all violations, up to MAX_VIOLATIONS; the message says whether there are more.
        TypeError: the message is no request.
    """
    found = list(islice(_violations_under(request, allowed), MAX_VIOLATIONS + 1))
    if found:
        raise GatewayError.invalid(found[:MAX_VIOLATIONS], more=len(found) > MAX_VIOLATIONS)


def _violations_under(request: Message, allowed: AllowedAddresses) -> Iterator[Violation]:
    # The tables are the same for every server, so what one allows applies to the violations.
    for violation in _table(request).violations(request):
        if violation.rule == address.RULE:
            yield from secret.allowed_address(configuration.holder(request, violation.field), violation.field, allowed)
        else:
            yield violation


def written_fields(request: Message) -> frozenset[str]:
    """Return the names of the fields that an update writes or clears.

    These are the fields in its update_mask; without a mask, or with an empty one, the fields that are present. A returned
    field that the request lacks is to be cleared.

    Args:
        request: an update request.

    Raises:
        TypeError: the message is no request.
    """
    return _table(request).written(request)


def _table(message: Message) -> Table:
    table = _TABLES.get(type(message))
    if table is None:
        raise TypeError(f"{message.DESCRIPTOR.full_name} is not a message of the contract")
    return table
