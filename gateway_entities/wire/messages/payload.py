"""Messages in bytes fields: the payload of google.protobuf.Any, and the entries of MessageSets."""

from __future__ import annotations

from typing import Final

from gateway_entities.wire.messages.frame import Frame
from gateway_entities.wire.messages.layout import BYTES, END_GROUP, FIXED32, FIXED64, START_GROUP, VARINT, Layout, layout_of
from gateway_entities.wire.messages.varint import MAX_VARINT_BYTES, read_varint

MAX_PAYLOAD_DEPTH: Final = 10
"""The number of Anys within each other that are looked into."""


def payload_layout(data: bytes, frame: Frame) -> Layout | None:
    """Return the layout of the message in an Any or in an entry of a MessageSet.

    Args:
        data: the bytes that are scanned.
        frame: the Any or the entry. Its type may come after its payload.

    Returns:
        The layout; None if the type is unknown, and for a second payload in an entry, which readers ignore.
    """
    layout = frame.layout
    if layout is None or frame.boxed >= MAX_PAYLOAD_DEPTH or (layout.is_item and 3 in frame.counts):
        return None
    return _payload(data, frame, layout)[1]


def type_name(data: bytes, frame: Frame) -> str:
    """Return the type URL of an Any; "" if it has none."""
    return "" if frame.layout is None else _payload(data, frame, frame.layout)[0]


def _payload(data: bytes, frame: Frame, layout: Layout) -> tuple[str, Layout | None]:
    """Return the type URL and the layout of a payload, looked for once in each frame."""
    if frame.payload is None:
        frame.payload = _of_any(data, frame, layout) if layout.is_any else ("", _of_entry(data, frame))
    return frame.payload


def _of_any(data: bytes, frame: Frame, layout: Layout) -> tuple[str, Layout | None]:
    found = _value(data, frame, 1, BYTES, last=True)
    url = found.decode("utf-8", "replace") if isinstance(found, bytes) else ""
    name = url.rpartition("/")[2]
    try:
        return url, layout_of(layout.descriptor.file.pool.FindMessageTypeByName(name)) if name else None
    except KeyError:
        return url, None


def _of_entry(data: bytes, frame: Frame) -> Layout | None:
    number = _value(data, frame, 2, VARINT, last=False)
    owner = frame.parent.layout if frame.parent is not None else None
    slot = owner.slots.get(number) if owner is not None and isinstance(number, int) else None
    return slot.layout if slot is not None and slot.is_extension else None


def _value(data: bytes, frame: Frame, wanted: int, wire: int, *, last: bool) -> int | bytes | None:
    """Return the first or last value of a field in the content of a frame, up to the first fault."""
    at = frame.start
    if frame.parent is not None:
        at = read_varint(data, at, frame.end, 5)[1]
        if not frame.group:
            at = read_varint(data, at, frame.end, 5)[1]
    found: int | bytes | None = None
    while at < frame.end:
        tag, at, _, fault = read_varint(data, at, frame.end, 5)
        kind = tag & 7
        value = 0
        if kind in (VARINT, BYTES) and not fault:
            value, at, _, fault = read_varint(data, at, frame.end, MAX_VARINT_BYTES)
        if fault or kind in (START_GROUP, END_GROUP) or kind > FIXED32:
            break
        body = at
        at += {VARINT: 0, BYTES: value, FIXED64: 8, FIXED32: 4}[kind]
        if at > frame.end:
            break
        if (tag >> 3, kind) == (wanted, wire):
            found = data[body:at] if kind == BYTES else value
            if not last:
                break
    return found
