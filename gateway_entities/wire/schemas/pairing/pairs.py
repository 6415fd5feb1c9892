"""Which types are compared with which: those that belong together, and those that a field or an RPC leads to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire.schemas.differences import Mismatch, ReadMode, element_of, named_like
from gateway_entities.wire.schemas.found import Break, Found
from gateway_entities.wire.schemas.model.signature import (
    enums_inside,
    field_keyed,
    field_numbered,
    fields_of,
    inside_both,
    json_name,
    map_entry,
    message_of,
    value_field,
)
from gateway_entities.wire.schemas.pairing.enum_pairs import EnumUse
from gateway_entities.wire.schemas.pairing.matching import Matching
from gateway_entities.wire.schemas.parts import WHOLE_FIELDS
from gateway_entities.wire.schemas.proof.content import put
from gateway_entities.wire.schemas.proof.examples import contents, minimal
from gateway_entities.wire.schemas.proof.witness import CrossRead, read_across
from gateway_entities.wire.schemas.report import DifferenceLevel, Direction, Element

_ALL = frozenset(DifferenceLevel)
_JSON = frozenset((DifferenceLevel.JSON,))
_OTHERS = _ALL - _JSON


class Lead(NamedTuple):
    """A field or an RPC that leads to a pair of types that do not belong together.

    Attributes:
        parent: the pair whose messages hold the field; None for an RPC.
        old: the old field or RPC.
        new: the new field or RPC.
        levels: where values of the old type are read as the new one.
    """

    parent: Pair | None
    old: FieldDescriptor | MethodDescriptor
    new: FieldDescriptor | MethodDescriptor
    levels: frozenset[DifferenceLevel]


@dataclass(eq=False, slots=True)
class Pair:
    """Two messages or two enums that are compared.

    Attributes:
        old: the old type.
        new: the new type.
        belong: whether they are one type in both schemas, rather than two that a field leads to.
        leads: what leads here, if they are two types.
        use: a field that shows an enum's values.
        found: their differences.
        parts: if they are large, the parts that hold each changed field, by the old field's number.
    """

    old: Descriptor | EnumDescriptor
    new: Descriptor | EnumDescriptor
    belong: bool
    leads: list[Lead] = field(default_factory=list[Lead])
    use: EnumUse | None = None
    found: Found = field(default_factory=Found)
    parts: dict[int, tuple[Descriptor, Descriptor]] = field(default_factory=dict[int, tuple[Descriptor, Descriptor]])


class Pairs:
    """All pairs that are reached from those that belong together."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching
        self._pairs: dict[tuple[str, str], Pair] = {}
        self._waiting: list[Pair] = []

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs.values())

    def add(
        self,
        old: Descriptor | EnumDescriptor,
        new: Descriptor | EnumDescriptor,
        lead: Lead | None = None,
        use: EnumUse | None = None,
    ) -> None:
        """Add a pair, and all that its fields lead to."""
        self._add(old, new, lead, use)
        while self._waiting:
            pair = self._waiting.pop()
            if isinstance(pair.old, Descriptor) and isinstance(pair.new, Descriptor):
                self._follow(pair, pair.old, pair.new)

    def _add(
        self,
        old: Descriptor | EnumDescriptor,
        new: Descriptor | EnumDescriptor,
        lead: Lead | None,
        use: EnumUse | None = None,
    ) -> None:
        key = (old.full_name, new.full_name)
        pair = self._pairs.get(key)
        if pair is None:
            pair = Pair(old, new, self._matching.belong(*key))
            self._pairs[key] = pair
            self._waiting.append(pair)
        if lead is not None and not pair.belong:
            pair.leads.append(lead)
        if pair.use is None or (use is not None and pair.use.field.is_repeated and not use.field.is_repeated):
            pair.use = use or pair.use

    def _follow(self, pair: Pair, old: Descriptor, new: Descriptor) -> None:
        small = max(len(old.fields), len(new.fields)) <= WHOLE_FIELDS
        for ours in fields_of(old):
            for theirs, levels in _readers(ours, new):
                messages, enums = inside_both(ours, theirs), enums_inside(ours, theirs)
                lead = Lead(pair, ours, theirs, levels)
                if messages is not None:
                    self._add(*messages, lead)
                elif enums is not None:
                    shown = (
                        small and levels is _ALL and pair.belong and not ours.is_extension and _keeps_values(ours, theirs)
                    )
                    self._add(*enums, lead, EnumUse(old, new, ours, theirs) if shown else None)


def _keeps_values(old: FieldDescriptor, new: FieldDescriptor) -> bool:
    """Return whether a field carries each value alone and alike on both sides."""
    entries = map_entry(old), map_entry(new)
    keys = [None if entry is None else entry.fields_by_name["key"].type for entry in entries]
    return keys[0] == keys[1] and old.is_repeated == new.is_repeated


