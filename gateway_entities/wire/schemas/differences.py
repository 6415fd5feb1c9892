"""Field-by-field differences between a message as written and as read under another schema."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.message import Message

from gateway_entities.wire.schemas.enum_value import Relation, relation
from gateway_entities.wire.schemas.report import DifferenceKind, DifferenceLevel, Direction
from gateway_entities.wire.schemas.signature import (
    NUMBERS,
    enum_of,
    map_entry,
    message_of,
    missing_fields,
    names_of,
    oneof_of,
    reserves_number,
    type_of,
)


class Mismatch(NamedTuple):
    """A field that is read differently than it was written, or a note about it.

    Attributes:
        kind: how it differs.
        subject: the full name of the field, oneof or enum value.
        message: the difference, as a sentence without its subject.
        number: the number of the field or enum value; 0 for a oneof.
        level: where it shows, if not at the level of the read mode.
    """

    kind: DifferenceKind
    subject: str
    message: str
    number: int
    level: DifferenceLevel | None = None


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
            if field.is_extension:
                continue
            other = self.reader_field(field, reader)
            yield from (
                self._unread(field, reader) if other is None else self._field(field, other, values_of(written, field), read)
            )

    def reader_field(self, field: FieldDescriptor, reader: Descriptor) -> FieldDescriptor | None:
        """Return the reader's field that receives the values of the writer's field."""
        if self.level is DifferenceLevel.BINARY:
            return reader.fields_by_number.get(field.number)
        key = field.name if self.proto_names else field.json_name
        by_key = next((f for f in reader.fields if f.json_name == key), None)
        return by_key or reader.fields_by_name.get(key)

    def _unread(self, field: FieldDescriptor, reader: Descriptor) -> Iterator[Mismatch]:
        moved, renamed = reader.fields_by_name.get(field.name), reader.fields_by_number.get(field.number)
        kind, message = DifferenceKind.LOST, "was removed: the reader ignores it"
        if moved is not None and self.level is DifferenceLevel.BINARY:
            message = f"has number {moved.number} for the reader, which ignores number {field.number}"
        elif renamed is not None or moved is not None:
            key = field.name if self.proto_names else field.json_name
            shown = renamed or moved
            message = f'is "{shown.json_name if shown else ""}" for the reader, which ignores "{key}"'
            message += " (in JSON with proto field names)" if self.proto_names else ""
        elif self.direction is Direction.OLD_READS_NEW:
            kind, message = DifferenceKind.NEW, "is new: old readers ignore it"
        elif self._retired(field, reader):
            kind, message = DifferenceKind.RETIRED, "is retired: the reader reserves it and ignores it"
        yield Mismatch(kind, field.full_name, message, field.number)

    def _retired(self, field: FieldDescriptor, reader: Descriptor) -> bool:
        described = DescriptorProto()
        reader.CopyToProto(described)
        if self.level is DifferenceLevel.JSON:
            return field.name in described.reserved_name
        return reserves_number(((r.start, r.end) for r in described.reserved_range), field.number)

    def _field(
        self, field: FieldDescriptor, other: FieldDescriptor, written: Sequence[Any], seen: Message
    ) -> Iterator[Mismatch]:
        read = values_of(seen, other)
        oneof = oneof_of(other)
        # Without presence the reader always has a value, if only the default.
        shows = bool(read) and (other.has_presence or other.is_repeated or read[0] != other.default_value)
        if self._is_another(field, other) and shows:
            message = f"is read as {other.name}, another field"
            yield Mismatch(DifferenceKind.MISREAD, field.full_name, message, field.number)
        elif not read and oneof is not None and seen.WhichOneof(oneof.name) is not None:
            message = f"holds one field at most: of {', '.join(f.name for f in oneof.fields)} the last one wins"
            yield Mismatch(DifferenceKind.LOST, oneof.full_name, message, 0)
        elif (enum := _enum_inside(field)) is not None and (reader_enum := _enum_inside(other)) is not None:
            yield from self._enum_values((field, enum, written), (other, reader_enum, read))
        elif not same_values(field, other, written, read) or self._other_json(field, other):
            misread = shows and len(read) >= len(written)
            kind = DifferenceKind.MISREAD if misread else DifferenceKind.LOST
            what = "sees another value" if misread else "sees fewer values" if shows else "does not see the value"
            message = f"is {type_name(field)} for the writer and {type_name(other)} for the reader, which {what}"
            yield Mismatch(kind, field.full_name, message, field.number)
        elif field.has_presence and not other.has_presence and not other.is_repeated and not shows:
            message = "has no presence for the reader: an explicit zero reads as absent"
            yield Mismatch(DifferenceKind.PRESENCE, field.full_name, message, field.number, DifferenceLevel.MEANING)

    def _other_json(self, field: FieldDescriptor, other: FieldDescriptor) -> bool:
        # Python reads true as 1.0 where other languages reject it.
        types = {field.type, other.type}
        is_json = self.level is DifferenceLevel.JSON
        return is_json and types <= NUMBERS and FieldDescriptor.TYPE_BOOL in types and len(types) > 1

    def _is_another(self, field: FieldDescriptor, other: FieldDescriptor) -> bool:
        """Return whether the reader's field with the same number is a different field, not a renamed one."""
        if self.level is DifferenceLevel.JSON or field.name == other.name:
            return False
        writer, reader = field.containing_type, other.containing_type
        name_exists = reader is not None and field.name in reader.fields_by_name
        return name_exists or (writer is not None and other.name in writer.fields_by_name)

    def _enum_values(
        self,
        writer: tuple[FieldDescriptor, EnumDescriptor, Sequence[Any]],
        reader: tuple[FieldDescriptor, EnumDescriptor, Sequence[Any]],
    ) -> Iterator[Mismatch]:
        (field, enum, written), (other, reader_enum, read) = writer, reader
        if (map_entry(field) is None) != (map_entry(other) is None):
            message = f"is {type_name(field)} for the writer and {type_name(other)} for the reader"
            yield Mismatch(DifferenceKind.LOST, field.full_name, message, field.number)
            return
        numbers, seen = _numbers(written), _numbers(read)
        found = [f for n in dict.fromkeys(numbers) if (f := self._enum_value(enum, n, reader_enum, seen)) is not None]
        yield from found
        if not found and not _same_enum_values(enum, reader_enum, (numbers, seen), self.level):
            message = f"is {type_name(field)} for the writer and {type_name(other)} for the reader, which loses part of it"
            yield Mismatch(DifferenceKind.LOST, field.full_name, message, field.number)

    def _enum_value(self, enum: EnumDescriptor, number: int, other: EnumDescriptor, read: Sequence[int]) -> Mismatch | None:
        found = relation(enum, number, other, self.level)
        preserved = number in read
        if found is Relation.SAME or (found is Relation.RENAMED and self.level is DifferenceLevel.BINARY and preserved):
            return None
        kind, message = DifferenceKind.LOST, "was removed: the reader ignores it"
        if found is Relation.OTHER and self.level is DifferenceLevel.BINARY:
            kind, message = DifferenceKind.MISREAD, f"is read as {' or '.join(sorted(names_of(other, number)))}"
        elif found in (Relation.OTHER, Relation.RENAMED):
            message = f"is {' or '.join(sorted(names_of(other, number)))} for the reader, which does not have this name"
        elif found is Relation.MOVED:
            message = f"has another number for the reader, which does not have {number}"
        elif self.direction is Direction.OLD_READS_NEW:
            kind, message = DifferenceKind.NEW, "is new: old readers do not have it"
        elif found is Relation.RESERVED or (preserved and self.level is DifferenceLevel.BINARY):
            kind, message = DifferenceKind.RETIRED, "is retired: the reader has no name for it"
        names = sorted(names_of(enum, number)) or [str(number)]
        return Mismatch(kind, f"{enum.full_name}.{names[0]}", message, number)


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
    names = {getattr(FieldDescriptor, n): n for n in dir(FieldDescriptor) if n.startswith("TYPE_")}
    return names[field.type].removeprefix("TYPE_").lower()


