"""The forms in which messages come: raw bytes, hexadecimal, base64, a stream of many, JSON."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.errors import GatewayError
from gateway_entities.mlflow_rest import decode
from gateway_entities.wire.messages.check import check_message
from gateway_entities.wire.messages.layout import message_type_named
from gateway_entities.wire.messages.report import Collector, Finding, Report

Form = Literal["binary", "hex", "base64", "stream", "json"]

FORMS: Final[dict[str, Form]] = {
    **dict.fromkeys((".binpb", ".bin", ".pb"), "binary"),
    ".hex": "hex",
    **dict.fromkeys((".b64", ".base64"), "base64"),
    **dict.fromkeys((".stream", ".delimited"), "stream"),
    ".json": "json",
}
"""The form of a file, by the end of its name."""

_HEX_NOISE: Final = re.compile(rb"0x|[\s,:;]")
_SPACE: Final = re.compile(rb"\s")


class UnreadableError(ValueError):
    """An input that is not of the form that it is said to be. The text says why."""


class Part(NamedTuple):
    """One message of an input.

    Attributes:
        offset: where its first byte is in the input.
        data: its bytes.
        finding: what is wrong with its place in the stream; None when nothing is.
    """

    offset: int
    data: bytes
    finding: Finding | None = None


def from_hex(text: bytes) -> bytes:
    """Return the bytes that hexadecimal text names. Spaces, commas, colons and ``0x`` do not count.

    Raises:
        UnreadableError: it is not hexadecimal.
    """
    try:
        return binascii.unhexlify(_HEX_NOISE.sub(b"", text))
    except binascii.Error as error:
        raise UnreadableError(f"it is not hexadecimal: {str(error).lower()}") from None


def from_base64(text: bytes) -> bytes:
    """Return the bytes that base64 text names, in either alphabet, with or without padding.

    Raises:
        UnreadableError: it is not base64.
    """
    compact = _SPACE.sub(b"", text).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        return base64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except binascii.Error as error:
        raise UnreadableError(f"it is not base64: {str(error).lower()}") from None


def from_stream(data: bytes) -> Iterator[Part]:
    """Yield the messages of a length-delimited stream: before each stands its length, as a varint."""
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
            text = "the length that begins here has no end; write a varint of at most 10 bytes before each message"
            yield Part(start, b"", Finding("stream/length", "", start, text))
            return
        held = data[at : at + length]
        finding = None
        if len(held) < length:
            text = f"the message has {len(held)} of its {length} bytes; write all of them, and their right number"
            finding = Finding("stream/truncated", "", start, text)
        yield Part(at, held, finding)
        at += length


def check_json(text: bytes, message_type: type[Message] | str) -> Report:
    """Return what is wrong with a message in JSON, proto3's form of it or MLflow's, which one reader understands.

    Args:
        text: the JSON. MLflow's form has the fields' own names and, for maps, also arrays of pairs.
        message_type: the type, as a class or by name (see ``message_type_named``).

    Raises:
        LookupError: no type has this name.
    """
    kind = message_type_named(message_type) if isinstance(message_type, str) else message_type
    collector = Collector()
    report = Report(kind.DESCRIPTOR.name, canonical=None, rules_checked=False)
    try:
        value = decode.load(text)
    except GatewayError as error:
        collector.add("json/syntax", "", None, error.message)
        return collector.into(report)
    _unknown_names(value, cast("Descriptor", kind.DESCRIPTOR), collector)
    try:
        message = decode.to_message(value, kind)
    except GatewayError as error:
        for violation in error.field_violations:
            collector.add("json/value", violation.field, None, f"{violation.field} {violation.description}")
        return collector.into(report)
    checked = check_message(message)
    names = collector.into(report)
    checked.findings = names.findings + checked.findings
    checked.more |= names.more
    return checked


def _unknown_names(value: dict[str, decode.Json], descriptor: Descriptor, collector: Collector) -> None:
    waiting: list[tuple[decode.Json, Descriptor, str]] = [(value, descriptor, "")]
    while waiting:
        held, kind, prefix = waiting.pop()
        if not isinstance(held, dict):
            continue
        fields = {n: one for one in cast("list[FieldDescriptor]", kind.fields) for n in (one.name, one.json_name)}
        for name, item in held.items():
            field = fields.get(name)
            if field is None:
                if collector.wants("json/unknown-field"):
                    path = f"{prefix}{name[:60]}".encode(errors="backslashreplace").decode()
                    text = f"{path} is no field of {kind.name}; use the names of its fields"
                    collector.keep("json/unknown-field", path, None, text)
                continue
            inner = field.message_type
            if inner is None or inner.GetOptions().map_entry or inner.file.package == "google.protobuf":
                continue
            elements = item if isinstance(item, list) else [item]
            for position, element in enumerate(elements):
                path = f"{prefix}{field.name}[{position}]" if field.is_repeated else prefix + field.name
                waiting.append((element, inner, f"{path}."))
