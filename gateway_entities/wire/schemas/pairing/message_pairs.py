"""Comparison of one pair of messages, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.wire.schemas.blame import blame
from gateway_entities.wire.schemas.classes import Classes
from gateway_entities.wire.schemas.differences import Mismatch, ReadMode, named_like
from gateway_entities.wire.schemas.found import Found
from gateway_entities.wire.schemas.limits import Limits
from gateway_entities.wire.schemas.model.reserved import note_unreserved
from gateway_entities.wire.schemas.model.signature import (
    checks_text,
    field_keyed,
    field_numbered,
    fields_of,
    json_name,
    oneof_of,
    reserved_of,
    reserves_number,
    shape,
    signature,
)
from gateway_entities.wire.schemas.openness import openness, raw_text, skips_text
from gateway_entities.wire.schemas.pairing.pairs import Pair
from gateway_entities.wire.schemas.parts import parts, true_name
from gateway_entities.wire.schemas.proof.defaults import default_mismatches
from gateway_entities.wire.schemas.proof.examples import (
    contents,
    look_alikes,
    message_with,
    minimal,
    newly_exclusive,
    well_known,
)
from gateway_entities.wire.schemas.proof.limit_examples import limit_examples
from gateway_entities.wire.schemas.proof.witness import read_across
from gateway_entities.wire.schemas.report import Difference, DifferenceKind, DifferenceLevel, Direction, Element

_ENCODINGS: Final = ((DifferenceLevel.BINARY, False), (DifferenceLevel.JSON, False), (DifferenceLevel.JSON, True))


class MessagePairs:
    """Compares pairs of messages. Fields that changed alike show it with the same values: each kind is tried once.

    Attributes:
        skips_text: whether text that is not UTF-8 could not be compared, because the runtime does not read it.
    """

    def __init__(self, limits: tuple[Limits, Limits] | None) -> None:
        self._limits = limits
        self._classes = Classes()
        self.skips_text = False
        self._telling: dict[tuple[object, ...], Sequence[int]] = {}

    def compare(self, old: Descriptor, new: Descriptor, pair: Pair) -> bool:
        """Compare two messages.

        Args:
            old: the old message.
            new: the new message.
            pair: where the differences, and the parts of large messages, go.

        Returns:
            False if neither type has a message, because both require themselves.
        """
        found = pair.found
        if old.full_name == new.full_name and not self._differ(old, new):
            note_unreserved(old, reserved_of(old), reserved_of(new), found)
            return True
        self.skips_text = self.skips_text or skips_text(old, new)
        self._classes.make(old)
        self._classes.make(new)
        exist = _exists(old), _exists(new)
        if not all(exist):
            # Nobody writes messages of a type that has none, and its readers reject every message of the other.
            writer, reader = (old, new) if exist[0] else (new, old)
            direction = Direction.NEW_READS_OLD if exist[0] else Direction.OLD_READS_NEW
            return any(exist) and _rejects(writer, reader, direction, found)
        for ours, theirs in parts(old, new, self._changed):
            if ours is not old:
                pair.parts.update((field.number, (ours, theirs)) for field in ours.fields)
            self._compare(ours, theirs, found)
        _note_renames(old, new, found)
        note_unreserved(old, reserved_of(old), reserved_of(new), found)
        return True

    def _differ(self, old: Descriptor, new: Descriptor) -> bool:
        ours, theirs = fields_of(old), fields_of(new)
        if len(ours) != len(theirs):
            return True
        return (
            any(self._changed(field, field_numbered(new, field.number)) for field in ours)
            or len(old.oneofs) != len(new.oneofs)
            or [[f.number for f in o.fields] for o in old.oneofs] != [[f.number for f in o.fields] for o in new.oneofs]
        )

    def _changed(self, old: FieldDescriptor | None, new: FieldDescriptor | None) -> bool:
        if old is None or new is None or signature(old) != signature(new) or checks_text(old) != checks_text(new):
            return True
        if self._limits is None:
            return False
        return self._limits[0].get(old.full_name) != self._limits[1].get(new.full_name)

    def _compare(self, old: Descriptor, new: Descriptor, found: Found) -> None:
        for direction in Direction:
            ahead = direction is Direction.OLD_READS_NEW
            writer, reader = (new, old) if ahead else (old, new)
            self._examples(writer, reader, direction, found)
            meaning = ReadMode(direction, DifferenceLevel.MEANING)
            for message, difference in default_mismatches(writer, reader):
                if (shown := read_across(message, reader, DifferenceLevel.BINARY)) is not None:
                    found.add(meaning, difference, shown, owner=writer.full_name)
            for level in (DifferenceLevel.BINARY, DifferenceLevel.JSON):
                mode = ReadMode(direction, level)
                for message, difference in openness(writer, reader, mode):
                    if (shown := read_across(message, reader, level)) is not None:
                        found.add(mode, difference, shown, owner=writer.full_name)
            binary = ReadMode(direction, DifferenceLevel.BINARY)
            for message, difference in raw_text(writer, reader):
                if (shown := read_across(message, reader, DifferenceLevel.BINARY)) is not None:
                    found.add(binary, difference, replace(shown, has_json=False), owner=writer.full_name)
            self._limited(writer, reader, direction, found)

    def _limited(self, writer: Descriptor, reader: Descriptor, direction: Direction, found: Found) -> None:
        if self._limits is None:
            return
        ours, theirs = self._limits if direction is Direction.NEW_READS_OLD else reversed(self._limits)
        for shown, difference in limit_examples(writer, reader, ours, theirs):
            rejection = f"{true_name(difference.subject)} {difference.message}"
            mode = ReadMode(direction, DifferenceLevel.RULES)
            found.add(mode, difference, shown, owner=writer.full_name, rejection=rejection)

    def _examples(self, writer: Descriptor, reader: Descriptor, direction: Direction, found: Found) -> None:
        """Read messages that the reader may read differently, simplest first."""
        wholes = [minimal(writer), *([] if (known := well_known(writer)) is None else [known])]
        for message in (*wholes, *newly_exclusive(writer, reader)):
            _try(message, reader, direction, found, both_names=True)
        # A JSON form of its own makes every field differ from those of a look-alike.
        alike = [] if look_alikes(writer, reader) else fields_of(reader)
        same = {signature(field) for field in alike}
        for field in fields_of(writer):
            if signature(field) in same:
                continue
            key = _kind_of_change(field, writer, reader, direction)
            values = contents(field)
            both_names = json_name(field) != field.name and not field.is_extension
            tried = self._telling.get(key, range(len(values)))
            told: list[int] = []
            for i in tried:
                message = message_with(writer, {field: values[i]})
                if _try(message, reader, direction, found, both_names=both_names):
                    told.append(i)
            self._telling[key] = told


def _exists(message: Descriptor) -> bool:
    try:
        minimal(message)
    except ValueError:
        return False
    return True


def _rejects(writer: Descriptor, reader: Descriptor, direction: Direction, found: Found) -> bool:
    """Report what the reader requires and no message has. Returns True."""
    _try(minimal(writer), reader, direction, found, both_names=False)
    return True


def _kind_of_change(
    field: FieldDescriptor, writer: Descriptor, reader: Descriptor, direction: Direction
) -> tuple[object, ...]:
    """Return what determines the outcome of reading a field's values, so that fields of one kind need one trial."""
    others: list[FieldDescriptor | None] = [
        field_numbered(reader, field.number),
        field_keyed(reader, json_name(field)),
        field_keyed(reader, field.name),
        named_like(field, reader),
    ]
    places = {other.number: i for i, other in enumerate(others) if other is not None}
    reserved = reserved_of(reader)
    return (
        *(direction, shape(field), json_name(field) == field.name),
        tuple(
            None
            if o is None
            else (
                places[o.number],
                shape(o),
                o.number == field.number,
                o.name == field.name,
                json_name(o) == json_name(field),
            )
            for o in others
        ),
        others[0] is not None and named_like(others[0], writer) is not None,
        *(field.name in reserved.names, reserves_number(reserved.ranges, field.number)),
        # A oneof's other members decide which of two is read.
        *(None if o is None or (oneof := oneof_of(o)) is None else oneof.full_name for o in others),
    )


