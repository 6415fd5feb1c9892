"""Expected results of a language: Python's protobuf decides about decoding, the contract about encoding."""

from __future__ import annotations

import hashlib
import json
import math
import struct
import zlib
from typing import Any, NamedTuple

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from gateway_entities.wire import MESSAGE_TYPES
from tests.interop.cases import PACKAGE, Case
from tests.interop.encoding import CONTRACT, Writing, has_maps, written
from tests.interop.proto.testee_pb2 import TesteeRequest, TesteeResponse
from tests.messages import is_map

UNKNOWN_KEY = "notAField"


class Result(NamedTuple):
    """An expected or actual result of a language.

    Attributes:
        kind: the field of TesteeResponse: ``proto``, ``json``, ``digest``, ``parse_error``, ``unsupported``.
        value: the field's value; none for an expected error, whose message is library-specific.
    """

    kind: str
    value: Any = None

    def __str__(self) -> str:
        value = self.value.hex() if isinstance(self.value, bytes) else self.value
        return self.kind if value is None else f"{self.kind} {value}"


REJECTED = Result("parse_error")
LARGEST_FLOAT = ("3.4028235e+38", "3.4028234663852886e+38")
"""The largest 32-bit float as Python encodes it, and a form that Python decodes: it rejects its own."""


def operations_of(case: Case) -> tuple[str, ...]:
    """Return the operations that a case is an input of."""
    if case.data is None:
        return ("from_json",)
    readable = _message(case) is not None and _json(case) is not None
    return ("decode", "to_json", "digest", "from_json") if readable else ("decode", "to_json", "digest")


def request(case: Case, operation: str) -> TesteeRequest:
    """Return the request of a case."""
    made = TesteeRequest(message_type=f"{PACKAGE}.{case.message_type}")
    setattr(made, operation, json_text(case) if operation == "from_json" else case.data)
    return made


def json_text(case: Case) -> str:
    """Return the JSON of a case. Half of the cases use the names of JSON, and have an unknown field."""
    if case.text is not None:
        return case.text
    message = MESSAGE_TYPES[case.message_type].FromString(case.data)
    proto_names = zlib.crc32(case.name.encode()) % 2 == 0
    value = json_format.MessageToDict(message, preserving_proto_field_name=proto_names)
    return json.dumps(value if proto_names else {**value, UNKNOWN_KEY: {"a": [1, None, "x"]}}, ensure_ascii=proto_names)


def expected(case: Case, operation: str, writing: Writing = CONTRACT) -> Result:
    """Return the expected result of a language that encodes in this way."""
    kind = MESSAGE_TYPES[case.message_type]
    if operation == "from_json":
        text = json_text(case)
        try:
            parsed = json_format.Parse(text.replace(*LARGEST_FLOAT), kind(), ignore_unknown_fields=True)
        except json_format.ParseError:
            return REJECTED
        # Python is no reference here: it decodes lists and strings as messages without fields.
        if not isinstance(json.loads(text), dict):
            return REJECTED
        return Result("proto", written(parsed, writing))
    message = _message(case)
    if message is None:
        return REJECTED
    if operation == "to_json":
        value = _json(case)
        return REJECTED if value is None else Result("json", json.dumps(value))
    data = written(message, writing)
    return Result("digest", hashlib.sha256(data).hexdigest()) if operation == "digest" else Result("proto", data)


def received(response: TesteeResponse) -> Result:
    """Return the result of a testee's response."""
    kind = response.WhichOneof("result") or ""
    return Result(kind, getattr(response, kind))


def same(case: Case, wanted: Result, came: Result) -> bool:
    """Return whether a result is as expected: bytes except for the order of map entries, JSON as values, any error."""
    if wanted.kind != came.kind:
        return False
    if wanted.value is None or wanted.value == came.value:
        return True
    if wanted.kind == "proto":
        return len(wanted.value) == len(came.value) and _same_but_for_maps(case, wanted.value, came.value)
    if wanted.kind == "json":
        descriptor = MESSAGE_TYPES[case.message_type].DESCRIPTOR
        try:
            return bool(_normal(descriptor, _loaded(wanted.value)) == _normal(descriptor, _loaded(came.value)))
        except (ValueError, TypeError, AttributeError, OverflowError, struct.error):
            return False
    return False


def _message(case: Case) -> Message | None:
    try:
        return MESSAGE_TYPES[case.message_type].FromString(case.data)
    except DecodeError:
        return None


def _json(case: Case) -> dict[str, Any] | None:
    message = _message(case)
    try:
        return json_format.MessageToDict(message, preserving_proto_field_name=True)
    except json_format.SerializeToJsonError:
        return None


def _same_but_for_maps(case: Case, wanted: bytes, came: bytes) -> bool:
    kind = MESSAGE_TYPES[case.message_type]
    try:
        message = kind.FromString(came)
    except DecodeError:
        return False
    return has_maps(message) and written(message) == written(kind.FromString(wanted))


def _loaded(text: str) -> Any:
    # JSON's -0 is the number -0.0, which no int represents.
    return json.loads(text, parse_int=lambda digits: -0.0 if digits == "-0" else int(digits))


def _normal(descriptor: Descriptor, value: Any) -> Any:
    """Return JSON normalized for comparison in Python."""
    if descriptor.full_name == "google.protobuf.FieldMask":
        return str, value
    return {name: _field(descriptor.fields_by_name.get(name), item) for name, item in value.items()}


def _field(field: FieldDescriptor | None, value: Any) -> Any:
    if field is None:
        return "not a field", repr(value)
    if is_map(field):
        return {key: (type(item), item) for key, item in value.items()}
    if field.is_repeated:
        return [_one(field, item) for item in value]
    return _one(field, value)


def _one(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return _normal(field.message_type, value)
    if field.cpp_type in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE) and not isinstance(
        value, (str, bool)
    ):
        return _packed(float(value), "f" if field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT else "d")
    return type(value), value


def _packed(number: float, width: str) -> bytes:
    # The shortest decimal of the largest float is above it, so rounding decides.
    return struct.pack(width, number) if math.isfinite(number) else str(number).encode()
