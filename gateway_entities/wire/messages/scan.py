"""A walk over raw bytes in the protobuf wire format, which never raises and never recurses.

The records of a walk follow one another without a gap: together they are the input, byte for byte. A message inside a
message is a record of its head (tag and length), followed by the records of its content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias, cast

from gateway_entities.wire.messages.layout import BYTES, END_GROUP, FIXED32, FIXED64, START_GROUP, VARINT, Layout, Slot

MOST_DEPTH: Final = 100
"""How deep messages and groups may nest below the outermost message: protobuf's own limit."""
HIGHEST_NUMBER: Final = 2**29 - 1
"""The highest number that a field can have."""

REST: Final = -1
"""The wire type of a record that holds bytes that cannot be read, up to the end of the message they are in."""
CLOSE: Final = -2
"""The wire type of a record without bytes: the end of a map entry that is not empty."""

_MOST_LENGTH: Final = 5
MOST_VARINT: Final = 10
"""The most bytes of a varint that is a value."""


Tree: TypeAlias = "dict[str, Tree]"
"""Paths of fields, as a tree of their steps."""


class Frame:
    """One message or group that the walk is in.

    Attributes:
        parent: the message around it; None for the outermost one.
        layout: the type of the message; None when it is unknown.
        slot: the field that holds it; None for the outermost one and for unknown groups.
        index: its position in that field, counted from 0.
        start: where its head begins.
        end: where its content ends; for a group, where the message around it does.
        group: the field number of a group; 0 for a message.
        depth: 0 for the outermost message.
        counts: how many values each field has had so far, by number.
    """

    # What the checks note of a message while they are in it; few messages need any of it.
    last = 0
    loose = False
    first: bytes | None = None
    keys: dict[int, set[bytes]] | None = None
    wanted: Tree | None = None

    def __init__(  # noqa: PLR0917 - Half a million are made at times, and names cost.
        self, parent: Frame | None, layout: Layout | None, slot: Slot | None, start: int, end: int, group: int
    ) -> None:
        self.parent = parent
        self.layout = layout
        self.slot = slot
        self.start = start
        self.end = end
        self.group = group
        self.counts: dict[int, int] = {}
        if parent is None:
            self.depth = self.index = 0
        else:
            self.depth = parent.depth + 1
            self.index = parent.counts[slot.number] - 1 if slot is not None else 0


class Record(NamedTuple):
    """One step of a walk.

    Attributes:
        start: where it begins.
        body: where its value begins, after the tag and a length.
        end: where it ends; for the head of a message, where the content begins.
        number: the field's number; 0 for a rest and a close.
        wire: the wire type, or REST or CLOSE.
        value: the number of a varint, the length of a length-delimited value; 0 otherwise.
        slot: the field, when the message's type has one of this number.
        frame: the message that it is in.
        opens: the message or group that begins with this record, unless it is an empty message.
        fault: the id of the rule that the bytes break, so that they cannot be read on; "" if none.
        slack: whether a varint in it is longer than needed.
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


def scan(  # noqa: PLR0912, PLR0915 - A call for each of half a million records is what it cannot afford.
    data: bytes, layout: Layout | None = None, *, descend: Callable[[Frame, int, int], bool] | None = None
) -> Iterator[Record]:
    """Yield the records of the bytes, from the first to the last.

    Args:
        data: any bytes.
        layout: the type of the message; None when it is unknown.
        descend: asked whether the length-delimited value of an unknown field, given the message that it is in, its begin and
            its end, should be walked as a message. By default it should not.
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
                yield Record(at, at, at, 0, REST, 0, None, frame, None, "wire/unmatched-group", False)
            parent = frame.parent
            if parent is None:
                return
            if frame.slot is not None and frame.slot.is_map:
                yield Record(end, end, end, 0, CLOSE, 0, None, frame, None, "", False)
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
            tag, at, slack, fault = read_varint(data, at - 1, end, _MOST_LENGTH)
        number, wire = tag >> 3, tag & 7
        body = at
        value = 0
        opens = None
        slot = None
        if fault or not number or number > HIGHEST_NUMBER:
            fault = fault or ("wire/trailing-bytes" if not any(data[start:end]) else "wire/field-number")
        elif wire == VARINT:
            if at >= end:
                fault = "wire/truncated"
            elif (value := data[at]) < 128:
                at += 1
            else:
                value, at, loose, fault = read_varint(data, at, end, MOST_VARINT)
                slack = slack or loose
        elif wire == BYTES:
            if at >= end:
                fault = "wire/truncated"
            elif (value := data[at]) < 128:
                body = at = at + 1
            else:
                value, at, loose, fault = read_varint(data, at, end, _MOST_LENGTH)
                slack = slack or loose
                body = at
            if value > end - at:
                fault = fault or "wire/truncated"
            elif not fault:
                if slots is not None and (slot := slots.get(number)) is not None:
                    # An empty message has nothing to go into.
                    if not value:
                        if frame.depth >= MOST_DEPTH and slot.layout is not None:
                            fault = "wire/depth"
                    elif slot.wire == BYTES and (inner := slot.layout) is not None:
                        counts[number] = counts.get(number, 0) + 1
                        opens = Frame(frame, inner, slot, start, at + value, 0)
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
        if opens is not None and opens.depth > MOST_DEPTH:
            opens, fault = None, "wire/depth"
        if fault:
            # A group has no length to skip it by, so what cannot be read in it ends the message around it.
            frame = _enclosing(frame)
            yield new(Record, (start, start, end, 0, REST, 0, None, frame, None, fault, slack))
            at = end
            slots, counts = frame.layout.slots if frame.layout is not None else None, frame.counts
            continue
        if opens is None:
            if slots is not None and wire != END_GROUP:
                if slot is None:
                    slot = slots.get(number)
                # What has another wire type than its field is no value of it.
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
    """Return the innermost message, not group, that a frame is or is in."""
    while frame.group and frame.parent is not None:
        frame = frame.parent
    return frame


def read_varint(data: bytes, at: int, end: int, most: int) -> tuple[int, int, bool, str]:
    """Read a varint: its number, where it ends, whether it is longer than needed, and what is wrong with it."""
    value = shift = 0
    limit = min(end, at + most)
    start = at
    while at < limit:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at, byte == 0 and at - start > 1, ""
        shift += 7
    return 0, at, False, "wire/truncated" if at - start < most else "wire/varint-too-long"
