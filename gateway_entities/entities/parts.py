"""Entities as parts of other messages, such as responses, straight from and to bytes where the native codec is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from gateway_entities.entities._native import decode_in, encode_in
from gateway_entities.entities.base import Entity

E = TypeVar("E", bound=Entity[Any])


_FIELDS: Final[dict[tuple[Any, Any], Any]] = {}


def field_of(message_type: Any, kind: Any) -> Any:
    """Return the descriptor of the one field of a message type that has entities of a class.

    Raises:
        LookupError: it has none, or several.
    """
    if (message_type, kind) not in _FIELDS:
        wanted = kind._message.DESCRIPTOR
        found = [field for field in message_type.DESCRIPTOR.fields if field.message_type is wanted]
        if len(found) != 1:
            raise LookupError(f"{message_type.DESCRIPTOR.name} has {len(found)} fields with a {kind.__name__}")
        _FIELDS[message_type, kind] = found[0]
    return _FIELDS[message_type, kind]


def split(message_type: type[Message], kind: type[E], data: bytes) -> tuple[list[E], bytes] | None:
    """Return the entities of one class in a message, and the bytes of its other fields.

    Returns:
        None if the message has to be parsed as a whole: there is no native codec, or it leaves this message to the Python
        converters, which then raise the error if there is one.
    """
    if decode_in is None:
        return None
    field = field_of(message_type, kind)
    parts = decode_in(kind, field.number, data)
    # Of a field that is not repeated, several occurrences are merged.
    if parts is not None and not field.is_repeated and len(parts[0]) != 1:
        return None
    return parts


def encode(message_type: type[Message], kind: type[Entity[Any]], entities: Sequence[Entity[Any]]) -> bytes | None:
    """Return the bytes of the field of a message that has these entities; None as in ``split``."""
    if encode_in is None:
        return None
    return encode_in(kind, field_of(message_type, kind).number, entities)
