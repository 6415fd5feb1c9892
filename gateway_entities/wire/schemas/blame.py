"""Which field makes a reader refuse a whole message."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire.schemas.differences import Exchange, values_of
from gateway_entities.wire.schemas.examples import put
from gateway_entities.wire.schemas.report import Level
from gateway_entities.wire.schemas.signature import inside_both, map_entry, message_of


def culprits(message: Message, reader: Descriptor, exchange: Exchange) -> Iterator[tuple[str, int]]:
    """Yield the full name and the number of what makes the reader refuse a message.

    That is each field that it refuses by itself; or else the oneof of which two are set; or else, for a message without
    fields, the message. A field whose message inside is at fault does not count: that message is compared by itself.
    """
    fields = [field for field, _ in message.ListFields() if not field.is_extension]
    if not fields:
        yield message.DESCRIPTOR.full_name, 0
    refused = [field for field in fields if _refused(_alone(message, field), reader, exchange)]
    for field in refused:
        other = exchange.reader_field(field, reader)
        if other is None or not _inside(field, other, exchange):
            yield field.full_name, field.number
    if not refused:
        for oneof in reader.oneofs:
            taken = [
                f for f in fields if (o := exchange.reader_field(f, reader)) is not None and o.containing_oneof is oneof
            ]
            if len(taken) > 1:
                yield oneof.full_name, 0


def _alone(message: Message, field: FieldDescriptor) -> Message:
    alone = type(message)()
    put(alone, field, values_of(message, field))
    return alone


def _refused(message: Message, reader: Descriptor, exchange: Exchange) -> bool:
    target = GetMessageClass(reader)()
    try:
        if exchange.level is Level.JSON:
            text = json_format.MessageToJson(message, preserving_proto_field_name=exchange.proto_names)
            json_format.Parse(text, target, ignore_unknown_fields=True)
        else:
            target.MergeFromString(message.SerializePartialToString())
    except (DecodeError, json_format.ParseError):
        return True
    return False


def _inside(field: FieldDescriptor, other: FieldDescriptor, exchange: Exchange) -> bool:
    if inside_both(field, other) is None:
        return False
    entry, other_entry = map_entry(field), map_entry(other)
    if entry is not None and other_entry is not None:
        values = [message_of(e.fields_by_name["value"]) for e in (entry, other_entry)]
        return entry.fields_by_name["key"].type == other_entry.fields_by_name["key"].type and None not in values
    return exchange.level is not Level.JSON or field.is_repeated == other.is_repeated
