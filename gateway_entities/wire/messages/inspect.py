"""What bytes say, piece by piece: every byte belongs to exactly one piece, so the pieces together are the bytes.

Without a type, what a length-delimited value holds is a guess, and is marked as one. Values of secrets are never shown, nor
bytes that no field explains where a secret may be among them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.entities import weights
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
    message_type_named,
)
from gateway_entities.wire.messages.scan import CLOSE, HIGHEST_NUMBER, REST, Frame, Record, scan

MOST_TEXT: Final = 80
"""How many characters of a text are shown."""
MOST_HEX: Final = 16
"""How many bytes are shown in hexadecimal."""
DEEPEST_GUESS: Final = 8
"""How deep messages in messages are guessed: each level reads its bytes once more."""

MOST_PIECES: Final = 100_000
"""How many pieces are told apart; what comes after them is one piece."""

_F = FieldDescriptor
_TYPES: Final = {getattr(_F, name): name.removeprefix("TYPE_").lower() for name in dir(_F) if name.startswith("TYPE_")}


class Piece(NamedTuple):
    """One piece of the input: a field, the head of a message (tag and length), the end of a group, or unreadable bytes.

    Attributes:
        start: the offset of its first byte.
        end: the offset after its last byte.
        depth: how many messages it is in; 0 for a field of the outermost one.
        number: the field's number; 0 when there is none.
        name: the field's name; "" when it is unknown.
        type: its type, such as ``string`` or the name of a message; of an unknown field the wire type.
        value: the value, for people; "" for the head of a message.
        guess: whether type and value are guesses.
        note: what is remarkable about it; "" when nothing is.
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


def inspect(data: bytes, message_type: type[Message] | str | None = None) -> Iterator[Piece]:
    """Yield the pieces of some bytes, from the first to the last. It raises nothing, whatever the bytes.

    Args:
        data: any bytes.
        message_type: the type, as a class or by name (see ``message_type_named``); None when it is unknown.

    Raises:
        LookupError: no type has this name.
    """
    kind = message_type_named(message_type) if isinstance(message_type, str) else message_type
    return _pieces(data, layout_of(kind.DESCRIPTOR) if kind is not None else None)


def _pieces(data: bytes, layout: Layout | None) -> Iterator[Piece]:
    hide = layout is not None and layout.holds_secret
    pairs: set[int] = set()

    def descend(frame: Frame, start: int, end: int) -> bool:
        # What an unknown field of a message holds is guessed only when nothing of the message is known.
        if layout is not None or frame.depth >= DEEPEST_GUESS or not _is_message(data, start, end):
            return False
        if _is_pair(data, start, end):
            pairs.add(end)
        return True

    end = 0
    records = (record for record in scan(data, layout, descend=descend) if record.wire != CLOSE)
    for piece in (_piece(data, record, hide, pairs) for record in islice(records, MOST_PIECES)):
        end = piece.end
        yield piece
    if end < len(data):
        yield Piece(end, len(data), 0, 0, "", "not shown", f"({_size(len(data) - end)})", False, "there are too many pieces")


def _piece(data: bytes, record: Record, hide: bool, pairs: set[int]) -> Piece:
    start, body, end, number, wire, _, slot, frame, opens, fault, slack = record
    name, guess, note = "", False, "a varint has more bytes than needed" if slack else ""
    if wire == REST:
        kind, shown, note = "unreadable", f"({_size(end - start)})", fault
    elif wire == END_GROUP:
        kind, shown = "end of group", ""
    elif slot is not None and wire in slot.wires:
        name, kind = slot.name, _TYPES[slot.field.type]
        if slot.layout is not None:
            kind, shown = slot.layout.name, "" if opens is not None else "empty"
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
            note = note or ("not the wire type of its type" if slot is not None else "not in the schema")
            name = slot.name if slot is not None else ""
    return Piece(start, end, frame.depth, number, name, kind, shown, guess, note)


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
    return str(weights.held(number) if kind == _F.TYPE_FLOAT else number)


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
        known = slot.field.enum_type.values_by_number.get(value)
        return f"{known.name} ({value})" if known is not None else f"unknown ({value})"
    return str(value)


def _raw(data: bytes, record: Record, *, hide: bool) -> str:
    held = data[record.body : record.end]
    if record.opens is not None:
        return "a group" if record.wire == START_GROUP else "a message"
    if hide:
        return f"({_size(len(held))}, may be a secret)" if record.wire == BYTES else f"({_size(len(held))})"
    if record.wire == VARINT:
        return str(record.value)
    if record.wire == BYTES:
        return _text(held)
    real, whole = ("<d", "<Q") if record.wire == FIXED64 else ("<f", "<I")
    return f"{struct.unpack(whole, held)[0]} or {struct.unpack(real, held)[0]!r}"


def _text(held: bytes) -> str:
    """Return bytes as quoted text; of those that are no printable text, only how many they are."""
    try:
        text = held[: 4 * MOST_TEXT + 4].decode()
    except UnicodeDecodeError as error:
        # The cut may go through a character.
        if len(held) <= 4 * MOST_TEXT + 4 or error.start < 4 * MOST_TEXT:
            return f"({_size(len(held))}, not UTF-8)"
        text = held[: error.start].decode()
    if not text.isprintable():
        # A message read as text would show what is in it, which may be a secret.
        return f"({_size(len(held))}, not printable)"
    cut = text[:MOST_TEXT]
    return f'"{cut}"' if len(cut.encode()) == len(held) else f'"{cut}"... ({_size(len(held))})'


def _hex(held: bytes) -> str:
    return held.hex(" ") if len(held) <= MOST_HEX else f"{held[:MOST_HEX].hex(' ')} ... ({_size(len(held))})"


def _size(length: int) -> str:
    return f"{length} byte" if length == 1 else f"{length} bytes"


def _is_message(data: bytes, start: int, end: int) -> bool:
    """Return whether bytes can be a message: fields without groups from the first byte to the last."""
    return _shape(data, start, end) is not None


def _is_pair(data: bytes, start: int, end: int) -> bool:
    """Return whether bytes can be an entry of a map of text."""
    shape = _shape(data, start, end)
    return shape is not None and set(shape) <= {(1, BYTES), (2, BYTES)}


def _shape(data: bytes, start: int, end: int) -> list[tuple[int, int]] | None:
    """Return the number and wire type of each field of a message, of the first three if it has more; None if it is none."""
    found: list[tuple[int, int]] = []
    at = start
    while at < end:
        tag, at = _small(data, at, end, 5)
        wire = tag & 7
        if not 0 < tag >> 3 <= HIGHEST_NUMBER:
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
    """Read a varint of at most so many bytes: its number, -1 if there is none, and where it ends."""
    value = shift = 0
    for position in range(at, min(end, at + most)):
        byte = data[position]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position + 1
        shift += 7
    return -1, end


def render(pieces: Iterator[Piece]) -> Iterator[str]:
    """Yield the pieces as lines of text, in columns: the bytes from and to, the number; then name, type and value."""
    for piece in pieces:
        name = piece.name or (f"#{piece.number}" if piece.number else "-")
        number = f"{piece.number:>5}" if piece.number else " " * 5
        value = f" = {piece.value}" if piece.value else ""
        marks = "".join(f"  [{mark}]" for mark in ("guess" if piece.guess else "", piece.note) if mark)
        yield f"{piece.start:>8}..{piece.end:<8} {number}  {'  ' * piece.depth}{name}: {piece.type}{value}{marks}"
