"""Validation of the encoding against the wire format and the schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from gateway_entities.wire.messages.frame import Frame, Tree
from gateway_entities.wire.messages.layout import BYTES, END_GROUP, FIXED64, START_GROUP, VARINT, WIRE_NAMES, Layout, Slot
from gateway_entities.wire.messages.paths import entry_path, frame_path, join, path_of, path_tree
from gateway_entities.wire.messages.payload import MAX_PAYLOAD_DEPTH, type_name
from gateway_entities.wire.messages.report import Collector
from gateway_entities.wire.messages.scan import END_ENTRY, Record, scan
from gateway_entities.wire.messages.varint import MAX_VARINT_BYTES, read_varint

_NOT_UTF8: Final = "is not UTF-8; encode text as UTF-8, and use a bytes field for other data"
MAX_PAYLOADS: Final = 1000
"""Required fields are looked for in this many payloads of one message."""
MAX_RECORDS: Final = 100_000
"""After this many fields only faults that stop a parser are reported."""
_KEY_START: Final = 8
_ORDER: Final = "comes after a higher number or an unknown field; write fields by number, unknown ones last"
_FAULTS: Final = {
    "wire/truncated": "the field that starts here needs more bytes than are left; write all of it, with the correct length",
    "wire/field-number": "the field number is 0 or above 536870911; use the number in the schema",
    "wire/trailing-bytes": "only zeros follow, and no field starts with a zero; end after the last field",
    "wire/wire-type": "the wire type is 6 or 7, which do not exist; use the wire type of the field, 0 to 5",
    "wire/unmatched-group": "a group has no end or no start; write both, with the same number",
    "wire/depth": "messages or groups nest more than 100 deep; reduce the nesting",
    "wire/varint-too-long": "a varint exceeds its maximum length; end it within 10 bytes, or 5 in a tag or length",
}


class MessageValidator:
    """One pass over a message that collects findings.

    Attributes:
        found: the findings.
        offsets: the offsets of the requested fields, by path.
        bad_text: the ranges of text that is not UTF-8, each with its path; in a map entry, the path of the map.
        payloads: the first payloads of Any and of MessageSets that were scanned, each with its start and its type.
        extensions: the number of values of extensions.
        complete: whether it checked every field in detail.
        readable: whether protobuf can parse the bytes, apart from invalid UTF-8.
    """

    def __init__(self, data: bytes, layout: Layout, *, enums: bool, parsed: bool) -> None:
        """Create a pass over some bytes.

        Args:
            data: the bytes.
            layout: the message type.
            enums: whether to report unknown enum numbers.
            parsed: whether protobuf can parse the bytes.
        """
        self.found: Final = Collector()
        self.offsets: Final[dict[str, int]] = {}
        self.bad_text: Final[list[tuple[int, int, str]]] = []
        self.payloads: Final[list[tuple[Frame, int, Layout]]] = []
        self.extensions = 0
        self.readable = True
        self._data = data
        self._layout = layout
        self._enums = enums
        self._parsed = parsed
        self.complete = True
        self._wanted: frozenset[str] = frozenset()
        self._keys: set[bytes] = set()

    def run(self, wanted: Iterable[str] = ()) -> None:  # noqa: PLR0912, PLR0915 - inlined, as in scan.
        """Collect the findings. Call it once.

        Args:
            wanted: the paths of fields whose offsets to collect.
        """
        self._wanted = frozenset(wanted)
        # Paths are expensive, so they are built only for entries whose keys have a requested prefix.
        quoted = [path[path.index('["') + 1 : -1] for path in self._wanted if path.endswith('"]')]
        self._keys = {key.encode("utf-8", "replace")[:_KEY_START] for key in map(json.loads, quoted)}
        tree = path_tree(self._wanted)
        steps = scan(self._data, self._layout)
        for record in islice(steps, MAX_RECORDS):
            start, _, _, number, wire, value, slot, frame, opens, fault, slack = record
            if frame.parent is None and tree:
                frame.wanted = tree
            if slack:
                self._add("wire/overlong-varint", record, "has a varint with more bytes than needed; use the minimal length")
            if fault:
                self._fault(record)
                continue
            if wire == VARINT and value >> 64:
                self._add("wire/varint-overflow", record, "has a varint of more than 64 bits; write at most 64")
            if frame.layout is None or wire == END_GROUP:
                continue
            if wire == END_ENTRY:
                self._entry(frame)
            elif slot is None:
                frame.loose = True
                if not frame.layout.is_entry:
                    self._unknown(record)
            elif wire not in slot.wires:
                frame.loose = frame.mistyped = True
                if not frame.layout.is_entry:
                    self._wire_type(record, slot)
            else:
                # A map entry is checked at its end.
                if not slot.is_map:
                    if number < frame.last or frame.loose:
                        self._add("wire/order", record, _ORDER)
                    frame.last = number
                if not slot.repeated and frame.counts[number] > 1 and not frame.layout.is_entry:
                    self._again(record, slot)
                if slot.oneof:
                    self._member(record, slot)
                if slot.is_extension:
                    self.extensions += 1
                if frame.wanted is not None:
                    self._locate(record, slot, frame.wanted)
                if slot.packed is not None:
                    self._packable(record, slot)
                if opens is not None:
                    if slot.is_payload and opens.layout is not None and len(self.payloads) < MAX_PAYLOADS:
                        self.payloads.append((opens, record.end, opens.layout))
                elif slot.is_map:
                    self._entry(Frame(frame, slot.layout, slot, start, start, 0))
                elif wire == VARINT:
                    if value > slot.always_valid:
                        self._number(record, slot, value)
                else:
                    self._value(record, slot)
        self._skip(steps)

    def _skip(self, steps: Iterator[Record]) -> None:
        """Skip the records beyond the limit, up to the first fault that stops a parser."""
        record = next(steps, None)
        if record is None:
            return
        self.complete = False
        text = f"there are more than {MAX_RECORDS} fields; beyond them only faults that stop a parser are reported"
        self.found.add("wire/limit", "", record.start, text)
        while record is not None and not self._parsed:
            if record.fault:
                self._fault(record)
                return
            record = next(steps, None)

    def _add(self, rule: str, record: Record, text: str) -> None:
        if self.found.count_in(rule):
            path = path_of(record)
            self.found.append(rule, path, record.start, f"{path or 'the message'} {text}")

    def _fault(self, record: Record) -> None:
        rule = self._fatal(record.fault, record.frame)
        if self.found.count_in(rule):
            self.found.append(rule, frame_path(record.frame), record.start, _FAULTS[record.fault])

    def _fatal(self, rule: str, frame: Frame) -> str:
        """Return the rule of a fault that stops a parser: in the payload of an Any it stops only who reads that."""
        if frame.boxed:
            return "any/payload"
        if rule != "wire/utf8":
            self.readable = False
        return rule

    def _again(self, record: Record, slot: Slot) -> None:
        members = record.frame.members
        if slot.oneof and members is not None and members.get(slot.oneof) != slot.number:
            return
        if slot.layout is None:
            self._add("wire/repeated-field", record, "occurs again, and readers keep the last; write it once")
        else:
            self._add("wire/merged-message", record, "occurs again, and readers merge it with the one before; write it once")

    def _member(self, record: Record, slot: Slot) -> None:
        frame = record.frame
        if frame.members is None:
            frame.members = {}
        before = frame.members.get(slot.oneof, slot.number)
        if before != slot.number and frame.layout is not None:
            lost = frame.layout.slots[before].name
            text = f"replaces {lost}: both are of the oneof {slot.oneof}, and readers keep the last; write one of them"
            self._add("wire/oneof", record, text)
        frame.members[slot.oneof] = slot.number

    def _wire_type(self, record: Record, slot: Slot) -> None:
        if self.found.count_in("schema/wire-type"):
            path, found, right = path_of(record), WIRE_NAMES[record.wire], WIRE_NAMES[slot.wire]
            text = f"{path} is written as {found}; write it as {right}, the wire type of the field"
            self.found.append("schema/wire-type", path, record.start, text)

    def _unknown(self, record: Record) -> None:
        layout, number = record.frame.layout, record.number
        if layout is None:
            return
        if layout.retired and layout.is_retired(number):
            rule, text = "schema/retired-field", "has a retired number; omit the field"
        elif record.wire == START_GROUP and not layout.has_groups:
            rule, text = "wire/group", "is an unknown group, and proto3 has no groups; omit it"
        else:
            rule, text = "wire/unknown-field", "is not in the schema; omit it, or check with a schema that has it"
        if self.found.count_in(rule):
            path = path_of(record)
            self.found.append(rule, path, record.start, f"{path} ({layout.name}, field {number}) {text}")

    def _value(self, record: Record, slot: Slot) -> None:
        data, body, end = self._data, record.body, record.end
        if record.frame.layout is not None and record.frame.layout.is_entry and record.number == 1:
            record.frame.first = data[body:end]
        if slot.is_payload and body < end:
            self._unknown_payload(record)
        elif slot.is_text:
            text = data[body:end]
            if not text.isascii() and not _is_utf8(text):
                if not slot.checks_utf8:
                    self._add("schema/utf8", record, "is not UTF-8; proto2 readers accept it, proto3 and JSON ones do not")
                    return
                rule = self._fatal("wire/utf8", record.frame)
                if record.frame.boxed:
                    self._add(rule, record, _NOT_UTF8)
                    return
                inside = record.frame.layout is not None and record.frame.layout.is_entry
                self.bad_text.append((body, end, frame_path(record.frame).rpartition("[")[0] if inside else path_of(record)))
                self._add(rule, record, _NOT_UTF8)

    def _unknown_payload(self, record: Record) -> None:
        """Report a payload of an Any that is not scanned."""
        layout = record.frame.layout
        if layout is None or not layout.is_any:
            return
        if record.frame.boxed >= MAX_PAYLOAD_DEPTH:
            self._add("wire/limit", record, f"is not checked: it is within {MAX_PAYLOAD_DEPTH} other payloads")
            return
        url = type_name(self._data, record.frame)
        if "/" not in url or url.endswith("/"):
            self._add("any/type-url", record, "has no type; write type_url as type.googleapis.com/package.Message")
        else:
            name = url.rpartition("/")[2][:200]
            text = f"is of the type {name!r}, which the schema does not have; its content is not checked"
            self._add("any/unknown-type", record, text)

    def _packable(self, record: Record, slot: Slot) -> None:
        if record.wire != BYTES or not slot.packed:
            if slot.packed is not (record.wire == BYTES):
                form = "packed" if slot.packed else "unpacked"
                self._add("schema/packing", record, f"should be {form}, as in the schema; readers accept both")
        elif not record.value or record.frame.counts[slot.number] > 1:
            self._add("schema/packing", record, "is empty or repeated; write one packed field, or none")
        if record.wire != BYTES:
            return
        at, end, fault = record.body, record.end, ""
        while slot.wire == VARINT and at < end and not fault:
            value, at, slack, fault = read_varint(self._data, at, end, MAX_VARINT_BYTES)
            if slack:
                self._add("wire/overlong-varint", record, "has a varint with more bytes than needed; use the minimal length")
            if value >> 64:
                self._add("wire/varint-overflow", record, "has a varint of more than 64 bits; write at most 64")
            elif not fault and value > slot.always_valid:
                self._number(record, slot, value)
        if fault or (slot.wire != VARINT and (end - at) % (8 if slot.wire == FIXED64 else 4)):
            rule = self._fatal(fault or "wire/truncated", record.frame)
            self._add(rule, record, "has a length that truncates a number; write whole numbers, with the correct length")

    def _number(self, record: Record, slot: Slot, value: int) -> None:
        fits = value < 2**31 or value >= 2**64 - 2**31 if slot.is_signed_32 else value <= slot.max_varint
        if not fits and value < 2**64:
            self._add("schema/number-range", record, "has a number out of the range of its type; write one in range")
        elif self._enums and slot.field.enum_type is not None:
            signed = value - 2**64 if value >> 63 else value
            if signed not in slot.field.enum_type.values_by_number:
                self._add("schema/enum", record, f"is {signed}, which its enum does not define; use one that it defines")

    def _entry(self, frame: Frame) -> None:
        """Check a complete map entry."""
        parent, slot, layout = frame.parent, frame.slot, frame.layout
        if parent is None or slot is None or layout is None:
            return
        key = frame.first or b""
        if frame.loose:
            parent.loose = True
            if frame.mistyped:
                text = "has its key or value in another wire type; write both in those of the map"
                self._add_entry("schema/wire-type", frame, text)
                return
            self._add_entry("schema/map-entry", frame, "has more than a key and a value; write only these")
            return
        if slot.number < parent.last or parent.loose:
            self._add_entry("wire/order", frame, _ORDER)
        parent.last = slot.number
        counts = frame.counts
        if len(counts) < 2:
            self._add_entry("schema/map-default", frame, "lacks its key or value; write both, even if empty")
        elif counts[1] > 1 or counts[2] > 1:
            self._add_entry("wire/repeated-field", frame, "has its key or value twice; write each once")
        if parent.keys is None:
            parent.keys = {}
        keys = parent.keys.setdefault(slot.number, set())
        if key not in keys and key[:_KEY_START] in self._keys and (path := entry_path(frame)) in self._wanted:
            self.offsets[path] = frame.start
        if key in keys:
            self._add_entry("schema/map-duplicate", frame, "occurs again; write each key once")
        elif layout.slots[1].is_text and parent.counts[slot.number] > 1 and parent.first is not None and key < parent.first:
            self._add_entry("wire/map-order", frame, "comes after a higher key; write entries in key order")
        keys.add(key)
        parent.first = key

    def _add_entry(self, rule: str, frame: Frame, text: str) -> None:
        if self.found.count_in(rule):
            path = entry_path(frame)
            self.found.append(rule, path, frame.start, f"{path} {text}")

    def _locate(self, record: Record, slot: Slot, wanted: Tree) -> None:
        name = slot.name
        if slot.repeated:
            if name in wanted:
                self.offsets.setdefault(join(frame_path(record.frame), name), record.start)
            if slot.is_map:
                return
            name = f"{name}[{record.frame.counts[slot.number] - 1}]"
        if name in wanted:
            self.offsets[join(frame_path(record.frame), name)] = record.start
            if record.opens is not None:
                record.opens.wanted = wanted[name]

    def offset(self, path: str) -> int:
        """Return the offset of a requested field; for an absent one, that of the message that lacks it."""
        found: int | None = None
        while found is None and path:
            found = self.offsets.get(path)
            path = path[: max(path.rfind("."), 0)]
        return found or 0


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
