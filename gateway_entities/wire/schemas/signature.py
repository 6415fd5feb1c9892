"""The properties of a field that determine its encoding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.message import Message

INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SINT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}
"""The minimum and maximum of each integer type."""

NUMBERS = {*INTEGERS, FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE}
MESSAGES = {FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_GROUP}


def type_of(message: Message) -> Descriptor:
    """Return the type of a message."""
    # The type stubs give the runtime's descriptor another class than the public one.
    return cast("Descriptor", message.DESCRIPTOR)


def missing_fields(message: Message) -> list[str]:
    """Return the paths of required fields that are missing."""
    # Every message class has this method; the base class in the type stubs does not.
    return list(cast("Any", message).FindInitializationErrors())


def message_of(field: FieldDescriptor) -> Descriptor | None:
    """Return the message type of a message or map field; None for others."""
    return field.message_type if field.type in MESSAGES else None


def enum_of(field: FieldDescriptor) -> EnumDescriptor | None:
    """Return the enum of an enum field; None for others."""
    return field.enum_type if field.type == FieldDescriptor.TYPE_ENUM else None


def map_entry(field: FieldDescriptor) -> Descriptor | None:
    """Return the entry type of a map field; None for others."""
    entry = message_of(field)
    return entry if entry is not None and entry.GetOptions().map_entry else None


def oneof_of(field: FieldDescriptor) -> OneofDescriptor | None:
    """Return the oneof that a field shares with others; None if it has none."""
    oneof = field.containing_oneof
    return oneof if oneof is not None and len(oneof.fields) > 1 else None


def names_of(enum: EnumDescriptor, number: int) -> set[str]:
    """Return the names of an enum number, aliases included; empty if undefined."""
    return {value.name for value in enum.values if value.number == number}


def inside_both(field: FieldDescriptor, other: FieldDescriptor) -> tuple[Descriptor, Descriptor] | None:
    """Return the message types of two fields to compare as a pair: both messages, or both maps. None for other fields."""
    ours, theirs = message_of(field), message_of(other)
    if ours is None or theirs is None or (map_entry(field) is None) != (map_entry(other) is None):
        return None
    return ours, theirs


def signature(field: FieldDescriptor) -> tuple[object, ...]:
    """Return the properties that determine a field's encoding, except those of its message type."""
    enum, entry, oneof = enum_of(field), map_entry(field), oneof_of(field)
    return (
        *(field.number, field.name, field.json_name, field.type),
        *(field.is_repeated, field.is_required, field.has_presence),
        None if field.is_repeated or message_of(field) is not None else repr(field.default_value),
        None if enum is None else (enum.is_closed, tuple((v.name, v.number) for v in enum.values)),
        None if entry is None else tuple(signature(f) for f in entry.fields),
        () if oneof is None else tuple(sorted((f.number, f.name) for f in oneof.fields)),
    )


def reserves_number(numbers: Iterable[tuple[int, int]], number: int) -> bool:
    """Return whether the half-open ranges contain the number."""
    return any(start <= number < end for start, end in numbers)
