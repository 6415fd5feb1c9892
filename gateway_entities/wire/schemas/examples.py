"""Small messages that could show a difference: what a writer may write into the fields that changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire.schemas.signature import INTEGERS, enum_of, map_entry, message_of, oneof_of, signature

# The first value is one that differs from what absence means.
_INTEGERS: Final = (1, 2, -1, 0, 2**31, 2**32, 2**53 + 1)
_OTHERS: Final[dict[int, tuple[object, ...]]] = {
    FieldDescriptor.TYPE_BOOL: (True, False),
    # The last of each is one that a narrower type cannot hold.
    FieldDescriptor.TYPE_FLOAT: (1.0, 1.5, -1.0, 0.0, 3e38),
    FieldDescriptor.TYPE_DOUBLE: (1.0, 1.5, -1.0, 0.0, 0.1, 1e300),
    FieldDescriptor.TYPE_STRING: ("a", "é", "1", ""),
    FieldDescriptor.TYPE_BYTES: (b"a", b"\xff", b""),
}
_DEEPEST: Final = 20


def minimal(descriptor: Descriptor, without: FieldDescriptor | None = None, depth: int = 0) -> Message:
    """Return the smallest message of a type: only its required fields are set.

    Args:
        descriptor: the type.
        without: a field to leave out all the same.
        depth: how many messages it lies in.

    Raises:
        ValueError: the type requires itself, so that no message of it exists.
    """
    if depth > _DEEPEST:
        raise ValueError(f"{descriptor.full_name} requires itself")
    message = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if field.is_required and field is not without:
            put(message, field, [next(_elements(field, depth + 1))])
    return message


def candidates(writer: Descriptor, reader: Descriptor) -> Iterator[Message]:
    """Yield messages of the writer that its reader may read differently, the plainest first."""
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
    """Set a field: a map to pairs, a list to its elements, any other field to the only value."""
    if field.is_repeated:
        message.ClearField(field.name)
    held = getattr(message, field.name)
    entry = map_entry(field)
    if entry is not None and message_of(entry.fields_by_name["value"]) is not None:
        for key, value in values:
            held[key].CopyFrom(value)
    elif entry is not None:
        held.update(values)
    elif field.is_repeated:
        held.extend(values)
    elif message_of(field) is not None:
        held.CopyFrom(values[0])
        held.SetInParent()
    else:
        setattr(message, field.name, values[0])


def _message(writer: Descriptor, contents: dict[FieldDescriptor, Sequence[Any]]) -> Message:
    message = minimal(writer)
    for field, values in contents.items():
        put(message, field, values)
    return message


def _contents(field: FieldDescriptor) -> Iterator[Sequence[Any]]:
    """Yield what may stand in a field, as a list of values or, for a map, of pairs."""
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
        # The same element twice: as entries of a map they are one.
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
    """Yield messages with two fields set of which the reader can hold only one."""
    for oneof in reader.oneofs:
        fields = [
            f for r in oneof.fields if (f := writer.fields_by_number.get(r.number) or writer.fields_by_name.get(r.name))
        ]
        for i, first in enumerate(fields):
            for second in fields[i + 1 :]:
                shared = oneof_of(first)
                if shared is None or shared is not oneof_of(second):
                    yield _message(writer, {f: next(_contents(f)) for f in (first, second)})
