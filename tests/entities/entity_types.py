"""The entities, found by reflection, and strategies for them."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from hypothesis import strategies as st

from gateway_entities import entities
from tests.messages import RESOURCES, is_map, scalars, unknown_fields

KINDS: list[Any] = [kind for kind in vars(entities).values() if isinstance(kind, type) and dataclasses.is_dataclass(kind)]
"""Every entity class."""


def public(kind: Any) -> list[str]:
    """Return the names of an entity's public fields, in order."""
    return [field.name for field in dataclasses.fields(kind) if not field.name.startswith("_")]


def message_type(kind: Any) -> Any:
    return RESOURCES[kind.__name__]


@functools.cache
def valid(kind: Any) -> st.SearchStrategy[Any]:
    """Return entities with any values that the wire can carry, except NaN, which is not equal to itself."""
    descriptor = message_type(kind).DESCRIPTOR
    values = {name: _values(kind, descriptor.fields_by_name[name]) for name in public(kind)}
    return st.builds(kind, **values, _unknown_fields=st.just(b"") | unknown_fields(descriptor))


def _values(kind: Any, field: FieldDescriptor) -> st.SearchStrategy[Any]:
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
