"""The properties of a field that determine its encoding."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor, OneofDescriptor
from google.protobuf.descriptor_pb2 import FeatureSet, FieldDescriptorProto
from google.protobuf.message import Message

from gateway_entities.wire.schemas.model.described import (
    described_enum,
    described_fields,
    described_file,
    described_message,
)

# Enough for the types of one pair of messages; more would keep old schemas in memory.
_KEPT: Final = 256

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


def names_of(enum: EnumDescriptor, number: int) -> tuple[str, ...]:
    """Return the names of an enum number, aliases included, in the order of the schema; empty if undefined."""
    return enum_index(enum).names.get(number, ())


class EnumIndex(NamedTuple):
    """An enum's values, for look-ups.

    Attributes:
        names: the names of each number, aliases included, in the order of the schema.
        numbers: the number of each name.
        reserved_names: the reserved names.
        reserved_ranges: the reserved numbers as sorted half-open ranges.
    """

    names: Mapping[int, tuple[str, ...]]
    numbers: Mapping[str, int]
    reserved_names: frozenset[str]
    reserved_ranges: tuple[tuple[int, int], ...]


@lru_cache(_KEPT)
def enum_index(enum: EnumDescriptor) -> EnumIndex:
    """Return the index of an enum."""
    names: dict[int, tuple[str, ...]] = {}
    for value in enum.values:
        names[value.number] = (*names.get(value.number, ()), value.name)
    described = described_enum(enum)
    # Reserved ranges of enums include their end, those of messages do not.
    ranges = tuple(sorted((r.start, r.end + 1) for r in described.reserved_range))
    numbers = {value.name: value.number for value in enum.values}
    return EnumIndex(names, numbers, frozenset(described.reserved_name), ranges)


class Reserved(NamedTuple):
    """What a message or an enum reserves.

    Attributes:
        names: the reserved names.
        ranges: the reserved numbers as sorted half-open ranges.
    """

    names: frozenset[str]
    ranges: tuple[tuple[int, int], ...]


@lru_cache(_KEPT)
def reserved_of(message: Descriptor) -> Reserved:
    """Return what a message reserves."""
    described = described_message(message)
    return Reserved(frozenset(described.reserved_name), tuple(sorted((r.start, r.end) for r in described.reserved_range)))


def reserved_values(enum: EnumDescriptor) -> Reserved:
    """Return what an enum reserves."""
    index = enum_index(enum)
    return Reserved(index.reserved_names, index.reserved_ranges)


@lru_cache(_KEPT)
def _json_fields(message: Descriptor) -> Mapping[str, FieldDescriptor]:
    return {json_name(f): f for f in fields_of(message)}


@lru_cache(_KEPT)
def required_fields(message: Descriptor) -> tuple[FieldDescriptor, ...]:
    """Return the required fields of a message."""
    return tuple(f for f in message.fields if f.is_required)


@lru_cache(_KEPT)
def _known_extensions(message: Descriptor) -> Mapping[int, FieldDescriptor]:
    return {e.number: e for e in _pool(message).FindAllExtensions(message)}


def extensions_of(message: Descriptor) -> Mapping[int, FieldDescriptor]:
    """Return the extensions of a message that its pool knows, by number."""
    return _known_extensions(message) if message.is_extendable else {}


def _pool(message: Descriptor) -> Any:
    return message.file.pool


def json_name(field: FieldDescriptor) -> str:
    """Return the key of a field in JSON: for an extension, its full name in brackets."""
    return f"[{field.full_name}]" if field.is_extension else field.json_name


def json_key(field: FieldDescriptor, *, proto_names: bool) -> str:
    """Return the key that a field is written with."""
    return field.name if proto_names and not field.is_extension else json_name(field)


def fields_of(message: Descriptor) -> list[FieldDescriptor]:
    """Return the fields and the known extensions of a message."""
    return [*message.fields, *extensions_of(message).values()]


def field_numbered(message: Descriptor, number: int) -> FieldDescriptor | None:
    """Return the field or extension with a number."""
    return message.fields_by_number.get(number) or extensions_of(message).get(number)


def field_keyed(message: Descriptor, key: str) -> FieldDescriptor | None:
    """Return the field or extension that a key of JSON belongs to."""
    return _json_fields(message).get(key) or message.fields_by_name.get(key)


def inside_both(field: FieldDescriptor, other: FieldDescriptor) -> tuple[Descriptor, Descriptor] | None:
    """Return the message types in two fields: of their elements, or of the values of two maps. None for other fields."""
    entries = map_entry(field), map_entry(other)
    if (entries[0] is None) != (entries[1] is None):
        return None
    ours, theirs = message_of(value_field(field)), message_of(value_field(other))
    return None if ours is None or theirs is None else (ours, theirs)


def enums_inside(field: FieldDescriptor, other: FieldDescriptor) -> tuple[EnumDescriptor, EnumDescriptor] | None:
    """Return the enums in two fields: of their elements, or of the values of two maps. None for other fields."""
    entries = map_entry(field), map_entry(other)
    if (entries[0] is None) != (entries[1] is None):
        return None
    ours, theirs = enum_of(value_field(field)), enum_of(value_field(other))
    return None if ours is None or theirs is None else (ours, theirs)


def value_field(field: FieldDescriptor) -> FieldDescriptor:
    """Return the field of a map's values; any other field itself."""
    entry = map_entry(field)
    return field if entry is None else entry.fields_by_name["value"]


