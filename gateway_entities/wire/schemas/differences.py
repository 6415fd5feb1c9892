"""Field-by-field differences between a message as written and as read under another schema."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message

from gateway_entities.wire.schemas.model.signature import (
    NUMBERS,
    enum_of,
    enums_inside,
    field_keyed,
    field_numbered,
    json_key,
    json_name,
    map_entry,
    message_of,
    missing_fields,
    oneof_of,
    reserved_of,
    reserves_number,
    type_of,
)
from gateway_entities.wire.schemas.pairing.enum_value import Relation, relation
from gateway_entities.wire.schemas.proof.content import values_of
from gateway_entities.wire.schemas.report import DifferenceKind, DifferenceLevel, Direction, Element

_TYPE_NAMES: Final[Mapping[int, str]] = {
    number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()
}


class Mismatch(NamedTuple):
    """A field that is read differently than it was written, or a note about it.

    Attributes:
        kind: how it differs.
        subject: the full name of the field, oneof or enum value.
        message: the difference, as a sentence without its subject.
        number: the number of the field or enum value; 0 for a oneof.
        level: where it shows, if not at the level of the read mode.
        element: what the subject is.
    """

    kind: DifferenceKind
    subject: str
    message: str
    number: int
    level: DifferenceLevel | None = None
    element: Element = Element.FIELD


@dataclass(frozen=True, slots=True)
class ReadMode:
    """How a message travels from writer to reader.

    Attributes:
        direction: which of the two has the old schema.
        level: BINARY or JSON.
        proto_names: whether JSON has the field names of the proto, rather than lowerCamelCase.
    """

    direction: Direction
    level: DifferenceLevel
    proto_names: bool = False

    def mismatches(self, written: Message, read: Message) -> Iterator[Mismatch]:
        """Yield the differences between a message as written and as read.

        Args:
            written: the message in the writer's schema.
            read: the same message in the reader's schema.
        """
        reader = type_of(read)
        for name in missing_fields(read):
            # Missing fields of nested messages are reported for their own type.
            if "." not in name:
                field = _writer_field(reader.fields_by_name[name], type_of(written))
                message = "is required by the reader and missing"
                yield Mismatch(DifferenceKind.REJECTED, field.full_name, message, field.number)
        for field, _ in written.ListFields():
            other = self.reader_field(field, reader)
            yield from (
                self._unread(field, reader) if other is None else self._field(field, other, values_of(written, field), read)
            )

    def reader_field(self, field: FieldDescriptor, reader: Descriptor) -> FieldDescriptor | None:
        """Return the reader's field that receives the values of the writer's field."""
        if self.level is DifferenceLevel.JSON:
            return field_keyed(reader, json_key(field, proto_names=self.proto_names))
        return field_numbered(reader, field.number)

    def _unread(self, field: FieldDescriptor, reader: Descriptor) -> Iterator[Mismatch]:
        moved, renamed = named_like(field, reader), field_numbered(reader, field.number)
        kind, message = DifferenceKind.LOST, "was removed: the reader ignores it"
        if moved is not None and self.level is DifferenceLevel.BINARY:
            message = f"has number {moved.number} for the reader, which ignores number {field.number}"
        elif renamed is not None or moved is not None:
            key = json_key(field, proto_names=self.proto_names)
            shown = renamed or moved
            message = f'is "{json_name(shown) if shown else ""}" for the reader, which ignores "{key}"'
            message += " (in JSON with proto field names)" if self.proto_names else ""
        elif self.direction is Direction.OLD_READS_NEW:
            kind, message = DifferenceKind.NEW, "is new: old readers ignore it"
        elif self._retired(field, reader):
            kind, message = DifferenceKind.RETIRED, "is retired: the reader reserves it and ignores it"
        yield Mismatch(kind, field.full_name, message, field.number, None, element_of(field))

    def _retired(self, field: FieldDescriptor, reader: Descriptor) -> bool:
        reserved = reserved_of(reader)
        if self.level is DifferenceLevel.JSON:
            return field.name in reserved.names
        return reserves_number(reserved.ranges, field.number)

    def _field(
        self, field: FieldDescriptor, other: FieldDescriptor, written: Sequence[Any], seen: Message
    ) -> Iterator[Mismatch]:
        read = values_of(seen, other)
        oneof = oneof_of(other)
        # Without presence the reader always has a value, if only the default.
        shows = bool(read) and (other.has_presence or other.is_repeated or read[0] != other.default_value)
        if self._is_another(field, other) and shows:
            message = f"is read as {other.name}, another field"
            yield Mismatch(DifferenceKind.MISREAD, field.full_name, message, field.number, None, element_of(field))
        elif not read and oneof is not None and seen.WhichOneof(oneof.name) is not None:
            message = f"holds one field at most: of {', '.join(f.name for f in oneof.fields)} the last one wins"
            yield Mismatch(DifferenceKind.LOST, oneof.full_name, message, 0, None, Element.ONEOF)
        elif not self._same_values((field, written), (other, read)) or self._other_json(field, other):
            misread = shows and len(read) >= len(written)
            kind = DifferenceKind.MISREAD if misread else DifferenceKind.LOST
            what = "sees another value" if misread else "sees fewer values" if shows else "does not see the value"
            message = f"is {type_name(field)} for the writer and {type_name(other)} for the reader, which {what}"
            yield Mismatch(kind, field.full_name, message, field.number, None, element_of(field))
        elif field.has_presence and not other.has_presence and not other.is_repeated and not shows:
            message = "has no presence for the reader: an explicit zero reads as absent"
            yield Mismatch(
                DifferenceKind.PRESENCE, field.full_name, message, field.number, DifferenceLevel.MEANING, element_of(field)
            )

    def _other_json(self, field: FieldDescriptor, other: FieldDescriptor) -> bool:
        # Python reads true as 1.0 where other languages reject it.
        types = {field.type, other.type}
        is_json = self.level is DifferenceLevel.JSON
        return is_json and types <= NUMBERS and FieldDescriptor.TYPE_BOOL in types and len(types) > 1

    def _is_another(self, field: FieldDescriptor, other: FieldDescriptor) -> bool:
        """Return whether the reader's field is a different field, not a renamed or renumbered one."""
        if field.name == other.name:
            return False
        if self.level is DifferenceLevel.JSON and field.number != other.number:
            return True
        # With one number, either name belongs to another field on the other side.
        return named_like(field, other.containing_type) is not None or named_like(other, field.containing_type) is not None

    def _same_values(
        self, writer: tuple[FieldDescriptor, Sequence[Any]], reader: tuple[FieldDescriptor, Sequence[Any]]
    ) -> bool:
        (field, written), (other, read) = writer, reader
        enums = enums_inside(field, other)
        if enums is None:
            return same_values(field, other, written, read)
        return _same_enum_values(enums, (_numbers(written), _numbers(read)), self.level)


