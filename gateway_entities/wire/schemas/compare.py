"""Two schemas, compared: what breaks for whom, each with the message that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from gateway_entities.errors import Code, GatewayError
from gateway_entities.wire.schemas.blame import culprits
from gateway_entities.wire.schemas.defaults import default_faults
from gateway_entities.wire.schemas.differences import Exchange, Fault
from gateway_entities.wire.schemas.examples import candidates
from gateway_entities.wire.schemas.limit_examples import refusals
from gateway_entities.wire.schemas.limits import Limits
from gateway_entities.wire.schemas.matching import Pairing, Rename, pair
from gateway_entities.wire.schemas.report import Comparison, Difference, Direction, Kind, Level
from gateway_entities.wire.schemas.schema import Schema, load
from gateway_entities.wire.schemas.signature import inside_both
from gateway_entities.wire.schemas.witness import Passage, carry

Pair = tuple[Descriptor, Descriptor]
_Key = tuple[Direction, Level, str]

_CARRIERS: Final = ((Level.BINARY, False), (Level.JSON, False), (Level.JSON, True))


def compare(
    old: Schema | str | Path | ModuleType,
    new: Schema | str | Path | ModuleType,
    *,
    only: str | None = None,
    renames: Sequence[Rename] = (),
) -> Comparison:
    """Compare two schemas.

    Messages are matched by full name; where the packages differ, by the name without the package if only one message on
    each side has it. Extensions and services are not compared.

    Args:
        old: the schema of the data and the programs that exist, or what ``load`` makes one of.
        new: the schema to replace it.
        only: a regular expression; compares messages whose full name it is found in, and what they reach.
        renames: further matches; the first pattern that fits the whole full name of an old message counts.

    Raises:
        GatewayError: INVALID_ARGUMENT or FAILED_PRECONDITION if a schema cannot be read, or an expression is not one.
    """
    old, new = (s if isinstance(s, Schema) else load(s) for s in (old, new))
    try:
        pairing = pair(old, new, renames)
        wanted = None if only is None else re.compile(only)
    except re.error as error:
        raise GatewayError(Code.INVALID_ARGUMENT, f"{error.pattern!r} is not a regular expression: {error}") from error
    chosen = [p for p in pairing.pairs if wanted is None or any(wanted.search(d.full_name) for d in p)]
    found = _Findings()
    pairs = list(_reached(chosen))
    limits = None if old.limits is None or new.limits is None else (old.limits, new.limits)
    for old_type, new_type in pairs:
        _compare_pair(old_type, new_type, limits, found)
    return found.comparison(old, new, pairing, len(pairs))


class _Findings:
    """The best witness of each break so far, and the notes."""

    def __init__(self) -> None:
        self._breaks: dict[_Key, tuple[int, Difference]] = {}
        self._notes: dict[tuple[Direction, Kind, str], Difference] = {}

    def add(self, direction: Direction, level: Level, fault: Fault, passage: Passage, refusal: str | None = None) -> None:
        """Take in what one message showed."""
        level = fault.level or level
        kind, subject, message, number, _ = fault
        name: str = passage.written.DESCRIPTOR.full_name
        if not kind.breaks:
            self.note(Difference(direction, level, kind, subject, message, name, number))
            return
        key = (direction, level, subject)
        if key not in self._breaks or passage.size < self._breaks[key][0]:
            witness = passage.witness(direction, refusal, number if kind is Kind.DEFAULT else None)
            if witness.old == witness.new:
                # Whatever the schemas say, this message does not show it.
                return
            self._breaks[key] = passage.size, Difference(direction, level, kind, subject, message, name, number, witness)

    def note(self, note: Difference) -> None:
        """Take in something that breaks nothing."""
        self._notes.setdefault((note.direction, note.kind, note.subject), note)

    def comparison(self, old: Schema, new: Schema, pairing: Pairing, compared: int) -> Comparison:
        """Return the result: breaks by direction, level and subject."""
        order = {member: i for enum in (Direction, Level) for i, member in enumerate(enum)}

        def place(d: Difference) -> tuple[int, int, str, int, str]:
            return order[d.direction], order[d.level], d.message_type, d.number, d.subject

        breaks = sorted((difference for _, difference in self._breaks.values()), key=place)
        notes = sorted(self._notes.values(), key=place)
        rules = old.limits is not None and new.limits is not None
        return Comparison(old.name, new.name, breaks, notes, compared, pairing.only_old, pairing.only_new, rules)


def _reached(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield the pairs and those of the message types that fields of the same number or name hold on both sides."""
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
        for message in candidates(writer, reader):
            for level, proto_names in _CARRIERS:
                _try(message, reader, Exchange(direction, level, proto_names), found)
        for message, fault in default_faults(writer, reader):
            if (passage := carry(message, reader, Level.BINARY)) is not None:
                found.add(direction, Level.MEANING, fault, passage)
        if limits is not None:
            for passage, fault in refusals(writer, reader, *(reversed(limits) if ahead else limits)):
                found.add(direction, Level.RULES, fault, passage, f"{fault.subject} {fault.message}")
    _note_renames(old, new, found)


def _try(message: Message, reader: Descriptor, exchange: Exchange, found: _Findings) -> None:
    passage = carry(message, reader, exchange.level, proto_names=exchange.proto_names)
    if passage is None:
        return
    if passage.read is not None:
        for fault in exchange.faults(message, passage.read):
            found.add(exchange.direction, exchange.level, fault, passage)
        return
    for subject, number in culprits(message, reader, exchange):
        fault = Fault(Kind.REJECTED, subject, f"makes the reader refuse the message: {passage.fault}", number)
        found.add(exchange.direction, exchange.level, fault, passage)


def _note_renames(old: Descriptor, new: Descriptor, found: _Findings) -> None:
    if old.full_name != new.full_name:
        message = f"is {new.full_name} in the new schema"
        found.note(Difference(Direction.NEW_READS_OLD, Level.BINARY, Kind.RENAMED, old.full_name, message, old.full_name, 0))
    for field in old.fields:
        other = new.fields_by_number.get(field.number)
        crosses = field.name in new.fields_by_name or (other is not None and other.name in old.fields_by_name)
        if other is not None and other.name != field.name and not crosses:
            message = f"is called {other.name} in the new schema"
            found.note(
                Difference(
                    Direction.NEW_READS_OLD,
                    Level.BINARY,
                    Kind.RENAMED,
                    field.full_name,
                    message,
                    old.full_name,
                    field.number,
                )
            )
