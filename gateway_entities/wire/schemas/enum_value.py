"""Which value of one schema's enum is which of the other's."""

from __future__ import annotations

from enum import Enum

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.descriptor_pb2 import EnumDescriptorProto

from gateway_entities.wire.schemas.report import Level
from gateway_entities.wire.schemas.signature import names_of, reserves_number


class Relation(Enum):
    """What the reader's enum has in place of a value."""

    SAME = "the same value"
    RENAMED = "the same number under another name"
    MOVED = "the name with another number"
    OTHER = "another value with that number"
    RESERVED = "nothing, on purpose"
    NOTHING = "nothing"


def relation(writer: EnumDescriptor, number: int, reader: EnumDescriptor, level: Level) -> Relation:
    """Return what the reader's enum has for a value of the writer's.

    In bytes a value is its number, in JSON its name. A value that has another name under the same number counts as renamed
    where neither name means anything else on the other side, and as another value where one does.
    """
    written, read = names_of(writer, number), names_of(reader, number)
    if written & read or (not written and not read):
        return Relation.SAME
    known = {value.name for value in reader.values}
    if level is Level.JSON and written & known:
        return Relation.SAME
    if read:
        crosses = written & known or read & {value.name for value in writer.values}
        return Relation.OTHER if crosses else Relation.RENAMED
    if written & known:
        return Relation.MOVED
    return Relation.RESERVED if _reserved(reader, number, written, level) else Relation.NOTHING


def _reserved(enum: EnumDescriptor, number: int, names: set[str], level: Level) -> bool:
    described = EnumDescriptorProto()
    enum.CopyToProto(described)
    if level is Level.JSON:
        return bool(names.intersection(described.reserved_name))
    # The ranges of enums, unlike those of messages, include their end.
    return reserves_number(((r.start, r.end + 1) for r in described.reserved_range), number)