def element_of(field: FieldDescriptor) -> Element:
    """Return whether a field is one of its message or an extension of it."""
    return Element.EXTENSION if field.is_extension else Element.FIELD


def named_like(field: FieldDescriptor, message: Descriptor | None) -> FieldDescriptor | None:
    """Return the field of a message that has a field's name; for an extension, the extension with its full name."""
    if message is None:
        return None
    if not field.is_extension:
        return message.fields_by_name.get(field.name)
    return field_keyed(message, json_name(field))


def _writer_field(field: FieldDescriptor, writer: Descriptor) -> FieldDescriptor:
    return writer.fields_by_number.get(field.number) or writer.fields_by_name.get(field.name) or field


def type_name(field: FieldDescriptor) -> str:
    """Return the type of a field in proto syntax."""
    entry = map_entry(field)
    if entry is not None:
        return f"map<{type_name(entry.fields_by_name['key'])}, {_element_name(entry.fields_by_name['value'])}>"
    return f"repeated {_element_name(field)}" if field.is_repeated else _element_name(field)


def _element_name(field: FieldDescriptor) -> str:
    named = message_of(field) or enum_of(field)
    if named is not None:
        return named.name
    return _TYPE_NAMES[field.type]


def same_values(field: FieldDescriptor, other: FieldDescriptor, written: Sequence[Any], read: Sequence[Any]) -> bool:
    """Return whether the values read equal the values written.

    Nested messages count as equal: their types are compared separately.
    """
    if len(written) != len(read):
        return False
    if map_entry(field) is not None or map_entry(other) is not None:
        return _same_entries(field, other, written, read)
    return all(_same(field, value, other, seen) for value, seen in zip(written, read, strict=True))


