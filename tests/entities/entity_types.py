"""The entities, found by reflection, and strategies for them."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from gateway_entities import entities
from tests.messages import RESOURCES, full, is_map, scalars, unknown_fields, varint

KINDS: list[Any] = [kind for kind in vars(entities).values() if isinstance(kind, type) and dataclasses.is_dataclass(kind)]
"""Every entity class."""

# Field 100 as a varint of 1 in six bytes, its key in four; then group 101 with a field in it.
OVERLONG = varint(100 << 3, 2) + varint(1, 5) + varint(101 << 3 | 3) + varint(1 << 3) + varint(7, 3) + varint(101 << 3 | 4)


SECRET_KINDS = [
    kind for kind in KINDS if kind.__name__ in ("ResolvedGatewayModel", "ResolvedGatewayEndpoint", "GatewaySecretAssignment")
]
"""The entity classes with the values of secrets."""
PLAIN_KINDS = [kind for kind in KINDS if kind not in SECRET_KINDS]


def public(kind: Any) -> list[str]:
    """Return the names of an entity's fields, in order."""
    return [field.name for field in dataclasses.fields(kind)]


def filled(kind: Any) -> Any:
    """Return an entity with a value in every field, and with unknown fields."""
    message = full(message_type(kind))
    message.MergeFromString(OVERLONG)
    return kind.from_proto(message)


def message_type(kind: Any) -> Any:
    return RESOURCES[kind.__name__]


@functools.cache
def valid(kind: Any) -> st.SearchStrategy[Any]:
    """Return entities with any values that the wire can carry, except NaN, which is not equal to itself."""
    descriptor = message_type(kind).DESCRIPTOR
    values = {name: _values(kind, descriptor.fields_by_name[name]) for name in public(kind)}
    given = st.fixed_dictionaries(values).map(functools.partial(_one_of_each, descriptor))
    return st.builds(_build, st.just(kind), given, st.just(b"") | unknown_fields(descriptor))


def _one_of_each(descriptor: Descriptor, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with at most one of the fields of each oneof."""
    more = {
        name
        for oneof in descriptor.oneofs
        for name in [field.name for field in oneof.fields if values[field.name] is not None][1:]
    }
    return {name: None if name in more else value for name, value in values.items()}


def _build(kind: Any, values: dict[str, Any], unknown: bytes) -> Any:
    entity = kind(**values)
    entity._unknown_fields = unknown
    return entity


def _values(kind: Any, field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.GetOptions().debug_redact:
        return st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2).map(entities.SecretValue)
    if is_map(field):
        return st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2)
    if field.is_repeated:
        return st.lists(valid(getattr(entities, field.message_type.name)), max_size=3)
    return (st.none() | _one(field)) if "None" in kind.__annotations__[field.name] else _one(field)


def _one(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return valid(getattr(entities, field.message_type.name))
    if field.name == "resource_type":
        return st.sampled_from(list(entities.GatewayResourceType)) | scalars(field)
    if field.enum_type is not None:
        return st.sampled_from(list(getattr(entities, field.enum_type.name))) | scalars(field)
    if field.type == FieldDescriptor.TYPE_FLOAT:
        # Any number in range: the constructor rounds it to 32 bits.
        return st.floats(-3.4e38, 3.4e38) | st.sampled_from([float("inf"), -float("inf"), -0.0, 0.1, 1]) | st.integers()
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return st.floats(allow_nan=False)
    return scalars(field)
