"""Values of fields and extensions of messages, as lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.wire.schemas.model.signature import map_entry, message_of


def values_of(message: Message, field: FieldDescriptor) -> list[Any]:
    """Return the values of a field as a list: elements, map pairs, or the one value if present.

    A field without presence always has a value.
    """
    if not field.is_repeated and field.has_presence and not _has(message, field):
        return []
    value = value_of(message, field)
    if map_entry(field) is not None:
        return list(value.items())
    return list(value) if field.is_repeated else [value]


def value_of(message: Message, field: FieldDescriptor) -> Any:
    """Return the value of a field, or its default."""
    # The type stubs know extensions of generated modules only.
    return cast("Any", message).Extensions[field] if field.is_extension else getattr(message, field.name)


def put(message: Message, field: FieldDescriptor, values: Sequence[Any]) -> None:
    """Set a field from a list: map pairs, elements, or the single value."""
    if field.is_extension:
        cast("Any", message).ClearExtension(field)
    elif field.is_repeated:
        message.ClearField(field.name)
    entry = map_entry(field)
    if not field.is_repeated and message_of(field) is None:
        if field.is_extension:
            cast("Any", message).Extensions[field] = values[0]
        else:
            setattr(message, field.name, values[0])
        return
    target = value_of(message, field)
    if entry is not None and message_of(entry.fields_by_name["value"]) is not None:
        for key, value in values:
            target[key].CopyFrom(value)
    elif entry is not None:
        target.update(values)
    elif field.is_repeated:
        target.extend(values)
    else:
        target.CopyFrom(values[0])
        target.SetInParent()


def _has(message: Message, field: FieldDescriptor) -> bool:
    return bool(cast("Any", message).HasExtension(field) if field.is_extension else message.HasField(field.name))
