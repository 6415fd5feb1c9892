"""The JSON form of entities: names of the proto fields, enums by name, bytes as base64.

It differs from protobuf's canonical mapping, which Connect uses, in the names and in that 64-bit integers up to 2^53, which
every JSON reader knows exactly, are numbers. Readers take both forms of each.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from operator import index
from typing import Any, Final, NoReturn, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.entities import weights
from gateway_entities.entities.scalars import double, truth
from gateway_entities.entities.secret_value import MASK
from gateway_entities.errors import WireError
from gateway_entities.text import decode_text, without_mark

MAX_LENGTH: Final = 8 << 20
"""Maximum length of JSON text to read, in characters or bytes: eight times a resource's."""

_LARGEST_EXACT: Final = 1 << 53
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NON_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_LONGEST_NAME: Final = 60
_LONGEST_NUMBER: Final = 400


def to_dict(message: Message) -> dict[str, Any]:
    """Return a message as a dict. Absent and unknown fields are omitted, secret values are masked."""
    return {field.name: _written(field, value) for field, value in message.ListFields()}


def to_json(message: Message) -> str:
    """Return a message as JSON text."""
    return json.dumps(portable(to_dict(message)), ensure_ascii=False, allow_nan=False)


def from_dict(kind: type[Any], value: object) -> Any:
    """Return the message of a dict.

    Args:
        kind: the class of the entity.
        value: the dict.

    Raises:
        WireError: a name or a value is not valid. Required fields may be missing.
    """
    message = kind._message()
    _read_object(message, value, kind.__name__)
    return message


