"""Writing a message under one schema, reading it under another, and showing both results."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf import json_format, text_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, EncodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire.schemas.report import DifferenceLevel, Direction, Witness, WitnessReading
from gateway_entities.wire.schemas.signature import enum_of, missing_fields, names_of, type_of


@dataclass(frozen=True, slots=True)
class CrossRead:
    """A message written under one schema and read under another.

    Attributes:
        written: the message in the writer's schema.
        data: its deterministic bytes.
        json: its JSON, if it was sent as JSON.
        read: the message in the reader's schema; None if it cannot be read.
        error: why it cannot be read.
    """

    written: Message
    data: bytes
    json: str | None
    read: Message | None
    error: str | None

    @property
    def size(self) -> int:
        """Length of the encoded message, in bytes or in characters of JSON."""
        return len(self.data) if self.json is None else len(self.json)

    def witness(self, direction: Direction, rejection: str | None = None, left_out: int | None = None) -> Witness:
        """Return it as a witness.

        Args:
            direction: which of the two has the old schema.
            rejection: why the reader's rules reject the message, if they do.
            left_out: the number of an absent field whose default is to be shown.
        """
        writer = witness_reading(self.written, left_out=left_out)
        if self.read is None:
            reader = WitnessReading(None, None, self.error)
        else:
            missing = missing_fields(self.read)
            fault = f"required fields are missing: {', '.join(missing)}" if missing else rejection
            reader = witness_reading(self.read, fault, left_out)
        old, new = (writer, reader) if direction is Direction.NEW_READS_OLD else (reader, writer)
        return Witness(self.written.DESCRIPTOR.full_name, self.data, self.json or writer.json, old, new)


def read_across(
    message: Message, reader: Descriptor, level: DifferenceLevel, *, proto_names: bool = False
) -> CrossRead | None:
    """Write a message under its own schema and read it under the reader's.

    Args:
        message: the message to write.
        reader: the type to read it as; may be in another descriptor pool.
        level: JSON for JSON, any other level for bytes.
        proto_names: whether JSON has the field names of the proto.

    Returns:
        The result; None if the message does not survive a round trip under its own schema.
    """
    target = GetMessageClass(reader)()
    try:
        data = message.SerializeToString(deterministic=True)
        written = type(message).FromString(data)
    except (EncodeError, DecodeError):
        return None
    if written != message:
        return None
    text: str | None = None
    try:
        if level is DifferenceLevel.JSON:
            text = _to_json(message, proto_names=proto_names)
            if text is None or json_format.Parse(text, type(message)()) != message:
                return None
            json_format.Parse(text, target, ignore_unknown_fields=True)
        else:
            target.MergeFromString(data)
    except (DecodeError, json_format.ParseError) as error:
        return CrossRead(written, data, text, None, str(error))
    return CrossRead(written, data, text, target, None)


def witness_reading(message: Message, fault: str | None = None, left_out: int | None = None) -> WitnessReading:
    """Return a message as text and JSON, with the default of the field number ``left_out`` if given."""
    text = text_format.MessageToString(message, as_one_line=True, print_unknown_fields=True)
    if left_out is not None:
        field = type_of(message).fields_by_number[left_out]
        value = getattr(message, field.name)
        enum = enum_of(field)
        shown = repr(value) if enum is None else " or ".join(sorted(names_of(enum, value))) or str(value)
        text = f"{text} # default of {field.name}: {shown}".lstrip()
    return WitnessReading(text, _to_json(message, proto_names=False), fault)


def _to_json(message: Message, *, proto_names: bool) -> str | None:
    try:
        return json_format.MessageToJson(message, indent=None, preserving_proto_field_name=proto_names)
    except (json_format.Error, ValueError, TypeError, AttributeError):
        # Such as an Any of an unknown type, or invalid UTF-8, which proto2 accepts.
        return None
