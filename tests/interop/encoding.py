"""Deterministic encoding of a message: the order of map entries, and its unknown fields.

The contract's order is that of testee.proto: fields by number, map entries by key, unknown fields last and unchanged. A
Writing describes where a runtime's deterministic encoder differs, so that its bytes can be predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.messages import is_map, varint


def by_code_point(key: str) -> Any:
    return key


def as_they_came(unknown: bytes) -> bytes:
    return unknown


@dataclass(frozen=True)
class Writing:
    """How a runtime encodes.

    Attributes:
        keys: sort key of map keys.
        unknown: converts the unknown fields of one message.
        whole_entries: whether map entries include an empty key and value.
    """

    keys: Callable[[str], Any] = by_code_point
    unknown: Callable[[bytes], bytes] = as_they_came
    whole_entries: bool = True


CONTRACT = Writing()


def written(message: Message, writing: Writing = CONTRACT) -> bytes:
    """Return the encoded message."""
    return b"".join(_parts(message, writing))


def has_maps(message: Message) -> bool:
    """Return whether a message has a map with two or more entries at any depth, so that its encodings may differ."""
    for field, value in message.ListFields():
        if is_map(field):
            if len(value) > 1:
                return True
        elif field.message_type is not None and any(map(has_maps, value if field.is_repeated else [value])):
            return True
    return False


def _parts(message: Message, writing: Writing) -> Iterator[bytes]:
    rest = type(message)()
    rest.CopyFrom(message)
    for field, value in message.ListFields():
        rest.ClearField(field.name)
        if is_map(field):
            for key in sorted(value, key=writing.keys):
                yield _entry(field, key, value[key], writing)
        elif field.message_type is not None:
            for item in value if field.is_repeated else [value]:
                data = written(item, writing)
                yield varint(field.number << 3 | 2) + varint(len(data)) + data
        else:
            yield _scalar(type(message)(), field, value)
    yield writing.unknown(rest.SerializeToString())


def _entry(field: FieldDescriptor, key: Any, value: Any, writing: Writing) -> bytes:
    if not writing.whole_entries:
        # A separately created entry omits empty fields, like any message.
        data = field.message_type._concrete_class(key=key, value=value).SerializeToString()
        return varint(field.number << 3 | 2) + varint(len(data)) + data
    one = field.containing_type._concrete_class()
    getattr(one, field.name)[key] = value
    return one.SerializeToString()


def _scalar(one: Message, field: FieldDescriptor, value: Any) -> bytes:
    if field.is_repeated:
        getattr(one, field.name).extend(value)
    else:
        setattr(one, field.name, value)
    return one.SerializeToString()


@dataclass(frozen=True)
class Unknown:
    """One unknown field, as a runtime decodes it."""

    number: int
    wire_type: int
    payload: bytes
    """The value with minimal varints; for a length-delimited field without its length, for a group its fields."""
    source: bytes = b""
    """The original bytes after the tag."""

    @property
    def data(self) -> bytes:
        tag = varint(self.number << 3 | self.wire_type)
        if self.wire_type == 2:
            return tag + varint(len(self.payload)) + self.payload
        return tag + self.payload + (varint(self.number << 3 | 4) if self.wire_type == 3 else b"")


def unknown_fields(data: bytes) -> list[Unknown]:
    """Decode the unknown fields of one message, with minimal varints."""
    found, rest = _fields(data, 0)
    assert rest == len(data)
    return found


def with_short_tags(data: bytes) -> bytes:
    """Encode unknown fields in their original order and form, with minimal tags."""
    return b"".join(varint(field.number << 3 | field.wire_type) + field.source for field in unknown_fields(data))


def minimal(data: bytes) -> bytes:
    """Encode unknown fields in their original order, with minimal varints."""
    return b"".join(field.data for field in unknown_fields(data))


def _fields(data: bytes, position: int) -> tuple[list[Unknown], int]:
    found: list[Unknown] = []
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 4:
            break
        start = position
        if wire_type == 0:
            value, position = _varint(data, position)
            payload = varint(value)
        elif wire_type == 3:
            inner, position = _fields(data, position)
            payload = b"".join(field.data for field in inner)
        else:
            length = {1: 8, 5: 4}.get(wire_type)
            if length is None:
                length, position = _varint(data, position)
            payload, position = data[position : position + length], position + length
        found.append(Unknown(number, wire_type, payload, data[start:position]))
    return found, position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value, shift, position = value | (byte & 0x7F) << shift, shift + 7, position + 1
        if byte < 0x80:
            return value & (2**64 - 1), position
