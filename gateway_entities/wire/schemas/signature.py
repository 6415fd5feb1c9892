"""What of a field decides how it is written and read."""

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
"""The least and the greatest value of each integer type."""

NUMBERS = {*INTEGERS, FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE}
MESSAGES = {FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_GROUP}


def type_of(message: Message) -> Descriptor:
    """Return the type of a message."""
    # The stubs tell the runtime's own descriptor class from the public one; it is the same.
    return cast("Descriptor", message.DESCRIPTOR)


def missing_fields(message: Message) -> list[str]:
    """Return the paths of required fields that are missing."""
    # Every message class of every runtime has it; the stubs' base class does not.
    return list(cast("Any", message).FindInitializationErrors())


def message_of(field: FieldDescriptor) -> Descriptor | None:
    """Return the message type of a field that holds messages or is a map."""
    return field.message_type if field.type in MESSAGES else None


def enum_of(field: FieldDescriptor) -> EnumDescriptor | None:
    """Return the enum of a field that holds its values."""
    return field.enum_type if field.type == FieldDescriptor.TYPE_ENUM else None


def map_entry(field: FieldDescriptor) -> Descriptor | None:
    """Return the entry message of a map field."""
    entry = message_of(field)
    return entry if entry is not None and entry.GetOptions().map_entry else None


def oneof_of(field: FieldDescriptor) -> OneofDescriptor | None:
    """Return the oneof of a field, if other fields share it."""
    oneof = field.containing_oneof
    return oneof if oneof is not None and len(oneof.fields) > 1 else None


def names_of(enum: EnumDescriptor, number: int) -> set[str]:
    """Return the names of a value, aliases included; empty if the enum does not define the number."""
    return {value.name for value in enum.values if value.number == number}


def inside_both(field: FieldDescriptor, other: FieldDescriptor) -> tuple[Descriptor, Descriptor] | None:
    """Return the message types of two fields that both hold messages, or are both maps: they are compared as a pair.

    A map against a list of entries is None: it is compared where it stands.
    """
    ours, theirs = message_of(field), message_of(other)
    if ours is None or theirs is None or (map_entry(field) is None) != (map_entry(other) is None):
        return None
    return ours, theirs


def signature(field: FieldDescriptor) -> tuple[object, ...]:
    """Return what decides how a field is written and read, without what its message type decides."""
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
    """Return whether ranges, the end excluded, hold the number."""
    return any(start <= number < end for start, end in numbers)
