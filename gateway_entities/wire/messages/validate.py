"""What is wrong with bytes as a message of a type, short of the contract's rules: the detailed walk of a check."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from gateway_entities.rules.values import entry
from gateway_entities.wire.messages.layout import BYTES, END_GROUP, FIXED64, START_GROUP, VARINT, WIRE_NAMES, Layout, Slot
from gateway_entities.wire.messages.report import Collector
from gateway_entities.wire.messages.scan import CLOSE, MOST_VARINT, Frame, Record, Tree, read_varint, scan

_STEP: Final = re.compile(r"([A-Za-z0-9_]+(?:\[\d+\])?)\.")
MOST_RECORDS: Final = 100_000
"""After how many fields a walk no longer looks at what does not stop a reader."""
_KEY_START: Final = 8
_ORDER: Final = "comes after a higher number or an unknown field; write fields by number, unknown ones last"
_FAULTS: Final = {
    "wire/truncated": "the field that begins here needs more bytes than are left; write all of it, and the right length",
    "wire/field-number": "the field number is 0 or above 536870911; use the number that the schema gives",
    "wire/trailing-bytes": "zeros fill the rest, and no field begins with a zero; end after the last field",
    "wire/wire-type": "the wire type is 6 or 7, which do not exist; use that of the field's type, 0 to 5",
    "wire/unmatched-group": "a group starts without an end, or ends without a start; write both, with the same number",
    "wire/depth": "groups nest more than 100 deep; nest them less",
    "wire/varint-too-long": "a varint goes on after its last possible byte; end it within 10 bytes, in a tag or length 5",
}


class Walk:
    """A walk that notes everything it finds.

    Attributes:
        found: what it found.
        offsets: where the fields begin that it was asked for, by path.
        bad_text: the byte ranges of text that is not UTF-8, each with its path; for that of a map's entry, the map's.
        complete: whether it went to the end.
        readable: whether protobuf can read the bytes, but for such text.
    """

    def __init__(self, data: bytes, layout: Layout, *, enums: bool, parsed: bool) -> None:
        """Prepare a walk.

        Args:
            data: the bytes.
            layout: the type of the message.
            enums: whether to report enum numbers that the schema does not have.
            parsed: whether protobuf can read the bytes.
        """
        self.found: Final = Collector()
        self.offsets: Final[dict[str, int]] = {}
        self.bad_text: Final[list[tuple[int, int, str]]] = []
        self.readable = True
        self._data = data
        self._layout = layout
        self._enums = enums
        self._parsed = parsed
        self.complete = True
        self._wanted: frozenset[str] = frozenset()
        self._keys: set[bytes] = set()

    def run(self, wanted: Iterable[str] = ()) -> None:  # noqa: PLR0912 - As in scan.
        """Walk, once.

        Args:
            wanted: paths of fields to find the offsets of.
        """
        self._wanted = frozenset(wanted)
        # Paths are dear to make, so only entries whose keys begin like one that is wanted get one.
        quoted = [path[path.index('["') + 1 : -1] for path in self._wanted if path.endswith('"]')]
        self._keys = {key.encode("utf-8", "replace")[:_KEY_START] for key in map(json.loads, quoted)}
        tree = _tree(self._wanted)
        steps = scan(self._data, self._layout)
        for record in islice(steps, MOST_RECORDS):
            start, _, _, number, wire, value, slot, frame, opens, fault, slack = record
            if frame.parent is None and tree:
                frame.wanted = tree
            if slack:
                self._add("wire/overlong-varint", record, "has a varint with more bytes than needed; write the fewest")
            if fault:
                self._fault(record)
                continue
            if wire == VARINT and value >> 64:
                self._add("wire/varint-overflow", record, "has a varint of more than 64 bits; write at most 64")
            if frame.layout is None or wire == END_GROUP:
                continue
            if wire == CLOSE:
                self._entry(frame)
            elif slot is None:
                frame.loose = True
                if not frame.layout.is_entry:
                    self._unknown(record)
            elif wire not in slot.wires:
                frame.loose = True
                if not frame.layout.is_entry:
                    self._wire_type(record, slot)
            else:
                # Whether an entry of a map counts as known is seen at its end.
                if not slot.is_map:
                    if number < frame.last or frame.loose:
                        self._add("wire/order", record, _ORDER)
                    frame.last = number
                if not slot.repeated and frame.counts[number] > 1 and not frame.layout.is_entry:
                    self._add("wire/repeated-field", record, "occurs again, and readers keep the last; write it once")
                if frame.wanted is not None:
                    self._locate(record, slot, frame.wanted)
                if slot.packed is not None:
                    self._repeated_numbers(record, slot)
                if opens is None:
                    if slot.is_map:
                        self._entry(Frame(frame, slot.layout, slot, start, start, 0))
                    elif wire == VARINT:
                        if value > slot.surely:
                            self._number(record, slot, value)
                    else:
                        self._value(record, slot)
        self._skip(steps)

    def _skip(self, steps: Iterator[Record]) -> None:
        """Go on, after very many records, no further than to the first fault that protobuf would meet."""
        record = next(steps, None)
        if record is None:
            return
        self.complete = False
        text = f"there are more than {MOST_RECORDS} fields; of those after them only what stops a reader is told"
        self.found.add("wire/limit", "", record.start, text)
        while record is not None and not self._parsed:
            if record.fault:
                self._fault(record)
                return
            record = next(steps, None)

    def _add(self, rule: str, record: Record, text: str) -> None:
        if self.found.wants(rule):
            path = path_of(record)
            self.found.keep(rule, path, record.start, f"{path or 'the message'} {text}")

    def _fault(self, record: Record) -> None:
        self.readable = False
        if self.found.wants(record.fault):
            self.found.keep(record.fault, frame_path(record.frame), record.start, _FAULTS[record.fault])

    def _wire_type(self, record: Record, slot: Slot) -> None:
        if self.found.wants("schema/wire-type"):
            path, found, right = path_of(record), WIRE_NAMES[record.wire], WIRE_NAMES[slot.wire]
            text = f"{path} is written as {found}; write it as {right}, the form of its type"
            self.found.keep("schema/wire-type", path, record.start, text)

    def _unknown(self, record: Record) -> None:
        layout, number = record.frame.layout, record.number
        if layout is None:
            return
        if layout.retired and layout.is_retired(number):
            rule, text = "schema/retired-field", "has a number that is retired; leave the field out"
        elif record.wire == START_GROUP:
            rule, text = "wire/group", "is an unknown group; proto3 has no groups, so leave it out"
        else:
            rule, text = "wire/unknown-field", "is not in the schema; leave it out, or check with the schema that has it"
        if self.found.wants(rule):
            path = path_of(record)
            self.found.keep(rule, path, record.start, f"{path} ({layout.name}, field {number}) {text}")

    def _value(self, record: Record, slot: Slot) -> None:
        data, body, end = self._data, record.body, record.end
        if record.frame.layout is not None and record.frame.layout.is_entry and record.number == 1:
            record.frame.first = data[body:end]
        if slot.is_text:
            text = data[body:end]
            if not text.isascii() and not _is_utf8(text):
                inside = record.frame.layout is not None and record.frame.layout.is_entry
                self.bad_text.append((body, end, frame_path(record.frame).rpartition("[")[0] if inside else path_of(record)))
                self._add("wire/utf8", record, "is not UTF-8; encode text as UTF-8, and other bytes not as text")

    def _repeated_numbers(self, record: Record, slot: Slot) -> None:
        if record.wire != BYTES or not slot.packed:
            if slot.packed is not (record.wire == BYTES):
                form = "packed" if slot.packed else "not packed"
                self._add("schema/packing", record, f"should be {form}, as the schema says; readers take both")
        elif not record.value or record.frame.counts[slot.number] > 1:
            self._add("schema/packing", record, "holds no numbers, or comes again; write one packed field, or none")
        if record.wire != BYTES:
            return
        at, end, fault = record.body, record.end, ""
        while slot.wire == VARINT and at < end and not fault:
            value, at, slack, fault = read_varint(self._data, at, end, MOST_VARINT)
            if slack:
                self._add("wire/overlong-varint", record, "has a varint with more bytes than needed; write the fewest")
            if value >> 64:
                self._add("wire/varint-overflow", record, "has a varint of more than 64 bits; write at most 64")
            elif not fault and value > slot.surely:
                self._number(record, slot, value)
        if fault or (slot.wire != VARINT and (end - at) % (8 if slot.wire == FIXED64 else 4)):
            self.readable = False
            fault = fault or "wire/truncated"
            self._add(fault, record, "holds a number that its length cuts; write whole numbers, and the right length")

    def _number(self, record: Record, slot: Slot, value: int) -> None:
        fits = value < 2**31 or value >= 2**64 - 2**31 if slot.is_signed_32 else value <= slot.highest
        if not fits and value < 2**64:
            self._add("schema/number-range", record, "holds a number that its type cannot; write one that fits")
        elif self._enums and slot.field.enum_type is not None:
            signed = value - 2**64 if value >> 63 else value
            if signed not in slot.field.enum_type.values_by_number:
                self._add("schema/enum", record, f"is {signed}, which its enum does not define; use one that it defines")

    def _entry(self, frame: Frame) -> None:
        """Check an entry of a map that has ended: ``frame`` is the entry."""
        parent, slot, layout = frame.parent, frame.slot, frame.layout
        if parent is None or slot is None or layout is None:
            return
        key = frame.first or b""
        if frame.loose:
            parent.loose = True
            self._add_entry("schema/map-entry", frame, "holds more than a key and a value; write just these")
            return
        if slot.number < parent.last or parent.loose:
            self._add_entry("wire/order", frame, _ORDER)
        parent.last = slot.number
        counts = frame.counts
        if len(counts) < 2:
            self._add_entry("schema/map-default", frame, "leaves out its key or its value; write both, even when empty")
        elif counts[1] > 1 or counts[2] > 1:
            self._add_entry("wire/repeated-field", frame, "has its key or value twice; write each once")
        if parent.keys is None:
            parent.keys = {}
        keys = parent.keys.setdefault(slot.number, set())
        if key not in keys and key[:_KEY_START] in self._keys and (path := _entry_path(frame)) in self._wanted:
            self.offsets[path] = frame.start
        if key in keys:
            self._add_entry("schema/map-duplicate", frame, "is there twice; write each key once")
        elif layout.slots[1].is_text and parent.counts[slot.number] > 1 and parent.first is not None and key < parent.first:
            self._add_entry("wire/map-order", frame, "comes after a higher key; write entries in the order of their keys")
        keys.add(key)
        parent.first = key

    def _add_entry(self, rule: str, frame: Frame, text: str) -> None:
        if self.found.wants(rule):
            path = _entry_path(frame)
            self.found.keep(rule, path, frame.start, f"{path} {text}")

    def _locate(self, record: Record, slot: Slot, wanted: Tree) -> None:
        name = slot.name
        if slot.repeated:
            if name in wanted:
                self.offsets.setdefault(_join(frame_path(record.frame), name), record.start)
            if slot.is_map:
                return
            name = f"{name}[{record.frame.counts[slot.number] - 1}]"
        if name in wanted:
            self.offsets[_join(frame_path(record.frame), name)] = record.start
            if record.opens is not None:
                record.opens.wanted = wanted[name]

    def offset(self, path: str) -> int:
        """Return where a field begins that was wanted; for one that is absent, where the message begins that lacks it."""
        known: int | None = None
        while known is None and path:
            known = self.offsets.get(path)
            path = path[: max(path.rfind("."), 0)]
        return known or 0


def path_of(record: Record) -> str:
    """Return the path of the field of a record; an unknown one is named by its number, such as ``#17``."""
    base, slot = frame_path(record.frame), record.slot
    if slot is None:
        return _join(base, f"#{record.number}") if record.number else base
    if slot.repeated and not slot.is_map and record.wire in slot.wires:
        return f"{_join(base, slot.name)}[{record.frame.counts[slot.number] - 1}]"
    return _join(base, slot.name)


def frame_path(frame: Frame) -> str:
    """Return the path of a message from the outermost one, which is ""."""
    steps: list[str] = []
    at = frame
    while at.parent is not None:
        slot = at.slot
        if slot is None:
            steps.append(f"#{at.group}")
        else:
            steps.append(f"{slot.name}[{at.index}]" if slot.repeated else slot.name)
        at = at.parent
    return ".".join(reversed(steps))


def _entry_path(frame: Frame) -> str:
    """Return the path of a map's entry, such as ``auth_config["region"]``, whose key has been read."""
    key = (frame.first or b"").decode("utf-8", "replace")
    if frame.parent is None or frame.slot is None:
        return ""
    return entry(_join(frame_path(frame.parent), frame.slot.name), key)


def _join(base: str, name: str) -> str:
    return f"{base}.{name}" if base else name


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _steps(path: str) -> Iterator[str]:
    while found := _STEP.match(path):
        yield found[1]
        path = path[found.end() :]
    yield path


def _tree(paths: Iterable[str]) -> Tree:
    """Return the paths as a tree of their steps. A map's key, which may hold anything, is part of the last step."""
    root: Tree = {}
    for path in paths:
        at = root
        for step in _steps(path):
            at = at.setdefault(step, {})
    return root
