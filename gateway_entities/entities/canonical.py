"""The canonical bytes of a message, from which etags are made.

Known fields are ordered by number, map entries by the UTF-8 bytes of their keys, and the unknown fields come last, in the
order in which they arrived. That is protobuf's deterministic output, but for one thing: its C runtime puts a key after the
longer keys that begin with it, and its other runtimes before them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Any, Final, NamedTuple, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

_LENGTH_DELIMITED: Final = 2


def to_bytes(message: Message) -> bytes:
    """Encode a message canonically."""
    maps = _maps(message.DESCRIPTOR)
    if maps is not None and _has_prefixed_keys(message, maps):
        return _encoded(message)
    return message.SerializeToString(deterministic=True)


def unknown_fields(message: Message) -> bytes:
    """Return the unknown fields of a message, without those of its submessages, byte for byte."""
    rest = type(message)()
    rest.CopyFrom(message)
    for field, _ in rest.ListFields():
        rest.ClearField(field.name)
    return rest.SerializeToString()


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


class _Maps(NamedTuple):
    """Where a message has maps: the names of its maps, and its fields with messages that have maps."""

    own: tuple[str, ...]
    below: tuple[FieldDescriptor, ...]


@cache
def _maps(descriptor: Descriptor) -> _Maps | None:
    """Return where a message has maps; None if nowhere, at any depth. The contract's types do not contain themselves."""
    own = tuple(field.name for field in descriptor.fields if _is_map(field))
    parts = [field for field in descriptor.fields if field.message_type is not None and not _is_map(field)]
    below = tuple(field for field in parts if _maps(field.message_type))
    return _Maps(own, below) if own or below else None


def _has_prefixed_keys(message: Message, maps: _Maps) -> bool:
    for name in maps.own:
        keys = getattr(message, name)
        # In order, what begins with a key follows it.
        if len(keys) > 1 and any(longer.startswith(key) for key, longer in pairwise(sorted(keys))):
            return True
    return any(
        _has_prefixed_keys(part, cast("_Maps", _maps(part.DESCRIPTOR)))
        for field in maps.below
        for part in _submessages(message, field)
    )


def _submessages(message: Message, field: FieldDescriptor) -> Iterable[Message]:
    value = getattr(message, field.name)
    if field.is_repeated:
        return cast("Iterable[Message]", value)
    return (value,) if message.HasField(field.name) else ()


def _encoded(message: Message) -> bytes:
    parts: list[bytes] = []
    for field, value in message.ListFields():
        if _is_map(field):
            # Text is ordered by code points, as its UTF-8 bytes are.
            parts += [_one(message, field, {key: value[key]}) for key in sorted(value)]
        elif field.message_type is None:
            parts.append(_one(message, field, value))
        else:
            parts += [length_delimited(field.number, to_bytes(part)) for part in (value if field.is_repeated else (value,))]
    return b"".join((*parts, unknown_fields(message)))


def _one(message: Message, field: FieldDescriptor, value: Any) -> bytes:
    """Encode one field without submessages."""
    return type(message)(**{field.name: value}).SerializeToString(deterministic=True)


def length_delimited(number: int, data: bytes) -> bytes:
    """Return the encoding of a field with a message, or text, whose own encoding is given."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes((*digits, value))
