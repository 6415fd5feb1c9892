"""Small example messages, with edge values in the fields that differ between two schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, Final

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire.schemas.model.signature import (
    INTEGERS,
    enum_index,
    enum_of,
    map_entry,
    message_of,
    required_fields,
)
from gateway_entities.wire.schemas.parts import exclusive_members, strangeness
from gateway_entities.wire.schemas.proof.content import put

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
# Runtimes read messages that nest at most 100 deep.
_DEEPEST: Final = 100
# Candidates for each oneof: the first may be rejected for another reason.
_PAIRS: Final = 8
_SECOND: Final = duration_pb2.Duration(seconds=1)
_WELL_KNOWN: Final = {
    "google.protobuf.Any": any_pb2.Any(
        type_url="type.googleapis.com/google.protobuf.Duration", value=_SECOND.SerializeToString()
    ).SerializeToString(),
    "google.protobuf.Timestamp": b"\x08\x01\x10\x01",
    "google.protobuf.Duration": b"\x08\x01\x10\x01",
    "google.protobuf.FieldMask": b"\x0a\x03a_b",
    "google.protobuf.Struct": b"\x0a\x07\x0a\x01a\x12\x02\x20\x01",
    "google.protobuf.Value": b"\x20\x01",
    "google.protobuf.ListValue": b"\x0a\x02\x20\x01",
    "google.protobuf.StringValue": b"\x0a\x01a",
    "google.protobuf.BytesValue": b"\x0a\x01a",
    "google.protobuf.DoubleValue": b"\x09\x00\x00\x00\x00\x00\x00\xf0\x3f",
    "google.protobuf.FloatValue": b"\x0d\x00\x00\x80\x3f",
    **{f"google.protobuf.{kind}Value": b"\x08\x01" for kind in ("Int64", "UInt64", "Int32", "UInt32", "Bool")},
}


def minimal(descriptor: Descriptor) -> Message:
    """Return the smallest message of a type, with only its required fields set.

    Raises:
        ValueError: the type requires itself, or more nested messages than runtimes read, so no message of it exists.
    """
    return _Minimal().of(descriptor, 0)


class _Minimal:
    """The smallest messages of the types that one message requires."""

    def __init__(self) -> None:
        self._made: dict[str, Message] = {}

    def of(self, descriptor: Descriptor, depth: int) -> Message:
        if depth >= _DEEPEST:
            raise ValueError(f"{descriptor.full_name} requires itself, or messages more than {_DEEPEST} deep")
        name = descriptor.full_name
        if name not in self._made:
            message = GetMessageClass(descriptor)()
            for field in required_fields(descriptor):
                nested = message_of(field)
                put(message, field, [next(_elements(field)) if nested is None else self.of(nested, depth + 1)])
            self._made[name] = message
        made = type(self._made[name])()
        made.CopyFrom(self._made[name])
        return made


def contents(field: FieldDescriptor) -> list[Sequence[Any]]:
    """Return example contents of a field, each a list of values or, for a map, of pairs. The first differs from the default.

    None exist if its message type requires itself.
    """
    return list(_contents(field))


def message_with(writer: Descriptor, values: Mapping[FieldDescriptor, Sequence[Any]]) -> Message:
    """Return the smallest message of a type with these fields set.

    Raises:
        ValueError: no message of the type exists.
    """
    message = minimal(writer)
    for field, content in values.items():
        put(message, field, content)
    return message


def newly_exclusive(writer: Descriptor, reader: Descriptor) -> Iterator[Message]:
    """Yield messages with two fields set that share a oneof for the reader only: a few for each oneof."""
    for oneof in reader.oneofs:
        groups = sorted(exclusive_members(writer, oneof), key=lambda group: strangeness(*group[0]))
        pairs = ((ours, theirs) for first, second in pairwise(groups) for ours in first[:2] for theirs in second[:2])
        for pair in islice(pairs, _PAIRS):
            values = [contents(field) for field, _ in pair]
            if all(values) and pair[0][0] is not pair[1][0]:
                yield message_with(writer, {field: value[0] for (field, _), value in zip(pair, values, strict=True)})


def _contents(field: FieldDescriptor) -> Iterator[Sequence[Any]]:
    """Yield example contents of a field, as a list of values or, for a map, of pairs."""
    entry = map_entry(field)
    if entry is not None:
        keys, values = (list(_elements(entry.fields_by_name[name])) for name in ("key", "value"))
        yield from ([(keys[0], value)] for value in values)
        yield from ([(key, values[0])] for key in keys[1:] if values)
        return
    elements = list(_elements(field))
    yield from ([element] for element in elements)
    if field.is_repeated and elements:
        yield [elements[0], elements[min(1, len(elements) - 1)]]
        # Duplicates collapse if the reader has a map.
        yield [elements[-1], elements[-1]]


def _elements(field: FieldDescriptor) -> Iterator[Any]:
    nested = message_of(field)
    if nested is not None:
        yield from _nested(nested)
    elif (enum := enum_of(field)) is not None:
        numbers = list(enum_index(enum).names)
        # Values are compared one by one for each enum, not for each of its fields.
        edges = dict.fromkeys((*islice(filter(None, numbers), 2), max(numbers), min(numbers), numbers[0]))
        yield from (*[n for n in edges if n], *[n for n in edges if not n])
    elif field.type in INTEGERS:
        least, greatest = INTEGERS[field.type]
        yield from (n for n in dict.fromkeys((*_INTEGERS, greatest, least)) if least <= n <= greatest)
    else:
        yield from _OTHERS[field.type]


def _nested(nested: Descriptor) -> Iterator[Message]:
    known = well_known(nested)
    if known is not None:
        yield known
    try:
        yield minimal(nested)
    except ValueError:
        return
    for field in nested.fields:
        if message_of(field) is None:
            yield message_with(nested, {field: [next(_elements(field))]})
            break


def well_known(descriptor: Descriptor) -> Message | None:
    """Return a typical message of a type with a JSON form of its own; None for other types."""
    data = _WELL_KNOWN.get(descriptor.full_name)
    return None if data is None else GetMessageClass(descriptor).FromString(data)


def look_alikes(writer: Descriptor, reader: Descriptor) -> bool:
    """Return whether one of two types has a JSON form of its own, and the other is another type."""
    names = {writer.full_name, reader.full_name}
    return len(names) > 1 and not names.isdisjoint(_WELL_KNOWN)
