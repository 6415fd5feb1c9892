"""Carrying a message from one schema to another for real, and showing what either makes of it."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf import json_format, text_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, EncodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire.schemas.report import Direction, Level, Reading, Witness
from gateway_entities.wire.schemas.signature import enum_of, missing_fields, names_of, type_of


@dataclass(frozen=True, slots=True)
class Passage:
    """A message that was written in one schema and read in the other.

    Attributes:
        written: what the writer reads back: the same message.
        data: the bytes the writer writes, deterministically.
        json: what the writer writes as JSON, if the message has a JSON form.
        read: what the reader makes of it; None if it cannot read it.
        fault: why it cannot.
    """

    written: Message
    data: bytes
    json: str | None
    read: Message | None
    fault: str | None

    @property
    def size(self) -> int:
        """How long what was carried is, in bytes or in characters of JSON."""
        return len(self.data) if self.json is None else len(self.json)

    def witness(self, direction: Direction, refusal: str | None = None, left_out: int | None = None) -> Witness:
        """Return it as a witness.

        Args:
            direction: who of the two has the old schema.
            refusal: why the reader's rules refuse the message, if that is what it shows.
            left_out: the number of a field whose absence it shows: the readings then say what that means.
        """
        writer = reading(self.written, left_out=left_out)
        if self.read is None:
            reader = Reading(None, None, self.fault)
        else:
            missing = missing_fields(self.read)
            fault = f"required fields are missing: {', '.join(missing)}" if missing else refusal
            reader = reading(self.read, fault, left_out)
        old, new = (writer, reader) if direction is Direction.NEW_READS_OLD else (reader, writer)
        return Witness(self.written.DESCRIPTOR.full_name, self.data, self.json or writer.json, old, new)


def carry(message: Message, reader: Descriptor, level: Level, *, proto_names: bool = False) -> Passage | None:
    """Write a message in its own schema and read it in the reader's.

    Args:
        message: what to write.
        reader: the type to read it as, which may be of another descriptor pool.
        level: JSON to carry it as JSON, any other level to carry it as bytes.
        proto_names: whether the JSON names fields as the proto does.

    Returns:
        What came of it; None if the writer itself cannot write the message, or reads it back differently.
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
        if level is Level.JSON:
            text = _to_json(message, proto_names=proto_names)
            if text is None or json_format.Parse(text, type(message)()) != message:
                return None
            json_format.Parse(text, target, ignore_unknown_fields=True)
        else:
            target.MergeFromString(data)
    except (DecodeError, json_format.ParseError) as error:
        return Passage(written, data, text, None, str(error))
    return Passage(written, data, text, target, None)


def reading(message: Message, fault: str | None = None, left_out: int | None = None) -> Reading:
    """Return how a message reads, as text and as JSON, with what a field that is left out means if its number is given."""
    text = text_format.MessageToString(message, as_one_line=True, print_unknown_fields=True)
    if left_out is not None:
        field = type_of(message).fields_by_number[left_out]
        value = getattr(message, field.name)
        enum = enum_of(field)
        shown = repr(value) if enum is None else " or ".join(sorted(names_of(enum, value))) or str(value)
        text = f"{text} # left out, {field.name} means {shown}".lstrip()
    return Reading(text, _to_json(message, proto_names=False), fault)


def _to_json(message: Message, *, proto_names: bool) -> str | None:
    try:
        return json_format.MessageToJson(message, indent=None, preserving_proto_field_name=proto_names)
    except (json_format.Error, ValueError, TypeError, AttributeError):
        # Such as an Any of an unknown type, or bytes in a field of text, which proto2 lets pass.
        return None
