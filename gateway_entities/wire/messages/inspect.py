"""Split bytes into annotated pieces, without gaps: every byte belongs to exactly one piece.

Without a type, the content of length-delimited values is a guess and marked as one. Secret values are never shown, nor
unknown bytes that may contain one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.entities import weights
from gateway_entities.wire.messages.frame import Frame
from gateway_entities.wire.messages.layout import (
    BYTES,
    END_GROUP,
    FIXED32,
    FIXED64,
    START_GROUP,
    VARINT,
    WIRE_NAMES,
    Layout,
    Slot,
    layout_of,
)
from gateway_entities.wire.messages.scan import END_ENTRY, MAX_FIELD_NUMBER, UNREADABLE, Record, scan
from gateway_entities.wire.messages.types import message_type_named

MAX_TEXT: Final = 80
"""The number of characters shown of a text."""
MAX_HEX: Final = 16
"""The number of bytes shown in hexadecimal."""
MAX_GUESS_DEPTH: Final = 8
"""The depth to which nested messages are guessed; each level costs one more pass."""

MAX_PIECES: Final = 100_000
"""The number of separate pieces; the rest of the input is one piece."""

_F = FieldDescriptor
_TYPES: Final = {getattr(_F, name): name.removeprefix("TYPE_").lower() for name in dir(_F) if name.startswith("TYPE_")}


class WirePiece(NamedTuple):
    """A field, the head of a message (tag and length), the end of a group, or unreadable bytes.

    Attributes:
        start: the offset of its first byte.
        end: the offset after its last byte.
        depth: the nesting depth; 0 for a top-level field.
        number: the field number; 0 if there is none.
        name: the field name; "" if unknown.
        type: its type, such as ``string`` or a message name; for an unknown field the wire type.
        value: the value, for display; "" for the head of a message.
        guess: whether type and value are guesses.
        note: a remark; "" if there is none.
    """

    start: int
    end: int
    depth: int
    number: int
    name: str
    type: str
    value: str
    guess: bool
    note: str


def inspect(data: bytes, message_type: type[Message] | str | None = None) -> Iterator[WirePiece]:
    """Yield the pieces of some bytes in order. No input makes it raise.

    Args:
        data: any bytes.
        message_type: the type, as a class or by name (see ``message_type_named``); None if unknown.

    Raises:
        LookupError: no type has this name.
    """
    kind = message_type_named(message_type) if isinstance(message_type, str) else message_type
    return _pieces(data, layout_of(kind.DESCRIPTOR) if kind is not None else None)


def _pieces(data: bytes, layout: Layout | None) -> Iterator[WirePiece]:
    hide = layout is not None and layout.holds_secret
    pairs: set[int] = set()

    def descend(frame: Frame, start: int, end: int) -> bool:
        # Unknown fields are guessed as messages only if the type of the whole message is unknown.
        if layout is not None or frame.depth >= MAX_GUESS_DEPTH or not _is_message(data, start, end):
            return False
        if _is_pair(data, start, end):
            pairs.add(end)
        return True

    end = 0
    records = (record for record in scan(data, layout, descend=descend) if record.wire != END_ENTRY)
    for piece in (_piece(data, record, hide, pairs) for record in islice(records, MAX_PIECES)):
        end = piece.end
        yield piece
    if end < len(data):
        yield WirePiece(
            end, len(data), 0, 0, "", "not shown", f"({_size(len(data) - end)})", False, "there are too many pieces"
        )


def _piece(data: bytes, record: Record, hide: bool, pairs: set[int]) -> WirePiece:
    start, body, end, number, wire, _, slot, frame, opens, fault, slack = record
    name, guess, note = "", False, "a varint has more bytes than needed" if slack else ""
    if wire == UNREADABLE:
        kind, shown, note = "unreadable", f"({_size(end - start)})", fault
    elif wire == END_GROUP:
        kind, shown = "end of group", ""
    elif slot is not None and wire in slot.wires:
        name, kind = slot.name, _TYPES[slot.field.type]
        if slot.layout is not None:
            kind, shown = slot.layout.name, "" if opens is not None else "empty"
        elif opens is not None and opens.layout is not None:
            kind, shown, note = opens.layout.descriptor.full_name, "", note or "the payload"
        elif (_is_secret(frame) and number == 2) or slot.secret:
            shown = f"({_size(end - body)}, secret)"
        else:
            shown = _value(data, record, slot)
    else:
        kind = WIRE_NAMES[wire]
        guess = wire == BYTES or opens is not None
        secret = number == 2 and frame.end in pairs and frame.parent is not None
        shown = _raw(data, record, hide=hide or secret or (wire == BYTES and frame.layout is not None))
        if frame.layout is not None:
            note = note or ("wrong wire type for the field" if slot is not None else "not in the schema")
            name = slot.name if slot is not None else ""
    return WirePiece(start, end, frame.depth, number, name, kind, shown, guess, note)


def _is_secret(frame: Frame) -> bool:
    return frame.slot is not None and frame.slot.secret


def _value(data: bytes, record: Record, slot: Slot) -> str:
    kind, body, end = slot.field.type, record.body, record.end
    if record.wire == BYTES:
        if kind == _F.TYPE_STRING:
            return _text(data[body:end])
        return _hex(data[body:end])
    if record.wire == VARINT:
        return _number(slot, record.value)
    form = {_F.TYPE_DOUBLE: "<d", _F.TYPE_FLOAT: "<f", _F.TYPE_SFIXED64: "<q", _F.TYPE_SFIXED32: "<i"}.get(kind)
    (number,) = struct.unpack(form or ("<Q" if record.wire == FIXED64 else "<I"), data[body:end])
    return str(weights.shortest_decimal(number) if kind == _F.TYPE_FLOAT else number)


def _number(slot: Slot, raw: int) -> str:
    kind, value = slot.field.type, raw & (2**64 - 1)
    if kind == _F.TYPE_BOOL:
        return "true" if value else "false"
    if kind in (_F.TYPE_SINT32, _F.TYPE_SINT64):
        return str(value >> 1 ^ -(value & 1))
    bits = 32 if slot.is_signed_32 else 64
    if kind in (_F.TYPE_INT32, _F.TYPE_INT64, _F.TYPE_ENUM):
        value = (value & (1 << bits) - 1 ^ 1 << bits - 1) - (1 << bits - 1)
    if slot.field.enum_type is not None:
        named = slot.field.enum_type.values_by_number.get(value)
        return f"{named.name} ({value})" if named is not None else f"unknown ({value})"
    return str(value)


def _raw(data: bytes, record: Record, *, hide: bool) -> str:
    content = data[record.body : record.end]
    if record.opens is not None:
        return "a group" if record.wire == START_GROUP else "a message"
    if hide:
        return f"({_size(len(content))}, may be a secret)" if record.wire == BYTES else f"({_size(len(content))})"
    if record.wire == VARINT:
        return str(record.value)
    if record.wire == BYTES:
        return _text(content)
    real, whole = ("<d", "<Q") if record.wire == FIXED64 else ("<f", "<I")
    return f"{struct.unpack(whole, content)[0]} or {struct.unpack(real, content)[0]!r}"


def _text(content: bytes) -> str:
    """Return bytes as quoted text, or only their length if they are not printable UTF-8."""
    try:
        text = content[: 4 * MAX_TEXT + 4].decode()
    except UnicodeDecodeError as error:
        # The cut may split a character.
        if len(content) <= 4 * MAX_TEXT + 4 or error.start < 4 * MAX_TEXT:
            return f"({_size(len(content))}, not UTF-8)"
        text = content[: error.start].decode()
    if not text.isprintable():
        # A message shown as text would expose its content, which may be a secret.
        return f"({_size(len(content))}, not printable)"
    cut = text[:MAX_TEXT]
    return f'"{cut}"' if len(cut.encode()) == len(content) else f'"{cut}"... ({_size(len(content))})'


def _hex(content: bytes) -> str:
    return content.hex(" ") if len(content) <= MAX_HEX else f"{content[:MAX_HEX].hex(' ')} ... ({_size(len(content))})"


def _size(length: int) -> str:
    return f"{length} byte" if length == 1 else f"{length} bytes"


def _is_message(data: bytes, start: int, end: int) -> bool:
    """Return whether a range parses as a message without groups."""
    return _shape(data, start, end) is not None


def _is_pair(data: bytes, start: int, end: int) -> bool:
    """Return whether a range parses as an entry of a string map."""
    shape = _shape(data, start, end)
    return shape is not None and set(shape) <= {(1, BYTES), (2, BYTES)}


def _shape(data: bytes, start: int, end: int) -> list[tuple[int, int]] | None:
    """Return number and wire type of the first three fields; None if the range is not a message."""
    found: list[tuple[int, int]] = []
    at = start
    while at < end:
        tag, at = _small(data, at, end, 5)
        wire = tag & 7
        if not 0 < tag >> 3 <= MAX_FIELD_NUMBER:
            return None
        if wire == VARINT:
            value, at = _small(data, at, end, 10)
            if value < 0:
                return None
        elif wire == BYTES:
            length, at = _small(data, at, end, 5)
            at += length
            if length < 0:
                return None
        elif wire in (FIXED64, FIXED32):
            at += 8 if wire == FIXED64 else 4
        else:
            return None
        if at > end:
            return None
        if len(found) < 3:
            found.append((tag >> 3, wire))
    return found


def _small(data: bytes, at: int, end: int, most: int) -> tuple[int, int]:
    """Read a varint of at most ``most`` bytes; return its value (-1 if invalid) and its end."""
    value = shift = 0
    for position in range(at, min(end, at + most)):
        byte = data[position]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position + 1
        shift += 7
    return -1, end


def render(pieces: Iterator[WirePiece]) -> Iterator[str]:
    """Yield the pieces as lines of text: byte range, field number, name, type and value."""
    for piece in pieces:
        name = piece.name or (f"#{piece.number}" if piece.number else "-")
        number = f"{piece.number:>5}" if piece.number else " " * 5
        value = f" = {piece.value}" if piece.value else ""
        marks = "".join(f"  [{mark}]" for mark in ("guess" if piece.guess else "", piece.note) if mark)
        yield f"{piece.start:>8}..{piece.end:<8} {number}  {'  ' * piece.depth}{name}: {piece.type}{value}{marks}"