def signature(field: FieldDescriptor) -> tuple[object, ...]:
    """Return the properties that determine a field's encoding, except those of its message type or enum."""
    return (field.number, field.name, json_name(field), *shape(field))


def shape(field: FieldDescriptor) -> tuple[object, ...]:
    """Return the properties that determine how a field's values are encoded, whatever its name and number."""
    enum, entry, message = enum_of(field), map_entry(field), message_of(field)
    return (
        *(field.type, field.is_extension, field.is_repeated, field.is_required, field.has_presence),
        None if field.is_repeated or message is not None else repr(field.default_value),
        None if enum is None else (enum.full_name, enum.is_closed),
        None if message is None or entry is not None else message.full_name,
        None if entry is None else tuple(signature(f) for f in entry.fields),
        # A MessageSet has an encoding of its own for its extensions.
        field.is_extension and cast("Descriptor", field.containing_type).GetOptions().message_set_wire_format,
    )


def reserves_number(ranges: Sequence[tuple[int, int]], number: int) -> bool:
    """Return whether the sorted half-open ranges contain the number."""
    i = bisect_right(ranges, number, key=lambda r: r[0])
    return i > 0 and number < ranges[i - 1][1]


def file_of(field: FieldDescriptor) -> FileDescriptor:
    """Return the file that declares a field."""
    # The type stubs do not have the attribute.
    return cast("FileDescriptor", cast("Any", field).file)


def checks_text(field: FieldDescriptor) -> bool | None:
    """Return whether readers reject a field's text unless it is UTF-8; None for a field without text."""
    entry = map_entry(field)
    elements = (field,) if entry is None else tuple(entry.fields)
    if all(element.type != element.TYPE_STRING for element in elements):
        return None
    syntax, features = _syntax(file_of(field))
    if syntax != "editions":
        return syntax == "proto3"
    # The runtime's own options lack features. Only fields and files have this one; every edition checks by default.
    own = _described_field(field).options.features
    return bool((own.utf8_validation if own.HasField("utf8_validation") else features) != FeatureSet.NONE)


def _described_field(field: FieldDescriptor) -> FieldDescriptorProto:
    if not field.is_extension:
        return described_fields(cast("Descriptor", field.containing_type))[field.number]
    scope = field.extension_scope
    extensions = described_file(file_of(field)).extension if scope is None else described_message(scope).extension
    return next(each for each in extensions if each.name == field.name)


@lru_cache(_KEPT)
def _syntax(file: FileDescriptor) -> tuple[str, int]:
    described = described_file(file)
    return described.syntax, described.options.features.utf8_validation
