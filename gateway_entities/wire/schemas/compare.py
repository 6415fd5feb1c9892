"""Compatibility check of two schemas: every break, with a message that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from gateway_entities.errors import Code, GatewayError
from gateway_entities.wire.schemas.blame import blame
from gateway_entities.wire.schemas.defaults import default_mismatches
from gateway_entities.wire.schemas.differences import Mismatch, ReadMode
from gateway_entities.wire.schemas.examples import examples
from gateway_entities.wire.schemas.limit_examples import limit_examples
from gateway_entities.wire.schemas.limits import Limits
from gateway_entities.wire.schemas.matching import Matching, Rename, match_messages
from gateway_entities.wire.schemas.report import Comparison, Difference, DifferenceKind, DifferenceLevel, Direction
from gateway_entities.wire.schemas.schema import Schema, load
from gateway_entities.wire.schemas.signature import inside_both
from gateway_entities.wire.schemas.witness import CrossRead, read_across

Pair = tuple[Descriptor, Descriptor]
_Key = tuple[Direction, DifferenceLevel, str]

_ENCODINGS: Final = ((DifferenceLevel.BINARY, False), (DifferenceLevel.JSON, False), (DifferenceLevel.JSON, True))


def compare(
    old: Schema | str | Path | ModuleType,
    new: Schema | str | Path | ModuleType,
    *,
    only: str | None = None,
    renames: Sequence[Rename] = (),
) -> Comparison:
    """Compare two schemas.

    Messages are matched by full name; if the packages differ, by the name without the package where that is unique on both
    sides. Extensions and services are not compared.

    Args:
        old: the schema in use, or a source for ``load``.
        new: the schema to replace it, or a source for ``load``.
        only: a regular expression searched in full names; compares the matching messages and those reachable from them.
        renames: additional matches; the first pattern that matches the whole full name of an old message applies.

    Raises:
        GatewayError: INVALID_ARGUMENT or FAILED_PRECONDITION if a schema cannot be read; INVALID_ARGUMENT for an invalid
            regular expression.
    """
    old, new = (s if isinstance(s, Schema) else load(s) for s in (old, new))
    try:
        matching = match_messages(old, new, renames)
        selected = None if only is None else re.compile(only)
    except re.error as error:
        raise GatewayError(Code.INVALID_ARGUMENT, f"{error.pattern!r} is not a regular expression: {error}") from error
    chosen = [p for p in matching.pairs if selected is None or any(selected.search(d.full_name) for d in p)]
    found = _Findings()
    pairs = list(_reachable(chosen))
    limits = None if old.limits is None or new.limits is None else (old.limits, new.limits)
    for old_type, new_type in pairs:
        _compare_pair(old_type, new_type, limits, found)
    return found.comparison(old, new, matching, len(pairs))


class _Findings:
    """The smallest witness of each break so far, and the notes."""

    def __init__(self) -> None:
        self._breaks: dict[_Key, tuple[int, Difference]] = {}
        self._notes: dict[tuple[Direction, DifferenceKind, str], Difference] = {}

    def add(self, mode: ReadMode, difference: Mismatch, shown: CrossRead, rejection: str | None = None) -> None:
        """Add a difference that one message showed."""
        kind, subject, message, number, level = difference
        direction, level = mode.direction, level or mode.level
        name: str = shown.written.DESCRIPTOR.full_name
        if not kind.breaks:
            self.note(Difference(direction, level, kind, subject, message, name, number))
            return
        key = (direction, level, subject)
        if key not in self._breaks or shown.size < self._breaks[key][0]:
            witness = shown.witness(direction, rejection, number if kind is DifferenceKind.DEFAULT else None)
            # The schemas may differ although this message does not show it.
            if witness.old != witness.new:
                self._breaks[key] = shown.size, Difference(direction, level, kind, subject, message, name, number, witness)

    def note(self, note: Difference) -> None:
        """Add a compatible difference."""
        self._notes.setdefault((note.direction, note.kind, note.subject), note)

    def comparison(self, old: Schema, new: Schema, matching: Matching, compared: int) -> Comparison:
        """Return the result, ordered by direction, level and subject."""
        order = {member: i for enum in (Direction, DifferenceLevel) for i, member in enumerate(enum)}

        def sort_key(d: Difference) -> tuple[int, int, str, int, str]:
            return order[d.direction], order[d.level], d.message_type, d.number, d.subject

        breaks = sorted((difference for _, difference in self._breaks.values()), key=sort_key)
        notes = sorted(self._notes.values(), key=sort_key)
        rules = old.limits is not None and new.limits is not None
        return Comparison(old.name, new.name, breaks, notes, compared, matching.only_old, matching.only_new, rules)


def _reachable(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield the pairs and, recursively, the pairs of message types in fields with the same number or name."""
    seen: set[tuple[str, str]] = set()
    waiting = list(reversed(pairs))
    while waiting:
        old, new = waiting.pop()
        if (old.full_name, new.full_name) in seen:
            continue
        seen.add((old.full_name, new.full_name))
        if not old.GetOptions().map_entry:
            yield old, new
        for field in old.fields:
            for other in (new.fields_by_number.get(field.number), new.fields_by_name.get(field.name)):
                inside = None if other is None else inside_both(field, other)
                if inside is not None:
                    waiting.append(inside)


def _compare_pair(old: Descriptor, new: Descriptor, limits: tuple[Limits, Limits] | None, found: _Findings) -> None:
    for direction in Direction:
        ahead = direction is Direction.OLD_READS_NEW
        writer, reader = (new, old) if ahead else (old, new)
        for message in examples(writer, reader):
            for level, proto_names in _ENCODINGS:
                _try(message, reader, ReadMode(direction, level, proto_names), found)
        for message, difference in default_mismatches(writer, reader):
            if (shown := read_across(message, reader, DifferenceLevel.BINARY)) is not None:
                found.add(ReadMode(direction, DifferenceLevel.MEANING), difference, shown)
        for shown, difference in limit_examples(writer, reader, *(reversed(limits) if ahead else limits)) if limits else ():
            rejection = f"{difference.subject} {difference.message}"
            found.add(ReadMode(direction, DifferenceLevel.RULES), difference, shown, rejection)
    _note_renames(old, new, found)


def _try(message: Message, reader: Descriptor, mode: ReadMode, found: _Findings) -> None:
    shown = read_across(message, reader, mode.level, proto_names=mode.proto_names)
    if shown is None:
        return
    if shown.read is not None:
        for difference in mode.mismatches(message, shown.read):
            found.add(mode, difference, shown)
        return
    text = f"makes the reader reject the message: {shown.error}"
    for subject, number in blame(message, reader, mode):
        found.add(mode, Mismatch(DifferenceKind.REJECTED, subject, text, number), shown)


def _note_renames(old: Descriptor, new: Descriptor, found: _Findings) -> None:
    def note(subject: str, name: str, number: int) -> None:
        key = Direction.NEW_READS_OLD, DifferenceLevel.BINARY, DifferenceKind.RENAMED
        found.note(Difference(*key, subject, f"is named {name} in the new schema", old.full_name, number))

    if old.full_name != new.full_name:
        note(old.full_name, new.full_name, 0)
    for field in old.fields:
        other = new.fields_by_number.get(field.number)
        crosses = field.name in new.fields_by_name or (other is not None and other.name in old.fields_by_name)
        if other is not None and other.name != field.name and not crosses:
            note(field.full_name, other.name, field.number)
