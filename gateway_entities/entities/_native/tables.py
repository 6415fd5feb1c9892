"""Tables of the native codec: each field's number, form and slot, from the descriptor of the message and the dataclass."""

from __future__ import annotations

from enum import Enum, IntEnum, StrEnum
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from gateway_entities.entities import diagnosis
from gateway_entities.entities._native import _codec

# As in codec.h.
_TEXT, _NAMED_TEXT, _INT32, _INT64, _BOOL, _ENUM, _FLOAT, _DOUBLE, _ENTITY, _ENTITIES, _MAP = range(11)
_SCALARS: Final = {
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_BOOL: _BOOL,
    FieldDescriptor.TYPE_FLOAT: _FLOAT,
    FieldDescriptor.TYPE_DOUBLE: _DOUBLE,
}
_MOST_MEMBERS: Final = 256
_PLAIN: Final = ("__new__", "__setattr__", "__getattribute__", "__delattr__")


class _UnsuitedError(Exception):
    """The class has something that the codec does not know."""


_TABLES: Final[dict[type[Any], _codec.Table | None]] = {}


def table(kind: type[Any]) -> _codec.Table | None:
    """Return the table of a class of entities; None if the class is not for the codec.

    Its fields must be slots without code, and its message must have the fields of the dataclass, of known types.
    """
    if kind not in _TABLES:
        try:
            _TABLES[kind] = _table(kind)
        except _UnsuitedError:
            _TABLES[kind] = None
    return _TABLES[kind]


def _table(kind: type[Any]) -> _codec.Table:
    if any(getattr(kind, name) is not getattr(object, name) for name in _PLAIN):
        raise _UnsuitedError
    shapes = diagnosis.shapes(kind)
    known = kind._message.DESCRIPTOR.fields
    if {field.name for field in known} != set(shapes):
        raise _UnsuitedError
    if any(len(oneof.fields) > 1 for oneof in kind._message.DESCRIPTOR.oneofs):
        # The codec does not clear the others.
        raise _UnsuitedError
    fields = tuple(_field(kind, field, shapes[field.name]) for field in sorted(known, key=lambda field: field.number))
    try:
        return _codec.Table(kind, kind._unknown_fields, fields)
    except TypeError:  # A field is no plain slot.
        raise _UnsuitedError from None


def _field(kind: type[Any], field: FieldDescriptor, shape: diagnosis.Shape) -> tuple[int, int, bool, object, object, object]:
    form, of, members = _form(field, shape)
    required = not (shape.optional or shape.is_list or shape.is_map)
    return field.number, form, required, getattr(kind, field.name), of, members


def _form(field: FieldDescriptor, shape: diagnosis.Shape) -> tuple[int, object, object]:
    if shape.is_map:
        return _map(field)
    if shape.entity is not None:
        part = table(shape.entity)
        if part is None or field.message_type is not shape.entity._message.DESCRIPTOR or shape.is_list != field.is_repeated:
            raise _UnsuitedError
        return (_ENTITIES if shape.is_list else _ENTITY), part, None
    if field.is_repeated or not field.has_presence:
        raise _UnsuitedError
    if field.type == FieldDescriptor.TYPE_ENUM:
        return _enum(shape.enum)
    if field.type not in _SCALARS:
        raise _UnsuitedError
    if shape.enum is None:
        return _SCALARS[field.type], None, None
    if field.type != FieldDescriptor.TYPE_STRING or not issubclass(shape.enum, StrEnum):
        raise _UnsuitedError
    return _NAMED_TEXT, shape.enum, {member.value: member for member in shape.enum}


def _map(field: FieldDescriptor) -> tuple[int, object, object]:
    entry = field.message_type
    if entry is None or not entry.GetOptions().map_entry:
        raise _UnsuitedError
    if any(part.type != FieldDescriptor.TYPE_STRING for part in entry.fields):
        raise _UnsuitedError
    return _MAP, None, None


def _enum(kind: type[Enum] | None) -> tuple[int, object, object]:
    if kind is None or not issubclass(kind, IntEnum) or not all(0 <= member < _MOST_MEMBERS for member in kind):
        raise _UnsuitedError
    members = {member.value: member for member in kind}
    return _ENUM, kind, tuple(members.get(number) for number in range(max(members) + 1))
