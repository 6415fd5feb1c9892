"""Iterative scanner for the protobuf wire format that never raises.

The records cover the input without gaps. A nested message is a record of its head (tag and length), followed by the records
of its content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, cast

from gateway_entities.wire.messages.frame import Frame
from gateway_entities.wire.messages.layout import BYTES, END_GROUP, FIXED32, FIXED64, START_GROUP, VARINT, Layout, Slot
from gateway_entities.wire.messages.payload import payload_layout
from gateway_entities.wire.messages.varint import MAX_VARINT_BYTES, read_varint

MAX_DEPTH: Final = 100
"""The nesting limit of messages and groups below the top level, as in protobuf."""
MAX_FIELD_NUMBER: Final = 2**29 - 1
"""The largest valid field number."""

UNREADABLE: Final = -1
"""The wire type of a record of unreadable bytes, up to the end of their message."""
END_ENTRY: Final = -2
"""The wire type of a zero-length record at the end of a non-empty map entry."""

_MAX_LENGTH_BYTES: Final = 5


class Record(NamedTuple):
    """One step of a scan.

    Attributes:
        start: the offset of its first byte.
        body: the offset of its value, after tag and length.
        end: the offset after its last byte; for the head of a message, the start of the content.
        number: the field number; 0 for UNREADABLE and END_ENTRY.
        wire: the wire type, or UNREADABLE or END_ENTRY.
        value: the value of a varint, or the length of a length-delimited value; 0 otherwise.
        slot: the field, if the message type has this number.
        frame: the message that contains it.
        opens: the non-empty message or group that starts with this record.
        fault: the id of the rule that makes the bytes unreadable; "" if none.
        slack: whether it has a varint longer than needed.
    """

    start: int
    body: int
    end: int
    number: int
    wire: int
    value: int
    slot: Slot | None
    frame: Frame
    opens: Frame | None
    fault: str
    slack: bool


def scan(  # noqa: PLR0912, PLR0915 - inlined: a call per record is too slow.
    data: bytes, layout: Layout | None = None, *, descend: Callable[[Frame, int, int], bool] | None = None
) -> Iterator[Record]:
    """Yield the records of the bytes in order.

    Args:
        data: any bytes.
        layout: the message type; None if unknown.
        descend: decides whether to scan an unknown length-delimited value as a message, given its frame, start and end.
            The default is not to.
    """
    new = cast("Callable[[type[Record], tuple[object, ...]], Record]", tuple.__new__)  # pyright: ignore[reportUnknownMemberType]
    frame = Frame(None, layout, None, 0, len(data), 0)
    slots = layout.slots if layout is not None else None
    counts = frame.counts
    end = len(data)
    at = 0
    while True:
        if at >= end:
            if frame.group:
                frame = _enclosing(frame)
                yield Record(at, at, at, 0, UNREADABLE, 0, None, frame, None, "wire/unmatched-group", False)
            parent = frame.parent
            if parent is None:
                return
            if frame.slot is not None and frame.slot.is_map:
                yield Record(end, end, end, 0, END_ENTRY, 0, None, frame, None, "", False)
            frame = parent
            slots = frame.layout.slots if frame.layout is not None else None
            counts, end = frame.counts, frame.end
            continue
        start = at
        slack = False
        fault = ""
        tag = data[at]
        at += 1
        if tag > 127:
            tag, at, slack, fault = read_varint(data, at - 1, end, _MAX_LENGTH_BYTES)
        number, wire = tag >> 3, tag & 7
        body = at
        value = 0
        opens = None
        slot = None
        if fault or not number or number > MAX_FIELD_NUMBER:
            fault = fault or ("wire/trailing-bytes" if not any(data[start:end]) else "wire/field-number")
        elif wire == VARINT:
            if at >= end:
                fault = "wire/truncated"
            elif (value := data[at]) < 128:
                at += 1
            else:
                value, at, loose, fault = read_varint(data, at, end, MAX_VARINT_BYTES)
                slack = slack or loose
        elif wire == BYTES:
            if at >= end:
                fault = "wire/truncated"
            elif (value := data[at]) < 128:
                body = at = at + 1
            else:
                value, at, loose, fault = read_varint(data, at, end, _MAX_LENGTH_BYTES)
                slack = slack or loose
                body = at
            if value > end - at:
                fault = fault or "wire/truncated"
            elif not fault:
                if slots is not None and (slot := slots.get(number)) is not None:
                    # An empty message opens no frame.
                    if not value:
                        if frame.depth - frame.base >= MAX_DEPTH and slot.layout is not None:
                            fault = "wire/depth"
                    elif slot.wire == BYTES and (inner := slot.layout) is not None:
                        counts[number] = counts.get(number, 0) + 1
                        opens = Frame(frame, inner, slot, start, at + value, 0)
                    elif slot.is_payload and (inner := payload_layout(data, frame)) is not None:
                        counts[number] = counts.get(number, 0) + 1
                        opens = Frame(frame, inner, slot, start, at + value, 0)
                        if not slot.is_item:
                            opens.boxed += 1
                            opens.base = opens.depth
                elif value and descend is not None and slots is None and descend(frame, at, at + value):
                    opens = Frame(frame, None, None, start, at + value, 0)
                if opens is None:
                    at += value
        elif wire in (FIXED64, FIXED32):
            at += 8 if wire == FIXED64 else 4
            if at > end:
                fault = "wire/truncated"
        elif wire == START_GROUP:
            inner = None
            if slots is not None and (slot := slots.get(number)) is not None and slot.wire == START_GROUP:
                inner = slot.layout
                counts[number] = counts.get(number, 0) + 1
            opens = Frame(frame, inner, slot if inner is not None else None, start, end, number)
        elif wire == END_GROUP:
            if frame.group != number:
                fault = "wire/unmatched-group"
        else:
            fault = "wire/wire-type"
        if opens is not None and opens.depth - opens.base > MAX_DEPTH:
            opens, fault = None, "wire/depth"
        if fault:
            # A group has no length to skip, so unreadable bytes in it end the enclosing message.
            frame = _enclosing(frame)
            yield new(Record, (start, start, end, 0, UNREADABLE, 0, None, frame, None, fault, slack))
            at = end
            slots, counts = frame.layout.slots if frame.layout is not None else None, frame.counts
            continue
        if opens is None:
            if slots is not None and wire != END_GROUP:
                if slot is None:
                    slot = slots.get(number)
                # Records with another wire type are not values of the field.
                if slot is not None and wire in slot.wires:
                    counts[number] = counts.get(number, 0) + 1
            yield new(Record, (start, body, at, number, wire, value, slot, frame, None, "", slack))
            if wire != END_GROUP:
                continue
            parent = frame.parent
            frame = parent if parent is not None else frame
        else:
            yield new(Record, (start, body, at, number, wire, value, slot, frame, opens, "", slack))
            frame = opens
        slots = frame.layout.slots if frame.layout is not None else None
        counts, end = frame.counts, frame.end


def _enclosing(frame: Frame) -> Frame:
    """Return the innermost frame that is a message, not a group."""
    while frame.group and frame.parent is not None:
        frame = frame.parent
    return frame
