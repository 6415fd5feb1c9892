"""proto3 JSON requests: errors name field paths and never contain a value.

protobuf's own parser decides what is valid. Its error texts are not used, because they quote the input.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Final, TypeAlias, TypeVar, cast

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.rules.bounds import MAX_PATHS
from gateway_entities.rules.number_text import is_integer, is_number
from gateway_entities.rules.request_size import is_too_deep, limit_of, refuse_many_json_values
from gateway_entities.rules.values import entry
from gateway_entities.rules.violation import MAX_VIOLATIONS, TooManyViolations, Violations

M = TypeVar("M", bound=Message)
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_INTEGERS: Final = (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64)
_FLOATS: Final = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)
_MAX_MASK_LENGTH: Final = MAX_PATHS * 100
"""Maximum characters of an update_mask, whose paths are names of fields."""


def parse(data: bytes, message_type: type[M]) -> M:
    """Build a message from proto3 JSON. Unknown fields are ignored; unknown enum names are errors.

    Raises:
        GatewayError: INVALID_ARGUMENT with a violation for each field that does not fit.
    """
    descriptor = cast("Descriptor", message_type.DESCRIPTOR)
    refuse_many_json_values(data, limit_of(descriptor))
    value = _load(data)
    message = message_type()
    if _texts_fit(value, descriptor) and _fill(message, value):
        return message
    # A field is invalid or unknown: check each, and drop the unknown ones.
    violations = Violations()
    try:
        recognized = _recognized(value, descriptor, "", violations)
    except TooManyViolations:
        raise _invalid(f"more than {MAX_VIOLATIONS} violations: ", violations) from None
    message = message_type()
    if not violations and not _fill(message, recognized):
        violations.append(FieldViolation(descriptor.name, "is not a valid message"))
    if violations:
        raise _invalid("", violations)
    return message


def _invalid(prefix: str, violations: Violations) -> GatewayError:
    listed = "; ".join(f"{violation.field} {violation.description}" for violation in violations)
    return GatewayError(
        Code.INVALID_ARGUMENT, f"invalid JSON request: {prefix}{listed}", reason="WIRE_FORMAT", field_violations=violations
    )


def _load(data: bytes) -> dict[str, Json]:
    if is_too_deep(data):
        raise _malformed("nests too deeply")
    try:
        value: Json = json.loads(data.decode(), object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise _malformed(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise _malformed("is not UTF-8") from None
    except ValueError:
        raise _malformed("has a key twice in one object, or a number of too many digits") from None
    if not isinstance(value, dict):
        raise _malformed("is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _malformed(problem: str) -> GatewayError:
    return GatewayError(Code.INVALID_ARGUMENT, f"the body {problem}", reason="WIRE_FORMAT")


def _fill(message: Message, value: dict[str, Json]) -> bool:
    try:
        json_format.ParseDict(value, message)
    except Exception:  # It documents ParseError, and lets others out for some inputs.
        return False
    return True


@cache
def _fields_of(descriptor: Descriptor) -> dict[str, FieldDescriptor]:
    """Return the fields by each of their two names."""
    return {name: field for field in descriptor.fields for name in (field.name, field.json_name)}


def _texts_fit(value: dict[str, Json], descriptor: Descriptor) -> bool:
    """Whether the texts of an object pass ``_text_fits``. What is no text is left to protobuf's parser."""
    fields = _fields_of(descriptor)
    for name, item in value.items():
        field = fields.get(name)
        if field is None:
            continue
        if isinstance(item, str):
            if not _text_fits(item, field):
                return False
        elif _has_fields(field):
            nested = cast("Descriptor", field.message_type)
            objects = item if isinstance(item, list) else [item]
            if not all(_texts_fit(each, nested) for each in objects if isinstance(each, dict)):
                return False
    return True


