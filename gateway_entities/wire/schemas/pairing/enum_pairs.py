"""Comparison of one pair of enums, value by value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.wire.schemas.differences import Mismatch, ReadMode
from gateway_entities.wire.schemas.found import Found
from gateway_entities.wire.schemas.model.reserved import note_unreserved
from gateway_entities.wire.schemas.model.signature import enum_index, json_name, map_entry, reserved_values
from gateway_entities.wire.schemas.pairing.enum_value import Relation, relation
from gateway_entities.wire.schemas.parts import holder
from gateway_entities.wire.schemas.proof.examples import contents, message_with
from gateway_entities.wire.schemas.proof.witness import read_across, read_text
from gateway_entities.wire.schemas.report import Difference, DifferenceKind, DifferenceLevel, Direction, Element


class EnumUse(NamedTuple):
    """A field in which the values of two enums are shown.

    Attributes:
        old: the old message.
        new: the new message.
        field: the old field.
        other: the new field, with the same number and name.
    """

    old: Descriptor
    new: Descriptor
    field: FieldDescriptor
    other: FieldDescriptor


def compare_enums(old: EnumDescriptor, new: EnumDescriptor, use: EnumUse | None, found: Found) -> None:
    """Compare two enums.

    Args:
        old: the old enum.
        new: the new enum.
        use: a field of both; None if no message uses them.
        found: where the differences go.
    """
    if _same(old, new):
        note_unreserved(old, reserved_values(old), reserved_values(new), found)
        return
    if use is None:
        ours, theirs = holder(old), holder(new)
        use = EnumUse(ours, theirs, ours.fields[0], theirs.fields[0])
    for direction in Direction:
        for level in (DifferenceLevel.BINARY, DifferenceLevel.JSON):
            _compare_values(old, new, use, ReadMode(direction, level), found)
    if old.full_name != new.full_name:
        key = Direction.NEW_READS_OLD, DifferenceLevel.BINARY, DifferenceKind.RENAMED
        text = f"is named {new.full_name} in the new schema"
        found.note(Difference(*key, old.full_name, text, old.full_name, 0, None, Element.ENUM))
    note_unreserved(old, reserved_values(old), reserved_values(new), found)


def _same(old: EnumDescriptor, new: EnumDescriptor) -> bool:
    return old.full_name == new.full_name and enum_index(old).names == enum_index(new).names


def _compare_values(old: EnumDescriptor, new: EnumDescriptor, use: EnumUse, mode: ReadMode, found: Found) -> None:
    ahead = mode.direction is Direction.OLD_READS_NEW
    enum, other = (new, old) if ahead else (old, new)
    writer, reader, field = (use.new, use.old, use.other) if ahead else (use.old, use.new, use.field)
    example = contents(field)
    if not example:
        return
    for number in enum_index(enum).names:
        mismatch = _mismatch(enum, number, other, mode)
        if mismatch is None:
            continue
        message = _holding(writer, field, example[0], number)
        shown = read_across(message, reader, mode.level)
        if shown is not None:
            found.add(mode, mismatch, shown, owner=enum.full_name, content=number)
    if mode.level is DifferenceLevel.JSON:
        for number, text, mismatch in _aliases(enum, other, mode.direction):
            message = _holding(writer, field, example[0], number)
            written = _json_of(field, example[0], text)
            shown = read_text(message, written, reader)
            if shown is not None:
                found.add(mode, mismatch, shown, owner=enum.full_name, content=number)


def _holding(writer: Descriptor, field: FieldDescriptor, example: Sequence[Any], number: int) -> Message:
    values: list[Any] = [(key, number) for key, _ in example] if map_entry(field) is not None else [number]
    return message_with(writer, {field: values})


def _json_of(field: FieldDescriptor, example: Sequence[Any], text: str) -> str:
    value: object = [text] if field.is_repeated else text
    if map_entry(field) is not None:
        value = {str(key): text for key, _ in example}
    return json.dumps({json_name(field): value})


def _mismatch(enum: EnumDescriptor, number: int, other: EnumDescriptor, mode: ReadMode) -> Mismatch | None:
    """Return how a value differs for the reader; None if it does not."""
    found = relation(enum, number, other, mode.level)
    binary = mode.level is DifferenceLevel.BINARY
    names = enum_index(other).names.get(number, ())
    preserved = binary and (not other.is_closed or bool(names))
    if found is Relation.SAME or (found is Relation.RENAMED and preserved):
        return None
    kind, message = DifferenceKind.LOST, "was removed: the reader ignores it"
    if found is Relation.OTHER and binary:
        kind, message = DifferenceKind.MISREAD, f"is read as {' or '.join(names)}"
    elif found in (Relation.OTHER, Relation.RENAMED):
        message = f"is {' or '.join(names)} for the reader, which does not have this name"
    elif found is Relation.MOVED:
        message = f"has another number for the reader, which does not have {number}"
    elif mode.direction is Direction.OLD_READS_NEW:
        kind, message = DifferenceKind.NEW, "is new: old readers do not have it"
    elif found is Relation.RESERVED or preserved:
        kind, message = DifferenceKind.RETIRED, "is retired: the reader has no name for it"
    name = enum_index(enum).names[number][0]
    return Mismatch(kind, f"{enum.full_name}.{name}", message, number, None, Element.ENUM_VALUE)


def _aliases(enum: EnumDescriptor, other: EnumDescriptor, direction: Direction) -> Iterator[tuple[int, str, Mismatch]]:
    """Yield the further names of numbers that JSON may have and the reader does not know."""
    index = enum_index(other)
    for number, names in enum_index(enum).names.items():
        known = any(name in index.numbers for name in names)
        for name in names[0 if known else 1 :]:
            if name in index.numbers:
                continue
            kind, text = DifferenceKind.LOST, "was removed, a name of the same number: readers of JSON do not know it"
            if direction is Direction.OLD_READS_NEW:
                kind, text = DifferenceKind.NEW, "is a new name of its number: old readers of JSON do not know it"
            elif name in index.reserved_names:
                kind, text = DifferenceKind.RETIRED, "is retired: readers of JSON do not know it"
            yield number, name, Mismatch(kind, f"{enum.full_name}.{name}", text, number, None, Element.ENUM_VALUE)
