"""What only some readers take: numbers of enums without a name, and text that is not UTF-8."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire.schemas.differences import Mismatch, ReadMode, element_of
from gateway_entities.wire.schemas.model.signature import (
    checks_text,
    enum_index,
    enums_inside,
    field_numbered,
    fields_of,
    map_entry,
)
from gateway_entities.wire.schemas.proof.examples import contents, message_with, minimal
from gateway_entities.wire.schemas.report import DifferenceKind, Direction

_INVALID: Final = b"\xff"


def openness(writer: Descriptor, reader: Descriptor, mode: ReadMode) -> Iterator[tuple[Message, Mismatch]]:
    """Yield messages with a number that neither enum names, for each field whose enum is closed for the reader only."""
    for field in fields_of(writer):
        other = mode.reader_field(field, reader)
        enums = None if other is None else enums_inside(field, other)
        if enums is None or enums[0].is_closed or not enums[1].is_closed:
            continue
        number = 1 + max((*enum_index(enums[0]).names, *enum_index(enums[1]).names))
        if number > 2**31 - 1:
            continue
        values = contents(field)[0]
        unnamed = [(key, number) for key, _ in values] if map_entry(field) is not None else [number]
        # Old readers never know what is new.
        kind = DifferenceKind.NEW if mode.direction is Direction.OLD_READS_NEW else DifferenceKind.LOST
        text = "is an open enum for the writer and a closed one for the reader, which ignores numbers without a name"
        yield (
            message_with(writer, {field: unnamed}),
            Mismatch(kind, field.full_name, text, field.number, None, element_of(field)),
        )


def raw_text(writer: Descriptor, reader: Descriptor) -> Iterator[tuple[Message, Mismatch]]:
    """Yield messages with bytes that are not UTF-8, for each text that only the reader checks."""
    for field in fields_of(writer):
        other = field_numbered(reader, field.number)
        if other is None or checks_text(other) is not True or checks_text(field) is not False:
            continue
        message = minimal(writer)
        try:
            message.MergeFromString(_raw(field))
        except (DecodeError, UnicodeError):
            # The pure Python runtime checks text in every syntax.
            continue
        if not _accepts(reader, message):
            text = "is text that the writer does not check and the reader rejects unless it is UTF-8"
            yield message, Mismatch(DifferenceKind.REJECTED, field.full_name, text, field.number, None, element_of(field))


def skips_text(old: Descriptor, new: Descriptor) -> bool:
    """Return whether only one of two messages checks a text, which this runtime cannot show."""
    if api_implementation.Type() != "python":
        return False
    others = ((field, field_numbered(new, field.number)) for field in fields_of(old))
    return any({checks_text(field), checks_text(other)} == {True, False} for field, other in others if other is not None)


def _accepts(reader: Descriptor, message: Message) -> bool:
    try:
        GetMessageClass(reader)().MergeFromString(message.SerializePartialToString())
    except (DecodeError, UnicodeError):
        return False
    return True


def _raw(field: FieldDescriptor) -> bytes:
    entry = map_entry(field)
    if entry is None:
        return _record(field.number, _INVALID)
    value = entry.fields_by_name["value"]
    return _record(field.number, _record(2 if value.type == value.TYPE_STRING else 1, _INVALID))


def _record(number: int, value: bytes) -> bytes:
    tag = number << 3 | 2
    encoded = bytearray()
    while tag > 0x7F:
        encoded.append(tag & 0x7F | 0x80)
        tag >>= 7
    encoded.append(tag)
    return bytes(encoded) + bytes([len(value)]) + value
