"""Input formats of messages: binary, hexadecimal, base64, length-delimited streams, JSON."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.errors import GatewayError
from gateway_entities.mlflow_rest import decode
from gateway_entities.wire.messages.check import check_message
from gateway_entities.wire.messages.json_form import json_message
from gateway_entities.wire.messages.report import Collector, Finding, Report
from gateway_entities.wire.messages.types import display_name, message_type_named, of_contract

InputFormat = Literal["binary", "hex", "base64", "stream", "json"]

INPUT_FORMATS: Final[dict[str, InputFormat]] = {
    **dict.fromkeys((".binpb", ".bin", ".pb"), "binary"),
    ".hex": "hex",
    **dict.fromkeys((".b64", ".base64"), "base64"),
    **dict.fromkeys((".stream", ".delimited"), "stream"),
    ".json": "json",
}
"""Input formats by file suffix."""
TEXT_FORMAT: Final = frozenset({".txtpb", ".textproto", ".textpb", ".pbtxt", ".prototxt"})
"""The suffixes of protobuf's text format, which is not read."""

_HEX_NOISE: Final = re.compile(rb"0x|[\s,:;]")
_SPACE: Final = re.compile(rb"\s")


class UnreadableError(ValueError):
    """An input that cannot be read or decoded. The text is the reason."""


class InputMessage(NamedTuple):
    """One message of an input.

    Attributes:
        offset: the offset of its first byte in the input.
        data: its bytes.
        finding: a fault of the stream's framing; None if there is none.
    """

    offset: int
    data: bytes
    finding: Finding | None = None


def from_hex(text: bytes) -> bytes:
    """Decode hexadecimal text. White space, commas, colons, semicolons and ``0x`` are ignored.

    Raises:
        UnreadableError: it is not hexadecimal.
    """
    try:
        return binascii.unhexlify(_HEX_NOISE.sub(b"", text))
    except binascii.Error as error:
        raise UnreadableError(f"it is not hexadecimal: {str(error).lower()}") from None


def from_base64(text: bytes) -> bytes:
    """Decode base64 text, standard or URL-safe, with or without padding.

    Raises:
        UnreadableError: it is not base64.
    """
    compact = _SPACE.sub(b"", text).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        return base64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except binascii.Error as error:
        raise UnreadableError(f"it is not base64: {str(error).lower()}") from None


def from_stream(data: bytes) -> Iterator[InputMessage]:
    """Yield the messages of a stream in which a varint length precedes each message."""
    at = 0
    while at < len(data):
        start = at
        length = shift = 0
        while at < len(data) and at - start < 10:
            byte = data[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if data[at - 1] > 127:
            text = "the length that starts here does not end; write a varint of at most 10 bytes before each message"
            yield InputMessage(start, b"", Finding("stream/length", "", start, text))
            return
        content = data[at : at + length]
        finding = None
        if len(content) < length:
            text = f"the message has {len(content)} of its {length} bytes; write all of them, or the correct length"
            finding = Finding("stream/truncated", "", start, text)
        yield InputMessage(at, content, finding)
        at += length


def check_json(text: bytes, message_type: type[Message] | str) -> Report:
    """Validate a message in JSON.

    Args:
        text: the JSON. Messages of the contract may be in proto3 JSON or in MLflow's, which has proto field names, and may
            have arrays of pairs for maps; others are in proto3 JSON, and checked as strictly as protobuf's parsers do.
        message_type: the type, as a class or by name (see ``message_type_named``).

    Raises:
        LookupError: no type has this name.
    """
    kind = message_type_named(message_type) if isinstance(message_type, str) else message_type
    collector = Collector()
    report = Report(display_name(kind), canonical=None, rules_checked=False)
    try:
        value = json_message.load(text)
        if of_contract(kind):
            value = decode.load(text)
    except (GatewayError, ValueError) as error:
        collector.add("json/syntax", "", None, error.message if isinstance(error, GatewayError) else str(error))
        return collector.into(report)
    message = (_of_dialect if of_contract(kind) else _of_protobuf)(value, kind, collector)
    if message is None:
        return collector.into(report)
    checked = check_message(message)
    names = collector.into(report)
    checked.findings = names.findings + checked.findings
    checked.more |= names.more
    return checked


def _of_protobuf(value: object, kind: type[Message], collector: Collector) -> Message | None:
    json_message.check_value(value, cast("Descriptor", kind.DESCRIPTOR), collector)
    message = kind()
    try:
        json_format.ParseDict(cast("Any", value), message, descriptor_pool=cast("Any", kind.DESCRIPTOR.file.pool))
    except Exception:  # It has more than one exception, and rejects less and more than other parsers.
        return None
    return message


def _of_dialect(value: object, kind: type[Message], collector: Collector) -> Message | None:
    fields = cast("dict[str, decode.Json]", value)
    _unknown_names(fields, cast("Descriptor", kind.DESCRIPTOR), collector)
    try:
        return decode.to_message(fields, kind)
    except GatewayError as error:
        for violation in error.field_violations:
            collector.add("json/value", violation.field, None, f"{violation.field} {violation.description}")
    return None


def _unknown_names(value: dict[str, decode.Json], descriptor: Descriptor, collector: Collector) -> None:
    waiting: list[tuple[decode.Json, Descriptor, str]] = [(value, descriptor, "")]
    while waiting:
        current, kind, prefix = waiting.pop()
        if not isinstance(current, dict):
            continue
        fields = {n: one for one in cast("list[FieldDescriptor]", kind.fields) for n in (one.name, one.json_name)}
        for name, item in current.items():
            field = fields.get(name)
            if field is None:
                if collector.count_in("json/unknown-field"):
                    path = f"{prefix}{name[:60]}".encode(errors="backslashreplace").decode()
                    text = f"{path} is not a field of {kind.name}; use the names of its fields"
                    collector.append("json/unknown-field", path, None, text)
                continue
            inner = field.message_type
            if inner is None or inner.GetOptions().map_entry or inner.file.package == "google.protobuf":
                continue
            elements = item if isinstance(item, list) else [item]
            for position, element in enumerate(elements):
                path = f"{prefix}{field.name}[{position}]" if field.is_repeated else prefix + field.name
                waiting.append((element, inner, f"{path}."))
