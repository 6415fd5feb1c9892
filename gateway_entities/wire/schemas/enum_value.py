"""How an enum value of one schema maps to the enum of the other."""

from __future__ import annotations

from enum import Enum

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.descriptor_pb2 import EnumDescriptorProto

from gateway_entities.wire.schemas.report import DifferenceLevel
from gateway_entities.wire.schemas.signature import names_of, reserves_number


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
    written, read = names_of(writer, number), names_of(reader, number)
    if written & read or (not written and not read):
        return Relation.SAME
    reader_names = {value.name for value in reader.values}
    if level is DifferenceLevel.JSON and written & reader_names:
        return Relation.SAME
    if read:
        crosses = written & reader_names or read & {value.name for value in writer.values}
        return Relation.OTHER if crosses else Relation.RENAMED
    if written & reader_names:
        return Relation.MOVED
    return Relation.RESERVED if _reserved(reader, number, written, level) else Relation.NOTHING


def _reserved(enum: EnumDescriptor, number: int, names: set[str], level: DifferenceLevel) -> bool:
    described = EnumDescriptorProto()
    enum.CopyToProto(described)
    if level is DifferenceLevel.JSON:
        return bool(names.intersection(described.reserved_name))
    # Reserved ranges of enums include their end, those of messages do not.
    return reserves_number(((r.start, r.end + 1) for r in described.reserved_range), number)
