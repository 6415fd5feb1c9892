"""Example values that the writer's limits allow and the reader's reject."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.wire.schemas.differences import Mismatch
from gateway_entities.wire.schemas.limits import Limit, Limits
from gateway_entities.wire.schemas.model.signature import INTEGERS, map_entry, message_of
from gateway_entities.wire.schemas.proof.content import put, values_of
from gateway_entities.wire.schemas.proof.examples import minimal
from gateway_entities.wire.schemas.proof.witness import CrossRead, read_across
from gateway_entities.wire.schemas.report import DifferenceKind, DifferenceLevel

_LONGEST: Final = 100_000
# One of each character class that patterns distinguish.
_CHARACTERS: Final = ("a", "A", "1", "_", "-", ".", " ", "/", ":", "@", "+", "é", "日")
_FLOATS: Final = {FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE}
_NO_LIMIT: Final = Limit()


def limit_examples(
    writer: Descriptor, reader: Descriptor, writer_limits: Limits, reader_limits: Limits
) -> Iterator[tuple[CrossRead, Mismatch]]:
    """Yield messages that are within the writer's limits and parse, but break a limit of the reader."""
    for other in reader.fields:
        theirs = reader_limits.get(other.full_name)
        field = writer.fields_by_number.get(other.number)
        ours = _NO_LIMIT if field is None else writer_limits.get(field.full_name, _NO_LIMIT)
        if theirs is None or theirs == ours:
            continue
        for message in _messages(writer, field, ours, theirs):
            cross_read = read_across(message, reader, DifferenceLevel.BINARY)
            if cross_read is not None and cross_read.read is not None and _rejected(cross_read.read, other, theirs):
                before = f"; the writer's: {ours}" if field is not None else ""
                text = f"breaks the reader's limit ({theirs}{before})"
                yield cross_read, Mismatch(DifferenceKind.REFUSED, other.full_name, text, other.number)


def _messages(writer: Descriptor, field: FieldDescriptor | None, ours: Limit, theirs: Limit) -> Iterator[Message]:
    try:
        if theirs.required and not ours.required and (field is None or not field.is_required):
            yield minimal(writer)
        for value in () if field is None else _values(field, ours, theirs):
            if field is not None and ours.allows(value):
                message = minimal(writer)
                put(message, field, _as_content(field, value))
                yield message
    except ValueError:
        # The type requires itself, or the limit exceeds the range of the type.
        return


def _rejected(message: Message, field: FieldDescriptor, limit: Limit) -> bool:
    values = values_of(message, field)
    if not values:
        return limit.required
    if field.is_repeated:
        return not limit.allows(values)
    return not limit.allows(values[0])


def _as_content(field: FieldDescriptor, value: Any) -> Any:
    return value if field.is_repeated else [value]


def _values(field: FieldDescriptor, ours: Limit, theirs: Limit) -> Iterator[Any]:
    """Yield values of the field's type at the edges of both limits."""
    edges = [b + d for limit in (theirs, ours) for b in (limit.min, limit.max) if b is not None for d in (0, -1, 1)]
    if field.is_repeated:
        yield from _lists(field, [int(e) for e in edges if 0 <= e <= _LONGEST])
    elif field.type in _FLOATS:
        yield from (float(e) for e in (*edges, 0, 1, -1))
    elif field.type in INTEGERS:
        least, greatest = INTEGERS[field.type]
        yield from (int(e) for e in (*edges, 0, 1, -1) if least <= e <= greatest)
    elif field.type in (field.TYPE_STRING, field.TYPE_BYTES):
        lengths = sorted({0, 1, 2, *(int(e) for e in edges if 0 <= e <= _LONGEST)})
        texts = (t for n in lengths for t in _texts(n))
        yield from texts if field.type == field.TYPE_STRING else (t.encode() for t in texts if t.isascii())


def _texts(length: int) -> Iterator[str]:
    if not length:
        yield ""
        return
    for first in _CHARACTERS:
        yield first * length
        if length > 1:
            yield from ("a" * (length - 1) + first, first + "a" * (length - 1))


def _lists(field: FieldDescriptor, lengths: list[int]) -> Iterator[Any]:
    entry = map_entry(field)
    nested = message_of(field)
    if entry is not None:
        key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
        if key.type == key.TYPE_STRING and value.type == value.TYPE_STRING:
            yield from ([(str(i), "") for i in range(n)] for n in lengths)
    elif nested is not None:
        yield from ([minimal(nested)] * n for n in lengths)
    elif field.type in INTEGERS:
        yield from ([0] * n for n in lengths)