def values_of(message: Message, field: FieldDescriptor) -> list[Any]:
    """Return the values of a field as a list: elements, map pairs, or the one value if present.

    A field without presence always has a value.
    """
    value = getattr(message, field.name)
    if map_entry(field) is not None:
        return list(value.items())
    if field.is_repeated:
        return list(value)
    return [value] if not field.has_presence or message.HasField(field.name) else []


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
    pairs = [_pair(p, key, value) for p in written]
    seen = [_pair(p, other_key, other_value) for p in read]
    return all(any(_same(key, k, other_key, ok) and _same(value, v, other_value, ov) for ok, ov in seen) for k, v in pairs)


def _pair(entry: Any, key: FieldDescriptor, value: FieldDescriptor) -> tuple[Any, Any]:
    if isinstance(entry, tuple):
        return cast("tuple[Any, Any]", entry)
    return getattr(entry, key.name), getattr(entry, value.name)


def _same(field: FieldDescriptor, value: Any, other: FieldDescriptor, seen: Any) -> bool:
    if message_of(field) is not None:
        if message_of(other) is not None:
            return True
        return isinstance(seen, bytes) and other.type == other.TYPE_BYTES and value.SerializeToString() == seen
    if message_of(other) is not None:
        # Empty text or bytes and an empty message have the same bytes.
        return value in ("", b"") and seen.ByteSize() == 0
    if _is_number(field) and _is_number(other):
        return bool(value == seen or (field.type == field.TYPE_FLOAT and _as_float(seen) == value))
    if not {field.type, other.type} <= {field.TYPE_STRING, field.TYPE_BYTES}:
        return False
    # proto2 accepts text that is not UTF-8; Python returns it as bytes.
    return _octets(value) == _octets(seen) and isinstance(seen, bytes) == (other.type == other.TYPE_BYTES)


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


def _enum_inside(field: FieldDescriptor) -> EnumDescriptor | None:
    entry = map_entry(field)
    return enum_of(field if entry is None else entry.fields_by_name["value"])


def _numbers(values: Sequence[Any]) -> list[int]:
    return [value[1] if isinstance(value, tuple) else value for value in cast("Sequence[int | tuple[object, int]]", values)]


def _same_enum_values(
    enum: EnumDescriptor, other: EnumDescriptor, numbers: tuple[Sequence[int], Sequence[int]], level: DifferenceLevel
) -> bool:
    written, read = numbers
    if len(written) != len(read):
        return False
    if level is DifferenceLevel.BINARY:
        return list(written) == list(read)
    return all(a == b or names_of(enum, a) & names_of(other, b) for a, b in zip(written, read, strict=True))