def _try(message: Message, reader: Descriptor, direction: Direction, found: Found, *, both_names: bool) -> bool:
    told = False
    for level, proto_names in _ENCODINGS:
        if proto_names and not both_names:
            continue
        mode = ReadMode(direction, level, proto_names)
        for mismatch, shown in _mismatches(message, reader, mode):
            told = found.add(mode, mismatch, shown, owner=message.DESCRIPTOR.full_name) or told
    return told


def _mismatches(message: Message, reader: Descriptor, mode: ReadMode) -> Iterator[tuple[Mismatch, Any]]:
    shown = read_across(message, reader, mode.level, proto_names=mode.proto_names)
    if shown is None:
        return
    if shown.read is not None:
        for difference in mode.mismatches(message, shown.read):
            yield difference, shown
        return
    text = f"makes the reader reject the message: {shown.error}"
    for subject, number, element in blame(message, reader, mode):
        yield Mismatch(DifferenceKind.REJECTED, subject, text, number, None, element), shown


def _note_renames(old: Descriptor, new: Descriptor, found: Found) -> None:
    def note(subject: str, name: str, number: int, element: Element) -> None:
        key = Direction.NEW_READS_OLD, DifferenceLevel.BINARY, DifferenceKind.RENAMED
        found.note(Difference(*key, subject, f"is named {name} in the new schema", old.full_name, number, None, element))

    if old.full_name != new.full_name:
        note(old.full_name, new.full_name, 0, Element.MESSAGE)
    for field in old.fields:
        other = new.fields_by_number.get(field.number)
        crosses = field.name in new.fields_by_name or (other is not None and other.name in old.fields_by_name)
        if other is not None and other.name != field.name and not crosses:
            note(field.full_name, other.name, field.number, Element.FIELD)
