"""Writing a message under one schema, reading it under another, and showing both results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from google.protobuf import json_format, text_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, EncodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire.schemas.model.signature import enum_of, missing_fields, names_of, type_of
from gateway_entities.wire.schemas.parts import original_text, true_name
from gateway_entities.wire.schemas.proof.content import value_of
from gateway_entities.wire.schemas.report import DifferenceLevel, Direction, Witness, WitnessReading

# json_format lets through what its readers of well-known types and of wrong types raise.
REFUSALS: Final = (DecodeError, json_format.Error, UnicodeError, ValueError, TypeError, AttributeError, KeyError)
"""What a parser raises for a message that it does not read."""
DEFAULT_NOTE: Final = "# default of "
"""What precedes the default of an absent field in a witness's text, as a comment of the text format."""


@dataclass(frozen=True, slots=True)
class CrossRead:
    """A message written under one schema and read under another.

    Attributes:
        written: the message in the writer's schema.
        data: its deterministic bytes.
        json: its JSON, if it was sent as JSON.
        read: the message in the reader's schema; None if it cannot be read.
        error: why it cannot be read.
        has_json: whether JSON can hold the message at all.
    """

    written: Message
    data: bytes
    json: str | None
    read: Message | None
    error: str | None
    has_json: bool = True

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
        if not self.has_json:
            writer, reader = writer._replace(json=None), reader._replace(json=None)
        old, new = (writer, reader) if direction is Direction.NEW_READS_OLD else (reader, writer)
        return Witness(true_name(self.written.DESCRIPTOR.full_name), self.data, self.json or writer.json, old, new)


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
    except (EncodeError, DecodeError, UnicodeDecodeError):
        return None
    if not _equal(written, message):
        return None
    text: str | None = None
    if level is DifferenceLevel.JSON:
        text = _to_json(message, proto_names=proto_names)
        if text is None or not _reads_itself(message, text):
            return None
    return _received(written, data, text, target)


def read_text(message: Message, text: str, reader: Descriptor) -> CrossRead | None:
    """Read JSON that means the same as a message, such as one with another name of an enum's value, as another type.

    Returns:
        The result; None if the writer's schema does not read it as the message.
    """
    if not _reads_itself(message, text):
        return None
    return _received(message, message.SerializeToString(deterministic=True), text, GetMessageClass(reader)())


def _received(written: Message, data: bytes, text: str | None, target: Message) -> CrossRead:
    try:
        if text is not None:
            json_format.Parse(text, target, ignore_unknown_fields=True)
        else:
            target.MergeFromString(data)
    except REFUSALS as error:
        return CrossRead(written, data, text, None, original_text(str(error)))
    return CrossRead(written, data, text, target, None)


def _equal(message: Message, other: Message) -> bool:
    try:
        return bool(message == other)
    except KeyError:
        # The pure Python runtime compares what Any holds, and fails if it does not know the type.
        return message.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)


def _reads_itself(message: Message, text: str) -> bool:
    try:
        return _equal(json_format.Parse(text, type(message)()), message)
    except REFUSALS:
        return False


def witness_reading(message: Message, fault: str | None = None, left_out: int | None = None) -> WitnessReading:
    """Return a message as text and JSON, with the default of the field number ``left_out`` if given."""
    try:
        text = text_format.MessageToString(message, as_one_line=True, print_unknown_fields=True)
    except UnicodeError:
        # The runtime does not print the keys of such a map.
        text = f"# text that is not UTF-8, in {message.SerializePartialToString().hex(' ')}"
    if left_out is not None:
        field = type_of(message).fields_by_number[left_out]
        value = value_of(message, field)
        enum = enum_of(field)
        shown = repr(value) if enum is None else " or ".join(names_of(enum, value)) or str(value)
        text = f"{text} {DEFAULT_NOTE}{field.name}: {shown}".lstrip()
    return WitnessReading(text, _to_json(message, proto_names=False), fault)


def _to_json(message: Message, *, proto_names: bool) -> str | None:
    try:
        return json_format.MessageToJson(message, indent=None, preserving_proto_field_name=proto_names)
    except (json_format.Error, ValueError, TypeError, AttributeError):
        # Such as an Any of an unknown type, or invalid UTF-8, which proto2 accepts.
        return None
