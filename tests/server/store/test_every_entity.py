"""Every field of every entity survives a round trip through the store.

The values come from the descriptors, so a new field is tested without a line here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway_entities import (
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewaySecretInfo,
)
from gateway_entities.entities.base import Entity
from gateway_entities.methods import METHODS
from tests.stores import KINDS, Place, postgresql_place, sqlite_place

_FLOATS = {FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}
# Scope GLOBAL, the first one, needs no target.
_IDS = {
    "secret_id": "s-1",
    "secret_name": "secret",
    "endpoint_id": "e-1",
    "model_definition_id": "d-1",
    "guardrail_id": "gr-1",
    "action_endpoint_id": "e-1",
}


def filled(message: Any) -> Any:
    """Fill all fields recursively; fields with the same name have the same value, so that references match."""
    for number, field in enumerate(message.DESCRIPTOR.fields, start=1):
        value = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value[field.name] = f"a {field.name}"
        elif field.message_type is not None:
            filled(value.add() if field.is_repeated else value)
        else:
            setattr(message, field.name, _scalar(field, number))
    return message


def _scalar(field: FieldDescriptor, number: int) -> Any:
    if field.enum_type is not None:
        return min(value.number for value in field.enum_type.values if value.number)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _IDS.get(field.name, f"a {field.name}")
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    return number / 4 if field.type in _FLOATS else number


def entity(kind: type[Entity[Any]]) -> Any:
    return kind.from_proto(filled(kind._message()))


def differences(sent: Message, stored: Message, path: str) -> Iterator[str]:
    """Return the names of the fields in which two messages of one type differ."""
    for field in sent.DESCRIPTOR.fields:
        before, after, where = getattr(sent, field.name), getattr(stored, field.name), f"{path}.{field.name}"
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            if before != after:
                yield f"{where}: stored {before!r}, read {after!r}"
        elif not field.is_repeated:
            yield from differences(before, after, where)
        elif len(before) != len(after):
            yield f"{where}: stored {len(before)}, read {len(after)}"
        else:
            for position, pair in enumerate(zip(before, after, strict=True)):
                yield from differences(*pair, f"{where}[{position}]")


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        yield sqlite_place(tmp_path / "gateway.sqlite")
    else:
        with postgresql_place(request.getfixturevalue("postgresql"), tmp_path / "key", with_tables=True) as made:
            yield made


def test_every_field_survives(place: Place) -> None:
    secret, definition = entity(GatewaySecretInfo), entity(GatewayModelDefinition)
    endpoint, binding, policy = entity(GatewayEndpoint), entity(GatewayEndpointBinding), entity(GatewayBudgetPolicy)
    guardrail, config = entity(GatewayGuardrail), entity(GatewayGuardrailConfig)
    config.guardrail = guardrail
    created = {
        method.response_type.DESCRIPTOR.fields[0].message_type.name
        for method in METHODS
        if method.name.startswith(("Create", "Add"))
    }
    assert {type(each).__name__ for each in (secret, definition, endpoint, binding, policy, guardrail, config)} == created
    store = place.open()
    with store.write() as transaction:
        transaction.secrets.add(secret, {"api_key": "sk-0123456789"})
        # The endpoint's mapping contains the same definition.
        transaction.model_definitions.add(endpoint.model_mappings[0].model_definition)
        transaction.endpoints.add(endpoint)
        transaction.bindings.add(binding)
        transaction.budget_policies.add(policy)
        transaction.guardrails.add(guardrail)
        transaction.guardrail_configs.add(config)
    store.close()
    store = place.open()
    with store.read() as transaction:
        stored = [
            (secret, transaction.secrets.list()),
            (definition, transaction.model_definitions.list()),
            (endpoint, transaction.endpoints.list()),
            (binding, transaction.bindings.list()),
            (policy, transaction.budget_policies.list()),
            (guardrail, transaction.guardrails.list()),
            (config, transaction.guardrail_configs.list()),
        ]
    store.close()
    faults = [
        fault for sent, (read,) in stored for fault in differences(sent.to_proto(), read.to_proto(), type(sent).__name__)
    ]
    assert not faults, "\n".join(["", *faults])
