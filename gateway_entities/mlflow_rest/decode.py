"""Decode the dialect's JSON to messages, strictly: every type error is reported with its path, no value is lost silently.

Accepts all that MLflow's own parser accepts: both spellings of a name, numbers in strings, enum names and numbers, null for
unset, unknown fields. In addition a map may be an array of ``{"key": ..., "value": ...}``, the form that
MLFlowClient.jl sends, and "" for an enum counts as unset.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TypeAlias, TypeVar, cast

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.rules.bounds import MAX_PATHS
from gateway_entities.rules.number_text import is_integer, is_number
from gateway_entities.rules.request_size import is_too_deep, refuse_many_json_values
from gateway_entities.rules.values import entry
from gateway_entities.rules.violation import TooManyViolations, Violations

M = TypeVar("M", bound=Message)
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
}
_LARGEST_FLOAT = 3.4028235677973366e38
"""Half a step above the largest 32-bit float: from here on a number rounds to infinity."""
_MOST_DIGITS = 1000
_PAIR = frozenset({"key", "value"})


class JsonObject(dict[str, Json]):
    """A JSON object that records duplicate names."""

    def __init__(self, pairs: list[tuple[str, Json]]) -> None:
        super().__init__(pairs)
        # Counted only if a duplicate exists, which is rare.
        self.repeated = (
            {n for n, count in Counter(n for n, _ in pairs).items() if count > 1} if len(self) < len(pairs) else set[str]()
        )


def load(body: bytes, *, bounded: bool = False) -> dict[str, Json]:
    """Read a body as a JSON object; an empty one is an empty object.

    Args:
        body: the body.
        bounded: whether it is a request, which may have no more than MAX_REQUEST_VALUES values.

    Raises:
        GatewayError: INVALID_ARGUMENT when it is not JSON, not an object, or has too many values.
    """
    if bounded:
        _check_size(body)
    try:
        text = body.decode("utf-8-sig")
        if not text.strip():
            return {}
        value: Json = json.loads(text, object_pairs_hook=JsonObject)
        if isinstance(value, str):
            # MLflow decodes a string a second time, for clients that encode twice.
            if bounded:
                _check_size(value.encode(errors="replace"))
            value = json.loads(value, object_pairs_hook=JsonObject)
    except json.JSONDecodeError as error:
        raise _malformed(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise _malformed("the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise _malformed("the body nests too deeply or holds a number of too many digits") from None
    if not isinstance(value, dict):
        raise _malformed(f"the body must be a JSON object, not {_kind(value)}")
    return value


def _check_size(data: bytes) -> None:
    refuse_many_json_values(data)
    if is_too_deep(data):
        raise _malformed("the body nests too deeply")


def _malformed(message: str) -> GatewayError:
    return GatewayError(Code.INVALID_ARGUMENT, message, reason="MALFORMED_JSON")


def to_message(data: Mapping[str, Json], message_type: type[M]) -> M:
    """Build a message from a JSON object.

    Raises:
        GatewayError: INVALID_ARGUMENT with a violation for each field that does not fit, never with a field's value.
    """
    message = message_type()
    violations = Violations()
    try:
        _fill(message, data, "", violations)
    except TooManyViolations:
        raise GatewayError.invalid(violations, more=True) from None
    if violations:
        raise GatewayError.invalid(violations)
    return message


def _fill(message: Message, data: Mapping[str, Json], prefix: str, violations: Violations) -> None:
    fields: dict[str, FieldDescriptor] = {}
    for each in cast("list[FieldDescriptor]", message.DESCRIPTOR.fields):
        fields[each.name] = fields[each.json_name] = each
    given: dict[str, str] = {}
    for name, value in data.items():
        field = fields.get(name)
        if field is None:
            continue
        path = prefix + field.name
        if name in getattr(data, "repeated", ()):
            violations.append(FieldViolation(path, "is given twice; provide it once"))
        elif field.name in given:
            violations.append(FieldViolation(path, f"is given as both {given[field.name]!r} and {name!r}; provide only one"))
        elif value is not None:
            _set(message, field, value, path, violations)
        given[field.name] = name


def _set(message: Message, field: FieldDescriptor, value: Json, path: str, violations: Violations) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        _fill_map(getattr(message, field.name), value, path, violations)
    elif field.is_repeated:
        if not isinstance(value, list):
            violations.append(FieldViolation(path, f"must be an array, not {_kind(value)}"))
            return
        target = getattr(message, field.name)
        for index, item in enumerate(value):
            if field.message_type is not None:
                _fill_message(target.add(), item, f"{path}[{index}]", violations)
                continue
            try:
                target.append(scalar(field, item))
            except ValueError as error:
                violations.append(FieldViolation(f"{path}[{index}]", str(error)))
    elif field.message_type is not None and field.message_type is not FieldMask.DESCRIPTOR:
        getattr(message, field.name).SetInParent()
        _fill_message(getattr(message, field.name), value, path, violations)
    elif field.enum_type is None or value != "":
        try:
            if field.message_type is not None:
                getattr(message, field.name).paths.extend(_paths(_text(value)))
            else:
                setattr(message, field.name, scalar(field, value))
        except ValueError as error:
            violations.append(FieldViolation(path, str(error)))


def _paths(mask: str) -> Iterator[str]:
    if mask.count(",") >= MAX_PATHS:
        raise ValueError(f"must have at most {MAX_PATHS} paths")
    return filter(None, mask.split(","))


def _fill_message(message: Message, value: Json, path: str, violations: Violations) -> None:
    if isinstance(value, dict):
        _fill(message, value, path + ".", violations)
    else:
        violations.append(FieldViolation(path, f"must be an object, not {_kind(value)}"))


def _fill_map(target: MutableMapping[str, str], value: Json, path: str, violations: Violations) -> None:
    if isinstance(value, dict):
        pairs: list[tuple[str, Json, Json]] = [(entry(path, key), key, item) for key, item in value.items()]
        for key in getattr(value, "repeated", ()):
            violations.append(FieldViolation(entry(path, key), "is given twice; provide it once"))
    elif isinstance(value, list):
        pairs = []
        for index, pair in enumerate(value):
            where = f"{path}[{index}]"
            if not isinstance(pair, dict) or not pair.keys() >= _PAIR:
                violations.append(FieldViolation(where, 'must be an object with "key" and "value"'))
            elif not _PAIR.isdisjoint(getattr(pair, "repeated", ())):
                violations.append(FieldViolation(where, 'gives "key" or "value" twice; provide each once'))
            else:
                pairs.append((where, pair["key"], pair["value"]))
    else:
        violations.append(FieldViolation(path, f"must be an object, not {_kind(value)}"))
        return
    for where, key, item in pairs:
        try:
            name, text = _text(key), _text(item)
        except ValueError as error:
            violations.append(FieldViolation(where, str(error)))
            continue
        if name in target:
            violations.append(FieldViolation(where, "repeats a key; provide each key once"))
        target[name] = text


def scalar(field: FieldDescriptor, value: Json) -> str | bool | int | float:
    """Return a JSON value, or a query parameter's text, as the Python value of a scalar field.

    Raises:
        ValueError: it does not fit; the text has the valid range or type, never the value.
    """
    if field.enum_type is not None:
        return _enum(field.enum_type, value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _text(value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, not {_kind(value)}")
        return value
    number = _number(value)
    if field.cpp_type in _INTEGERS:
        low, high = _INTEGERS[field.cpp_type]
        if isinstance(number, float):
            if not number.is_integer():
                raise ValueError("must be a whole number")
            number = int(number)
        if not low <= number <= high:
            raise ValueError(f"must be {low} to {high}")
        return number
    try:
        number = float(number)
    except OverflowError:
        raise ValueError("must be within the range of a double") from None
    if field.type == FieldDescriptor.TYPE_FLOAT and math.isfinite(number) and abs(number) >= _LARGEST_FLOAT:
        raise ValueError("must be within the range of a 32-bit float")
    return number


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {_kind(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text, has half of a surrogate pair") from None
    return value


def _number(value: Json) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"must be a number, not {_kind(value)}")
    if not isinstance(value, str):
        return value
    if not is_number(value):
        raise ValueError("must be a number, not other text")
    # Python reads no integer of thousands of digits.
    return int(value) if is_integer(value) and len(value) < _MOST_DIGITS else float(value)


def _enum(enum: EnumDescriptor, value: Json) -> int:
    if isinstance(value, str):
        if value in enum.values_by_name:
            return enum.values_by_name[value].number
        # Limited, because Python reads no number of thousands of digits.
        value = int(value) if is_integer(value) and len(value) < 10 else None
    if isinstance(value, int) and not isinstance(value, bool) and value in enum.values_by_number:
        return value
    raise ValueError(f"must be one of {', '.join(known.name for known in enum.values if known.number)}")


def _kind(value: Json) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return next((name for kind, name in kinds.items() if isinstance(value, kind)), "a number")
