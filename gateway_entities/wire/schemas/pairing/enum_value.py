"""How an enum value of one schema maps to the enum of the other."""

from __future__ import annotations

from enum import Enum

from google.protobuf.descriptor import EnumDescriptor

from gateway_entities.wire.schemas.model.signature import enum_index, names_of, reserves_number
from gateway_entities.wire.schemas.report import DifferenceLevel


class Relation(Enum):
    """Counterpart of an enum value in the reader's enum."""

    SAME = "the same value"
    RENAMED = "the same number, another name"
    MOVED = "the same name, another number"
    OTHER = "an unrelated value with that number"
    RESERVED = "none; reserved"
    NOTHING = "none"


def relation(writer: EnumDescriptor, number: int, reader: EnumDescriptor, level: DifferenceLevel) -> Relation:
    """Return the counterpart of a writer's enum value in the reader's enum.

    Bytes carry the number, JSON the name. The same number under another name is RENAMED unless either name belongs to
    another number on the other side; then it is OTHER.
    """
    index = enum_index(reader)
    written, read = names_of(writer, number), names_of(reader, number)
    if not set(written).isdisjoint(read) or (not written and not read):
        return Relation.SAME
    known = any(name in index.numbers for name in written)
    if level is DifferenceLevel.JSON and known:
        return Relation.SAME
    if read:
        crosses = known or any(name in enum_index(writer).numbers for name in read)
        return Relation.OTHER if crosses else Relation.RENAMED
    if known:
        return Relation.MOVED
    by_name = level is DifferenceLevel.JSON
    reserved = not index.reserved_names.isdisjoint(written) if by_name else reserves_number(index.reserved_ranges, number)
    return Relation.RESERVED if reserved else Relation.NOTHING