def _readers(ours: FieldDescriptor, new: Descriptor) -> Iterator[tuple[FieldDescriptor, frozenset[DifferenceLevel]]]:
    """Yield the fields that receive a field's values, and where."""
    numbered = field_numbered(new, ours.number)
    if numbered is not None and numbered.name == ours.name and json_name(numbered) == json_name(ours):
        yield numbered, _ALL
        return
    if numbered is not None:
        yield numbered, _OTHERS
    keyed = [field_keyed(new, json_name(ours)), named_like(ours, new)]
    for theirs in {f.number: f for f in keyed if f is not None}.values():
        yield theirs, _JSON


def blame_leads(pairs: Iterable[Pair], services: Found) -> None:
    """Report the breaks of two types that do not belong together as breaks of the fields and RPCs that lead to them."""
    waiting: deque[tuple[Pair, Direction, DifferenceLevel, Break]] = deque()
    seen: set[tuple[Pair, Direction, DifferenceLevel]] = set()

    def blame_next(pair: Pair) -> None:
        for (direction, level), smallest in () if pair.belong else tuple(pair.found.smallest()):
            if (pair, direction, level) not in seen:
                seen.add((pair, direction, level))
                waiting.append((pair, direction, level, smallest))

    for pair in pairs:
        blame_next(pair)
    while waiting:
        pair, direction, level, inner = waiting.popleft()
        for lead in pair.leads:
            if level not in lead.levels:
                continue
            if lead.parent is None:
                _blame_rpc(lead, pair, inner, services)
            else:
                _blame_field(lead, lead.parent, pair, inner, ReadMode(direction, level))
                blame_next(lead.parent)


def _blame_field(lead: Lead, parent: Pair, pair: Pair, inner: Break, mode: ReadMode) -> None:
    shown = _wrapped(lead, parent, inner, mode)
    ahead = mode.direction is Direction.OLD_READS_NEW
    named = lead.new if ahead else lead.old
    if shown is None or not isinstance(named, FieldDescriptor):
        return
    text = _text(pair, inner, mode.direction)
    mismatch = Mismatch(inner.difference.kind, named.full_name, text, named.number, None, element_of(named))
    parent.found.add(mode, mismatch, shown, owner=(parent.new if ahead else parent.old).full_name, inner=inner)


def _text(pair: Pair, inner: Break, direction: Direction) -> str:
    old, new = pair.old, pair.new
    writer, reader = (old, new) if direction is Direction.NEW_READS_OLD else (new, old)
    names = [writer.name, reader.name]
    if names[0] == names[1]:
        names = [writer.full_name, reader.full_name]
    subject = inner.difference.subject.removeprefix(f"{writer.full_name}.")
    about = f"{subject} {inner.difference.message}" if subject != writer.full_name else f"which {inner.difference.message}"
    return f"is {names[0]} for the writer and {names[1]} for the reader: {about}"


def _wrapped(lead: Lead, parent: Pair, inner: Break, mode: ReadMode) -> CrossRead | None:
    """Return the message that holds another in the leading field, as written and read."""
    if not isinstance(lead.old, FieldDescriptor) or not isinstance(lead.new, FieldDescriptor):
        return None
    old, new = parent.parts.get(lead.old.number, (parent.old, parent.new))
    if not isinstance(old, Descriptor) or not isinstance(new, Descriptor):
        return None
    ahead = mode.direction is Direction.OLD_READS_NEW
    writer, reader, member = (new, old, lead.new) if ahead else (old, new, lead.old)
    if not member.is_extension:
        member = writer.fields_by_number[member.number]
    try:
        message = minimal(writer)
    except ValueError:
        return None
    content = inner.content
    held = message_of(value_field(member))
    if held is not None:
        content = GetMessageClass(held).FromString(content.SerializeToString())
    key = [key for values in contents(member)[:1] for key, _ in values] if map_entry(member) is not None else []
    put(message, member, [(key[0], content)] if key else [content])
    return read_across(message, reader, mode.level)


def _blame_rpc(lead: Lead, pair: Pair, inner: Break, services: Found) -> None:
    direction, level = inner.difference.direction, inner.difference.level
    named = lead.old if direction is Direction.NEW_READS_OLD else lead.new
    if isinstance(named, FieldDescriptor):
        return
    mismatch = Mismatch(inner.difference.kind, named.full_name, _text(pair, inner, direction), 0, None, Element.RPC)
    mode = ReadMode(direction, level)
    services.add(mode, mismatch, inner.shown, owner=named.containing_service.full_name, inner=inner)
