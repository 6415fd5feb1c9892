"""Differences in the default values of absent fields."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.wire.schemas.differences import Mismatch, same_values
from gateway_entities.wire.schemas.model.signature import enum_of, message_of, names_of
from gateway_entities.wire.schemas.pairing.enum_value import Relation, relation
from gateway_entities.wire.schemas.proof.examples import minimal
from gateway_entities.wire.schemas.report import DifferenceKind, DifferenceLevel


def default_mismatches(writer: Descriptor, reader: Descriptor) -> Iterator[tuple[Message, Mismatch]]:
    """Yield each field whose default differs for the reader, with a message that leaves it out."""
    for field in writer.fields:
        other = reader.fields_by_number.get(field.number)
        if other is None or other.name != field.name or any(_has_no_default(f) for f in (field, other)):
            continue
        if not _same_default(field, other):
            message = f"defaults to {_shown(field)} for the writer and to {_shown(other)} for the reader"
            try:
                yield minimal(writer), Mismatch(DifferenceKind.DEFAULT, field.full_name, message, field.number)
            except ValueError:
                return


def _has_no_default(field: FieldDescriptor) -> bool:
    return field.is_repeated or field.is_required or message_of(field) is not None


def _same_default(field: FieldDescriptor, other: FieldDescriptor) -> bool:
    enum, other_enum = enum_of(field), enum_of(other)
    if enum is not None and other_enum is not None:
        found = relation(enum, field.default_value, other_enum, DifferenceLevel.BINARY)
        return field.default_value == other.default_value and found not in (Relation.OTHER, Relation.MOVED)
    if enum is None and other_enum is None and type(field.default_value) is not type(other.default_value):
        # The zero values of different types are both "unset".
        return not field.default_value and not other.default_value
    return same_values(field, other, [field.default_value], [other.default_value])


def _shown(field: FieldDescriptor) -> str:
    enum = enum_of(field)
    if enum is not None:
        return " or ".join(names_of(enum, field.default_value)) or str(field.default_value)
    return repr(field.default_value)