def load(name: str, text: object) -> Mapping[str, Any]:
    """Parse JSON text.

    Args:
        name: the name of the entity, for errors.
        text: the text, or its UTF-8 bytes. A byte order mark is ignored.

    Raises:
        WireError: it is too long or nests too deeply, is not a JSON object, or has a key twice.
    """
    if not isinstance(text, (str, bytes, bytearray)):
        raise WireError(name, f"must be JSON text, not {_described(text)}")
    if len(text) > MAX_LENGTH:
        raise WireError(name, f"the JSON text is longer than {MAX_LENGTH} characters")
    try:
        plain = without_mark(text) if isinstance(text, str) else decode_text(bytes(text))
    except ValueError as error:
        raise WireError(name, f"the text {error}") from None
    try:
        value: object = json.loads(
            plain, object_pairs_hook=_unique, parse_int=_parse_int, parse_float=_parse_float, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        raise WireError(name, f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise WireError(name, "the JSON nests too deeply") from None
    except ValueError as error:
        raise WireError(name, f"the JSON {error}") from None
    if not isinstance(value, dict):
        raise WireError(name, f"must be a JSON object, not {_described(value)}")
    return cast("dict[str, Any]", value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"has the key {_shown(next(name for name in names if names.count(name) > 1))} twice in one object")
    return value


def _parse_int(text: str) -> int:
    # Python reads no integer of thousands of digits, and slowly one of hundreds.
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("has a number of too many digits")
    return int(text)


def _parse_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("has a number out of the range of a 64-bit float")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f'has a bare {name}; write it as text: "{name}"')


def _written(field: FieldDescriptor, value: Any) -> Any:
    if _is_map(field):
        return dict.fromkeys(value, MASK) if _is_secret(field) else dict(value)
    if field.is_repeated:
        return [_written_one(field, item) for item in value]
    return _written_one(field, value)


def _written_one(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return to_dict(value)
    if field.enum_type is not None:
        member = field.enum_type.values_by_number.get(value)
        return value if member is None else member.name
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode()
    return weights.shortest_decimal(value) if field.type == FieldDescriptor.TYPE_FLOAT else value


def portable(value: Any) -> Any:
    """Replace what not every JSON reader can hold by text."""
    if isinstance(value, dict):
        return {name: portable(item) for name, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [portable(item) for item in cast("list[object]", value)]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    # Only 64-bit integers are that large. A bool is an int too, and small.
    return str(value) if isinstance(value, int) and abs(value) > _LARGEST_EXACT else value


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _is_secret(field: FieldDescriptor) -> bool:
    return field.GetOptions().debug_redact


@cache
def _fields(descriptor: Descriptor) -> Mapping[object, FieldDescriptor]:
    """Return the fields by each of their two names."""
    return {name: field for field in descriptor.fields for name in (field.name, field.json_name)}


def _read_object(message: Any, value: object, path: str) -> None:
    if not isinstance(value, Mapping):
        raise WireError(path, f"must be an object, not {_described(value)}")
    descriptor: Descriptor = message.DESCRIPTOR
    fields = _fields(descriptor)
    seen: set[int] = set()
    for name, item in cast("Mapping[object, Any]", value).items():
        field = fields.get(name)
        if field is None:
            known = ", ".join(each.name for each in descriptor.fields)
            raise WireError(f"{path}.{_shown(name)}", f"is not a field of {descriptor.name}; its fields are {known}")
        where = f"{path}.{field.name}"
        if field.number in seen:
            raise WireError(where, f"is given twice, as {field.name} and as {field.json_name}")
        seen.add(field.number)
        if item is not None:
            _read_field(message, field, item, where)


def _read_field(message: Any, field: FieldDescriptor, value: Any, path: str) -> None:
    if _is_map(field):
        _read_map(getattr(message, field.name), field, value, path)
    elif field.is_repeated:
        if not isinstance(value, (list, tuple)):
            raise WireError(path, f"must be a list, not {_described(value)}")
        items = getattr(message, field.name)
        for position, item in enumerate(cast("list[Any]", value)):
            where = f"{path}[{position}]"
            if field.message_type is None:
                items.append(scalar(field, item, where))
            else:
                _read_object(items.add(), item, where)
    elif field.message_type is not None:
        part = getattr(message, field.name)
        part.SetInParent()
        _read_object(part, value, path)
    else:
        setattr(message, field.name, scalar(field, value, path))


def _read_map(entries: Any, field: FieldDescriptor, value: Any, path: str) -> None:
    if not isinstance(value, Mapping):
        raise WireError(path, f"must be an object, not {_described(value)}")
    parts = cast("Descriptor", field.message_type).fields_by_name
    for key, item in cast("Mapping[object, object]", value).items():
        where = f"{path}[{json.dumps(_shown(key))}]"
        entries[scalar(parts["key"], key, where)] = scalar(parts["value"], item, where)
        if item == MASK and _is_secret(field):
            # It would be sent to a provider in place of the credential.
            raise WireError(where, f"is {MASK}, which is shown in place of a secret value")


def scalar(field: FieldDescriptor, value: Any, path: str) -> Any:
    """Return the value of a scalar or enum field from its JSON form.

    Raises:
        WireError: it is not valid. The error does not contain the value.
    """
    if field.enum_type is not None:
        return _enum(field.enum_type, value, path)
    meaning, convert = _SCALARS[field.type]
    try:
        return convert(value)
    except OverflowError:
        raise WireError(path, f"must be {meaning}; it is out of range") from None
    except (TypeError, ValueError):
        # Never the value: it may be a secret.
        raise WireError(path, f"must be {meaning}; it is {_described(value)}") from None


def _enum(enum: EnumDescriptor, value: Any, path: str) -> int:
    member = enum.values_by_name.get(value) if isinstance(value, str) else None
    if member is not None:
        return member.number
    try:
        # Text that is no name is no number either: a name of a later version is not one to guess.
        return _int32(None if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        names = ", ".join(each.name for each in enum.values if each.number)
        raise WireError(path, f"must be one of {names}, or a 32-bit integer; it is {_described_enum(value)}") from None


def _described_enum(value: object) -> str:
    return "another text" if isinstance(value, str) else _described(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()
    return value + ""


def _integer(value: Any, bits: int) -> int:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise ValueError
        value = int(value)
    elif isinstance(value, float):
        # As in protobuf's JSON: 1.0 and 1e3 are integers.
        if not value.is_integer():
            raise ValueError
        value = int(value)
    found = index(value)
    if not -(1 << bits - 1) <= found < 1 << bits - 1:
        raise OverflowError
    return found


def _int32(value: Any) -> int:
    return _integer(value, 32)


def _int64(value: Any) -> int:
    return _integer(value, 64)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    if not isinstance(value, str):
        return float(double(value))
    if value in _NON_FINITE:
        return _NON_FINITE[value]
    if len(value) > _LONGEST_NUMBER or not _NUMBER.fullmatch(value):
        raise ValueError
    return _parse_float(value)


def _float32(value: Any) -> float:
    return weights.narrow(_number(value))


def _bytes(value: Any) -> bytes:
    text = _text(value).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError from None


_SCALARS: Final[dict[int, tuple[str, Callable[[Any], Any]]]] = {
    FieldDescriptor.TYPE_STRING: ("text without lone surrogates", _text),
    FieldDescriptor.TYPE_BYTES: ("base64 text", _bytes),
    FieldDescriptor.TYPE_BOOL: ("true or false", truth),
    FieldDescriptor.TYPE_INT32: ("a 32-bit integer", _int32),
    FieldDescriptor.TYPE_INT64: ("a 64-bit integer", _int64),
    FieldDescriptor.TYPE_FLOAT: ("a number in the range of a 32-bit float", _float32),
    FieldDescriptor.TYPE_DOUBLE: ("a number in the range of a 64-bit float", _number),
}


def _shown(name: object) -> str:
    """Return a name for a path: short, and in ASCII."""
    return str(name)[:_LONGEST_NAME].encode("ascii", "backslashreplace").decode() if isinstance(name, str) else "?"


def _described(value: object) -> str:
    if value is None:
        return "null"
    return "an int" if type(value) is int else f"a {type(value).__name__}"