def _same_entries(field: FieldDescriptor, other: FieldDescriptor, written: Sequence[Any], read: Sequence[Any]) -> bool:
    ours, theirs = message_of(field), message_of(other)
    if ours is None or theirs is None:
        return False
    sides = [(t.fields_by_number.get(1), t.fields_by_number.get(2)) for t in (ours, theirs)]
    (key, value), (other_key, other_value) = sides
    if key is None or value is None or other_key is None or other_value is None:
        return False
    if any(each.is_repeated for each in (key, value, other_key, other_value)):
        return False
    pairs = [_pair(p, key, value) for p in written]
    seen = [_pair(p, other_key, other_value) for p in read]
    return all(any(_same(key, k, other_key, ok) and _same(value, v, other_value, ov) for ok, ov in seen) for k, v in pairs)


def _pair(entry: Any, key: FieldDescriptor, value: FieldDescriptor) -> tuple[Any, Any]:
    if isinstance(entry, tuple):
        return cast("tuple[Any, Any]", entry)
    return getattr(entry, key.name), getattr(entry, value.name)


def _same(field: FieldDescriptor, value: Any, other: FieldDescriptor, seen: Any) -> bool:
    if message_of(field) is not None and message_of(other) is not None:
        return True
    # In JSON a wrapper is the value that it holds.
    if (wrapped := _wrapped(field)) is not None:
        return _same(wrapped, value.value, other, seen)
    if (wrapped := _wrapped(other)) is not None:
        return _same(field, value, wrapped, seen.value)
    return _same_plain(field, value, other, seen)


def _same_plain(field: FieldDescriptor, value: Any, other: FieldDescriptor, seen: Any) -> bool:
    """Compare values of which at most one is a message."""
    if message_of(field) is not None:
        return isinstance(seen, bytes) and other.type == other.TYPE_BYTES and value.SerializePartialToString() == seen
    if message_of(other) is not None:
        # Empty text or bytes and an empty message have the same bytes.
        return value in ("", b"") and not seen.SerializePartialToString()
    if _is_number(field) and _is_number(other):
        return bool(value == seen or (field.type == field.TYPE_FLOAT and _as_float(seen) == value))
    if not {field.type, other.type} <= {field.TYPE_STRING, field.TYPE_BYTES}:
        return False
    # proto2 accepts text that is not UTF-8; Python returns it as bytes.
    return _octets(value) == _octets(seen) and isinstance(seen, bytes) == (other.type == other.TYPE_BYTES)


def _wrapped(field: FieldDescriptor) -> FieldDescriptor | None:
    message = message_of(field)
    is_wrapper = message is not None and message.file.name == "google/protobuf/wrappers.proto"
    return message.fields_by_name["value"] if message is not None and is_wrapper else None


def _is_number(field: FieldDescriptor) -> bool:
    return field.type in NUMBERS or field.type == FieldDescriptor.TYPE_ENUM


def _as_float(number: float) -> float | None:
    # JSON has the shortest decimal of a 32-bit float; a 64-bit reader gets that decimal.
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return None


def _octets(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _numbers(values: Sequence[Any]) -> list[int]:
    return [value[1] if isinstance(value, tuple) else value for value in cast("Sequence[int | tuple[object, int]]", values)]


def _same_enum_values(
    enums: tuple[EnumDescriptor, EnumDescriptor], numbers: tuple[Sequence[int], Sequence[int]], level: DifferenceLevel
) -> bool:
    """Return whether as many values were read. Whether each is the same value is compared for the enums themselves."""
    (enum, other), (written, read) = enums, numbers
    same = [n for n in written if relation(enum, n, other, level) is Relation.SAME]
    return len(same) < len(written) or len(read) == len(written)
