"""Scalars of JSON, as strictly as protobuf's parsers take them together.

Each function raises ValueError with what the value must be, never with the value.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from typing import Any, Final, cast

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

_F = FieldDescriptor
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_DIGITS: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,30})")
_NOT_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_RANGES: Final = {
    _F.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    _F.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    _F.CPPTYPE_UINT32: (0, 2**32 - 1),
    _F.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")


def kind_of(value: object) -> str:
    """Return the type of a JSON value in words."""
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return next((name for kind, name in kinds.items() if isinstance(value, kind)), "a number")


def check_scalar(field: FieldDescriptor, value: object) -> None:
    """Check the value of a field that is no message."""
    if field.enum_type is not None:
        _check_enum(field.enum_type, value)
    elif field.type == _F.TYPE_STRING:
        text_of(value)
    elif field.type == _F.TYPE_BYTES:
        _check_base64(text_of(value))
    elif field.cpp_type == _F.CPPTYPE_BOOL:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, not {kind_of(value)}")
    elif field.cpp_type in _RANGES:
        _check_integer(value, *_RANGES[field.cpp_type])
    else:
        _check_float(value, single=field.type == _F.TYPE_FLOAT)


def check_key(field: FieldDescriptor, key: str) -> None:
    """Check the key of a map, which is text for every type."""
    if field.cpp_type == _F.CPPTYPE_BOOL:
        if key not in ("true", "false"):
            raise ValueError('must have the keys "true" and "false"')
    elif field.type == _F.TYPE_STRING:
        text_of(key)
    else:
        _check_integer(key, *_RANGES[field.cpp_type])


def text_of(value: object) -> str:
    """Return a string that has a form in UTF-8."""
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {kind_of(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text, has half of a surrogate pair") from None
    return value


def _check_base64(text: str) -> None:
    body = text.rstrip("=")
    # Padding may be absent, but not in part.
    padded = len(text) == len(body) or len(text) % 4 == 0
    if _BASE64.fullmatch(text) is None or len(body) % 4 == 1 or not padded:
        raise ValueError("must be base64, standard or URL-safe, with padding or without")
    try:
        base64.b64decode(body.replace("-", "+").replace("_", "/") + "=" * (-len(body) % 4))
    except binascii.Error:
        raise ValueError("must be base64, standard or URL-safe, with padding or without") from None


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"must be a number, not {kind_of(value)}")
    if not isinstance(value, str):
        return value
    if _NUMBER.fullmatch(value) is None:
        raise ValueError("must be a number, not other text")
    return int(value) if _DIGITS.fullmatch(value) else float(value)


def _check_integer(value: object, low: int, high: int) -> None:
    number = _number(value)
    if isinstance(number, float):
        if math.isfinite(number) and not number.is_integer():
            raise ValueError("must be a whole number")
        if math.isinf(number):
            raise ValueError(f"must be {low} to {high}")
    if not low <= number <= high:
        raise ValueError(f"must be {low} to {high}")


def _check_float(value: object, *, single: bool) -> None:
    if isinstance(value, str) and value in _NOT_FINITE:
        return
    try:
        number = float(_number(value))
        if not math.isfinite(number):
            raise OverflowError
        if single:
            struct.pack("<f", number)
    except OverflowError:
        size = "32-bit float" if single else "double"
        raise ValueError(f'must be within the range of a {size}, or the text "NaN", "Infinity" or "-Infinity"') from None


def _check_enum(enum: EnumDescriptor, value: object) -> None:
    if enum.full_name == "google.protobuf.NullValue" and value is None:
        return
    if isinstance(value, str):
        if value in enum.values_by_name:
            return
        names = [each.name for each in cast("list[Any]", enum.values)]
        raise ValueError(f"must be one of {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}, or a number")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"must be a name of the enum or a number, not {kind_of(value)}")
    _check_integer(value, *_RANGES[_F.CPPTYPE_INT32])
    if enum.is_closed and int(value) not in enum.values_by_number:
        raise ValueError("must be a number of the enum, which is closed")
