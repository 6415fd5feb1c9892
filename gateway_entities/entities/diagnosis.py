"""Diagnosis of failed conversions: find the field at fault. A slow path, used only after a converter failed.

The shape of a field comes from the entity's annotations: ``X | None`` is optional, a dataclass is a message, a list is
repeated, a dict is a map. The range of a scalar comes from the message's descriptor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from operator import index
from types import NoneType
from typing import Any, Final, NamedTuple, TypeAlias, cast, get_args, get_origin, get_type_hints

from google.protobuf.descriptor import FieldDescriptor

from gateway_entities.entities import scalars, weights
from gateway_entities.entities.secret_value import SecretValue
from gateway_entities.errors import WireError

Fault: TypeAlias = tuple[str, str]
"""The path of a field, and what is wrong with it."""
_MISSING: Final = object()
EntityType: TypeAlias = type[Any]
"""A subclass of Entity. Typed as Any because ``base`` imports this module."""


def unreadable(kind: EntityType, proto: object) -> WireError:
    """Return the error for the first field of ``proto`` that the entity type cannot hold."""
    path = kind.__name__
    if not isinstance(proto, kind._message):
        return WireError(path, f"must be a {kind._message.DESCRIPTOR.full_name} message, not a {type(proto).__name__}")
    return WireError(*next(_in_message(kind, proto, path), (path, "cannot be decoded")))


def unwritable(entity: object) -> WireError:
    """Return the error for the first field of ``entity`` that its message cannot hold."""
    kind: EntityType = entity.__class__
    return WireError(*next(_in_entity(kind, entity, kind.__name__), (kind.__name__, "cannot be encoded")))


class Shape(NamedTuple):
    """What an entity's field can hold.

    Attributes:
        optional: whether it can be None.
        is_list: whether it is a list.
        is_map: whether it is a dict.
        entity: the class of the entity, or of those in the list; None if it holds none.
        enum: the enum whose members it holds; None if it holds none.
    """

    optional: bool
    is_list: bool
    is_map: bool
    is_secret: bool
    entity: EntityType | None
    enum: type[Enum] | None


_SHAPES: dict[EntityType, dict[str, Shape]] = {}


def shapes(kind: EntityType) -> dict[str, Shape]:
    """Return the shapes of an entity's fields that its message has, by name."""
    if kind not in _SHAPES:
        hints = get_type_hints(kind)
        _SHAPES[kind] = {field.name: _shape(hints[field.name]) for field in fields(kind) if field.name in _known(kind)}
    return _SHAPES[kind]


def _known(kind: EntityType) -> Mapping[str, FieldDescriptor]:
    known: Mapping[str, FieldDescriptor] = kind._message.DESCRIPTOR.fields_by_name
    return known


def _shape(hint: Any) -> Shape:
    members: tuple[Any, ...] = get_args(hint) or (hint,)
    return Shape(
        optional=NoneType in members,
        is_list=get_origin(hint) is list,
        is_map=get_origin(hint) is dict,
        is_secret=hint is SecretValue,
        entity=next((cast("EntityType", member) for member in members if is_dataclass(member)), None),
        enum=next((member for member in members if isinstance(member, type) and issubclass(member, Enum)), None),
    )


def _in_message(kind: EntityType, proto: Any, path: str) -> Iterator[Fault]:
    for name, shape in shapes(kind).items():
        where = f"{path}.{name}"
        if shape.is_map or shape.is_secret:
            continue
        if shape.is_list and shape.entity:
            for position, item in enumerate(getattr(proto, name)):
                yield from _in_message(shape.entity, item, f"{where}[{position}]")
        elif not proto.HasField(name):
            if not shape.optional:
                yield where, "is required"
        elif shape.entity:
            yield from _in_message(shape.entity, getattr(proto, name), where)
        elif name == "weight" and not weights.is_preserved(proto):
            yield where, "is a signaling NaN, which no Python number can hold"


