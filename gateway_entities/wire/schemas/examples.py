"""Small example messages, with edge values in the fields that differ between two schemas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire.schemas.signature import INTEGERS, enum_of, map_entry, message_of, oneof_of, signature

# The first value differs from the default.
_INTEGERS: Final = (1, 2, -1, 0, 2**31, 2**32, 2**53 + 1)
_OTHERS: Final[dict[int, tuple[object, ...]]] = {
    FieldDescriptor.TYPE_BOOL: (True, False),
    # The last value of each overflows a narrower type.
    FieldDescriptor.TYPE_FLOAT: (1.0, 1.5, -1.0, 0.0, 3e38),
    FieldDescriptor.TYPE_DOUBLE: (1.0, 1.5, -1.0, 0.0, 0.1, 1e300),
    FieldDescriptor.TYPE_STRING: ("a", "é", "1", ""),
    FieldDescriptor.TYPE_BYTES: (b"a", b"\xff", b""),
}
_DEEPEST: Final = 20


def minimal(descriptor: Descriptor, without: FieldDescriptor | None = None, depth: int = 0) -> Message:
    """Return the smallest message of a type, with only its required fields set.

    Args:
        descriptor: the type.
        without: a field to leave out even if required.
        depth: the nesting depth.

    Raises:
        ValueError: the type requires itself, so no message of it exists.
    """
    if depth > _DEEPEST:
        raise ValueError(f"{descriptor.full_name} requires itself")
    message = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if field.is_required and field is not without:
            put(message, field, [next(_elements(field, depth + 1))])
    return message


def examples(writer: Descriptor, reader: Descriptor) -> Iterator[Message]:
    """Yield messages of the writer's type that the reader may read differently, simplest first."""
    try:
        yield minimal(writer)
    except ValueError:
        return
    same = {signature(field) for field in reader.fields}
    for field in writer.fields:
        if signature(field) not in same:
            for values in _contents(field):
                yield _message(writer, {field: values})
    yield from _newly_exclusive(writer, reader)


def put(message: Message, field: FieldDescriptor, values: Sequence[Any]) -> None:
    """Set a field from a list: map pairs, elements, or the single value."""
    if field.is_repeated:
        message.ClearField(field.name)
    target = getattr(message, field.name)
    entry = map_entry(field)
    if entry is not None and message_of(entry.fields_by_name["value"]) is not None:
        for key, value in values:
            target[key].CopyFrom(value)
    elif entry is not None:
        target.update(values)
    elif field.is_repeated:
        target.extend(values)
    elif message_of(field) is not None:
        target.CopyFrom(values[0])
        target.SetInParent()
    else:
        setattr(message, field.name, values[0])


def _message(writer: Descriptor, contents: dict[FieldDescriptor, Sequence[Any]]) -> Message:
    message = minimal(writer)
    for field, values in contents.items():
        put(message, field, values)
    return message


def _contents(field: FieldDescriptor) -> Iterator[Sequence[Any]]:
    """Yield example contents of a field, as a list of values or, for a map, of pairs."""
    entry = map_entry(field)
    if entry is not None:
        keys, values = (list(_elements(entry.fields_by_name[name], 0)) for name in ("key", "value"))
        yield from ([(keys[0], value)] for value in values)
        yield from ([(key, values[0])] for key in keys[1:])
        return
    elements = list(_elements(field, 0))
    yield from ([element] for element in elements)
    if field.is_repeated and elements:
        yield [elements[0], elements[min(1, len(elements) - 1)]]
        # Duplicates collapse if the reader has a map.
        yield [elements[-1], elements[-1]]


def _elements(field: FieldDescriptor, depth: int) -> Iterator[Any]:
    nested = message_of(field)
    if nested is not None:
        yield from _nested(nested, depth)
    elif (enum := enum_of(field)) is not None:
        numbers = [value.number for value in enum.values]
        yield from (*[n for n in numbers if n], *[n for n in numbers if not n])
    elif field.type in INTEGERS:
        least, greatest = INTEGERS[field.type]
        yield from (n for n in dict.fromkeys((*_INTEGERS, greatest, least)) if least <= n <= greatest)
    else:
        yield from _OTHERS[field.type]


def _nested(nested: Descriptor, depth: int) -> Iterator[Message]:
    yield minimal(nested, depth=depth)
    for field in nested.fields:
        if message_of(field) is None:
            filled = minimal(nested, depth=depth)
            put(filled, field, [next(_elements(field, depth))])
            yield filled
            break


def _newly_exclusive(writer: Descriptor, reader: Descriptor) -> Iterator[Message]:
    """Yield messages with two fields set that share a oneof for the reader only."""
    for oneof in reader.oneofs:
        fields = [
            f for r in oneof.fields if (f := writer.fields_by_number.get(r.number) or writer.fields_by_name.get(r.name))
        ]
        for i, first in enumerate(fields):
            for second in fields[i + 1 :]:
                shared = oneof_of(first)
                if shared is None or shared is not oneof_of(second):
                    yield _message(writer, {f: next(_contents(f)) for f in (first, second)})
