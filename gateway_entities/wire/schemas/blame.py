"""The fields that make a reader reject a whole message."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire.schemas.differences import ReadMode, element_of
from gateway_entities.wire.schemas.model.signature import enums_inside, inside_both, map_entry, type_of
from gateway_entities.wire.schemas.proof.content import put, values_of
from gateway_entities.wire.schemas.proof.examples import look_alikes
from gateway_entities.wire.schemas.proof.witness import REFUSALS
from gateway_entities.wire.schemas.report import DifferenceLevel, Element


def blame(message: Message, reader: Descriptor, mode: ReadMode) -> Iterator[tuple[str, int, Element]]:
    """Yield the full name and number of each field, oneof or message that makes the reader reject a message.

    These are the fields that are rejected alone; failing that, the oneofs with two fields set; for a message without fields,
    the message. A field whose nested message is at fault is left out: that type is compared separately.
    """
    fields = [field for field, _ in message.ListFields()]
    own_form = mode.level is DifferenceLevel.JSON and look_alikes(type_of(message), reader)
    if not fields or _rejects(type(message)(), reader, mode):
        yield message.DESCRIPTOR.full_name, 0, Element.MESSAGE
        return
    rejected = fields if len(fields) == 1 else [field for field in fields if _rejects(_alone(message, field), reader, mode)]
    for field in rejected:
        other = mode.reader_field(field, reader)
        if other is None or own_form or not _compared_inside(field, other, mode):
            yield field.full_name, field.number, element_of(field)
    if not rejected:
        for oneof in reader.oneofs:
            members = [f for f in fields if (o := mode.reader_field(f, reader)) is not None and o.containing_oneof is oneof]
            if len(members) > 1:
                yield oneof.full_name, 0, Element.ONEOF


def _alone(message: Message, field: FieldDescriptor) -> Message:
    alone = type(message)()
    put(alone, field, values_of(message, field))
    return alone


def _rejects(message: Message, reader: Descriptor, mode: ReadMode) -> bool:
    target = GetMessageClass(reader)()
    try:
        if mode.level is DifferenceLevel.JSON:
            text = json_format.MessageToJson(message, preserving_proto_field_name=mode.proto_names)
            json_format.Parse(text, target, ignore_unknown_fields=True)
        else:
            target.MergeFromString(message.SerializePartialToString())
    except REFUSALS:
        return True
    return False


def _compared_inside(field: FieldDescriptor, other: FieldDescriptor, mode: ReadMode) -> bool:
    if inside_both(field, other) is None and enums_inside(field, other) is None:
        return False
    entry, other_entry = map_entry(field), map_entry(other)
    if entry is not None and other_entry is not None:
        return entry.fields_by_name["key"].type == other_entry.fields_by_name["key"].type
    return mode.level is not DifferenceLevel.JSON or field.is_repeated == other.is_repeated
