"""The number of values in an encoded request, counted before a parser builds an object for each.

Four megabytes hold two million empty messages, which take gigabytes once parsed. The count stops at the limit, and small
requests are not counted at all.
"""

from __future__ import annotations

import re
from typing import Final

from google.protobuf.descriptor import Descriptor

from gateway_entities.errors import Code, GatewayError

MAX_REQUEST_VALUES: Final = 10_000
"""Maximum values of one request: of JSON the objects, the arrays and their elements; of protobuf the fields. The largest
valid request has some hundreds."""

MAX_CONFIGURATION_VALUES: Final = 400_000
"""Maximum values of one request with a configuration, which describes thousands of resources."""

MAX_JSON_DEPTH: Final = 100
"""Maximum nesting of objects and arrays in JSON, protobuf's own. Python's parser has another limit in each version."""

_SMALLEST_FIELD: Final = 2
# Text without a comma or an opening bracket outside of strings, up to the next of those. It never goes back, and a string
# that does not end goes on to the end, so that the whole is linear.
_NEXT_VALUE: Final = re.compile(rb'[^",\[{]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"?[^",\[{]*+)*+[,\[{]', re.DOTALL)

_STRING_OR_BRACKET: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{\]}]', re.DOTALL)

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES: Final = {_FIXED64: 8, _FIXED32: 4}


def limit_of(descriptor: Descriptor) -> int:
    """Return the maximum number of values of a request."""
    return MAX_CONFIGURATION_VALUES if "configuration" in descriptor.fields_by_name else MAX_REQUEST_VALUES


def refuse_many_json_values(data: bytes, most: int = MAX_REQUEST_VALUES) -> None:
    """Check the number of values of a JSON text.

    Raises:
        GatewayError: INVALID_ARGUMENT, if there are more than ``most``.
    """
    if data.count(b",") + data.count(b"[") + data.count(b"{") <= most:
        return
    count, position = 0, 0
    while count <= most and (found := _NEXT_VALUE.match(data, position)):
        count, position = count + 1, found.end()
    _refuse(count, most)


def is_too_deep(data: bytes) -> bool:
    """Whether the objects and arrays of a JSON text nest deeper than MAX_JSON_DEPTH."""
    if data.count(b"[") + data.count(b"{") <= MAX_JSON_DEPTH:
        return False
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(data):
        first = data[found.start()]
        if first in b"[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                return True
        elif first in b"]}":
            depth -= 1
    return False


def refuse_many_fields(data: bytes, descriptor: Descriptor) -> None:
    """Check the number of fields of an encoded message, those of its nested messages included.

    Raises:
        GatewayError: INVALID_ARGUMENT, if there are more than ``limit_of``. Bytes that are no message are left to the
            parser.
    """
    most = limit_of(descriptor)
    if len(data) > _SMALLEST_FIELD * most:
        try:
            count = _count(data, 0, len(data), descriptor, most)
        except IndexError:
            return
        _refuse(count, most)


def _refuse(count: int, most: int) -> None:
    if count > most:
        raise GatewayError(Code.INVALID_ARGUMENT, f"the request has more than {most} values", reason="TOO_MANY_VALUES")


def _count(data: bytes, position: int, end: int, descriptor: Descriptor, most: int) -> int:
    """Count fields, to a little beyond the limit at most.

    Raises:
        IndexError: the bytes end within a field, or have a wire type that does not exist.
    """
    count = 0
    while position < end and count <= most:
        count += 1
        key, position = _varint(data, position)
        kind = key & 7
        if kind == _VARINT:
            _, position = _varint(data, position)
        elif kind == _BYTES:
            length, position = _varint(data, position)
            field = descriptor.fields_by_number.get(key >> 3)
            if field is not None and field.message_type is not None:
                count += _count(data, position, min(position + length, end), field.message_type, most)
            position += length
        else:
            # Groups have no size: the fields within them are counted like the others.
            position += _FIXED_SIZES.get(kind, 0)
    return count


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift == 70:
            # No varint has more than ten bytes.
            raise IndexError