def _in_entity(kind: EntityType, entity: Any, path: str) -> Iterator[Fault]:
    for name, shape in shapes(kind).items():
        where, value = f"{path}.{name}", getattr(entity, name, _MISSING)
        if value is _MISSING:
            yield where, "is not set"
        elif value is None:
            if not shape.optional:
                yield where, "is required"
        elif shape.is_list and shape.entity:
            yield from _in_list(shape.entity, value, where)
        elif shape.entity:
            yield from _in_nested(shape.entity, value, where)
        elif shape.is_map:
            yield from _in_map(value, where)
        elif shape.is_secret:
            if not isinstance(value, SecretValue):
                yield where, f"must be a SecretValue, not a {type(value).__name__}"
        else:
            yield from _in_scalar(_known(kind)[name].type, value, where)
    try:
        kind._message.FromString(entity._unknown_fields)
    except Exception:  # The attribute may hold any object.
        yield path, "its unknown fields are not in the wire format"


def _in_list(kind: EntityType, value: object, path: str) -> Iterator[Fault]:
    if not isinstance(value, list | tuple):
        yield path, f"must be a list, not a {type(value).__name__}"
        return
    for position, item in enumerate(cast("list[object]", value)):
        yield from _in_nested(kind, item, f"{path}[{position}]")


def _in_nested(kind: EntityType, value: Any, path: str) -> Iterator[Fault]:
    if isinstance(value, kind):
        yield from _in_entity(kind, value, path)
    else:
        yield path, f"must be a {kind.__name__}, not a {type(value).__name__}"


def _in_map(value: object, path: str) -> Iterator[Fault]:
    kind = type(value).__name__
    if not isinstance(value, Mapping):
        yield path, f"must be a dict, not a {kind}"
        return
    import json

    try:
        # Another thread may change it, and so may the code of what it holds.
        items = list(cast("Mapping[object, object]", value).items())
    except Exception:  # A mapping may be of any class.
        yield path, f"cannot be read as a dict; it is of type {kind}"
        return
    for key, item in items:
        where = f"{path}[{json.dumps(key)}]" if isinstance(key, str) else path
        yield from _in_scalar(FieldDescriptor.TYPE_STRING, key, where)
        yield from _in_scalar(FieldDescriptor.TYPE_STRING, item, where)


def _in_scalar(wire_type: int, value: object, path: str) -> Iterator[Fault]:
    meaning, check = _SCALARS[wire_type]
    try:
        check(value)
    except OverflowError:
        yield path, f"must be {meaning}; it is out of range"
    except Exception:  # The value may be anything.
        # Never the value: it may be a secret.
        yield path, f"must be {meaning}; it is of type {type(value).__name__}"


def _text(value: Any) -> None:
    (value + "").encode()


def _int32(value: Any) -> None:
    _check_range(value, 31)


def _int64(value: Any) -> None:
    _check_range(value, 63)


def _check_range(value: Any, bits: int) -> None:
    if isinstance(value, bool):
        raise TypeError
    if not -(1 << bits) <= index(value) < 1 << bits:
        raise OverflowError


def _double(value: Any) -> None:
    float(scalars.double(value))


_SCALARS: dict[int, tuple[str, Callable[[Any], object]]] = {
    FieldDescriptor.TYPE_STRING: ("text without lone surrogates", _text),
    FieldDescriptor.TYPE_BOOL: ("a bool", scalars.truth),
    FieldDescriptor.TYPE_ENUM: ("a 32-bit integer", _int32),
    FieldDescriptor.TYPE_INT32: ("a 32-bit integer", _int32),
    FieldDescriptor.TYPE_INT64: ("a 64-bit integer", _int64),
    FieldDescriptor.TYPE_FLOAT: ("a number in the range of a 32-bit float", weights.narrow),
    FieldDescriptor.TYPE_DOUBLE: ("a number in the range of a 64-bit float", _double),
}