def _text_fits(text: str, field: FieldDescriptor) -> bool:
    """Whether a text has the form of a field's values, where protobuf's parser for Python accepts others or is slow."""
    if field.enum_type is not None:
        return text in field.enum_type.values_by_name or is_integer(text)
    if field.cpp_type in _INTEGERS:
        return is_integer(text)
    if field.cpp_type in _FLOATS:
        return is_number(text)
    return field.message_type is None or (text.count(",") < MAX_PATHS and len(text) <= _MAX_MASK_LENGTH)


def _recognized(value: dict[str, Json], descriptor: Descriptor, prefix: str, violations: Violations) -> dict[str, Json]:
    """Return the object without the message's unknown fields, and collect the violations of the others."""
    fields = _fields_of(descriptor)
    recognized: dict[str, Json] = {}
    for name, item in value.items():
        field = fields.get(name)
        if field is None or item is None:
            continue
        path = prefix + field.name
        # For a map, an array or an object protobuf's parser takes the last one.
        if field.json_name in recognized and field.containing_oneof is not None:
            violations.append(FieldViolation(path, "must be given once, under one of its two names"))
        recognized[field.json_name] = _recognized_value(item, field, path, violations)
    return recognized


def _recognized_value(item: Json, field: FieldDescriptor, path: str, violations: Violations) -> Json:
    if not _has_fields(field):
        _check(item, field, path, violations)
        return item
    message_type = cast("Descriptor", field.message_type)
    if not field.is_repeated:
        return _recognized_object(item, message_type, path, violations)
    if not isinstance(item, list):
        violations.append(FieldViolation(path, "must be an array"))
        return item
    return [_recognized_object(each, message_type, f"{path}[{index}]", violations) for index, each in enumerate(item)]


def _recognized_object(item: Json, descriptor: Descriptor, path: str, violations: Violations) -> Json:
    if isinstance(item, dict):
        return _recognized(item, descriptor, path + ".", violations)
    violations.append(FieldViolation(path, "must be an object"))
    return item


def _has_fields(field: FieldDescriptor) -> bool:
    """Whether the field's JSON is an object with one name per field: not for maps and FieldMask."""
    message_type = field.message_type
    return (
        message_type is not None
        and not message_type.GetOptions().map_entry
        and message_type.file.package != "google.protobuf"
    )


def _check(item: Json, field: FieldDescriptor, path: str, violations: Violations) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        if not isinstance(item, dict):
            violations.append(FieldViolation(path, "must be an object"))
            return
        value_field = field.message_type.fields_by_name["value"]
        for key, value in item.items():
            if not _fits({key: value}, field):
                violations.append(FieldViolation(entry(path, key), _form(value_field)))
    elif not _fits(item, field):
        violations.append(FieldViolation(path, _form(field)))


def _fits(item: Json, field: FieldDescriptor) -> bool:
    if isinstance(item, str) and not _text_fits(item, field):
        return False
    return _fill(message_factory.GetMessageClass(cast("Descriptor", field.containing_type))(), {field.json_name: item})


def _form(field: FieldDescriptor) -> str:
    if field.enum_type is not None:
        return f"must be one of {', '.join(value.name for value in field.enum_type.values if value.number)}"
    if field.message_type is not None:
        return f"must be a string: at most {MAX_PATHS} names of fields in lowerCamelCase with commas between"
    return {
        FieldDescriptor.CPPTYPE_STRING: "must be a string of Unicode text",
        FieldDescriptor.CPPTYPE_BOOL: "must be true or false",
        FieldDescriptor.CPPTYPE_INT32: "must be a whole number from -2^31 to 2^31-1",
        FieldDescriptor.CPPTYPE_INT64: "must be a whole number from -2^63 to 2^63-1",
        FieldDescriptor.CPPTYPE_FLOAT: "must be a number within the range of a 32-bit float",
        FieldDescriptor.CPPTYPE_DOUBLE: "must be a number within the range of a 64-bit float",
    }[field.cpp_type]
