"""Rules of responses: the limits of requests and resources, applied to what a server returns.

Data of a newer version is valid, except that an enum number it added is a ``schema/enum`` finding.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from google.protobuf.message import Message

from gateway_entities.rules import (
    binding,
    budget,
    change,
    configuration,
    convergence,
    endpoint,
    guardrail,
    model_definition,
    mutation,
    resolution,
    secret,
    spend,
)
from gateway_entities.rules.table import Field, Table, each, nested, optional, required
from gateway_entities.rules.values import anything, text, whole
from gatewayentities.v1 import (
    binding_pb2,
    budget_pb2,
    change_pb2,
    configuration_pb2,
    convergence_pb2,
    endpoint_pb2,
    guardrail_pb2,
    model_definition_pb2,
    resolution_pb2,
    secret_pb2,
    spend_pb2,
)

RESOURCES: dict[type[Message], Table] = {
    **secret.RESOURCES,
    **model_definition.RESOURCES,
    **endpoint.RESOURCES,
    **binding.RESOURCES,
    **budget.RESOURCES,
    **spend.RESOURCES,
    **guardrail.RESOURCES,
    **change.RESOURCES,
    **resolution.RESOURCES,
    **configuration.RESOURCES,
    **convergence.RESOURCES,
}

_PLAIN = {"next_page_token": text(0), "etag": mutation.ETAG, "revision": whole(0), "saturated": anything}
"""Rules of the scalar fields of responses, by name. Others may have any value."""

_ABSENT: Mapping[type[Message], Collection[str]] = {spend_pb2.ReserveGatewaySpendResponse: ("reservation", "refusal")}
"""Resources that a response may be without."""


def _response(response_type: type[Message]) -> Table:
    """Return the rules of a response: its resources are present and valid."""
    tables = {kind.DESCRIPTOR.full_name: table for kind, table in RESOURCES.items()}
    fields: dict[str, Field] = {}
    for field in response_type.DESCRIPTOR.fields:
        if field.message_type is None:
            fields[field.name] = optional(_PLAIN.get(field.name, anything))
        else:
            rule = nested(tables[field.message_type.full_name])
            is_optional = field.is_repeated or field.name in _ABSENT.get(response_type, ())
            fields[field.name] = optional(each(rule) if field.is_repeated else rule) if is_optional else required(rule)
    return Table(fields)


CONTRACT_FILES: Final = (
    secret_pb2,
    model_definition_pb2,
    endpoint_pb2,
    guardrail_pb2,
    binding_pb2,
    budget_pb2,
    spend_pb2,
    change_pb2,
    configuration_pb2,
    resolution_pb2,
    convergence_pb2,
)
"""The generated modules of the contract's files."""
RESPONSES: dict[type[Message], Table] = {
    getattr(file, name): _response(getattr(file, name))
    for file in CONTRACT_FILES
    for name in file.DESCRIPTOR.message_types_by_name
    if name.endswith("Response")
}
