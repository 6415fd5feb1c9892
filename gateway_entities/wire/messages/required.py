"""Required fields of proto2 and editions that are absent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway_entities.rules import Violation
from gateway_entities.rules.values import entry


def missing_fields(message: Message, prefix: str = "") -> Iterator[Violation]:
    """Yield a violation for each required field that is absent, also in messages within the message.

    Complete messages cost next to nothing, and the others are walked no further than the caller reads. protobuf's own list
    has every path, whose lengths may add up to far more than the message.
    """
    if message.IsInitialized():
        return
    for field in cast("list[FieldDescriptor]", message.DESCRIPTOR.fields):
        if field.is_required and not message.HasField(field.name):
            yield Violation("schema/required", prefix + field.name, "is required and absent; write it")
    for field, value in message.ListFields():
        if field.message_type is not None:
            name = f"[{field.full_name}]" if field.is_extension else field.name
            for path, inner in _messages(field, value, prefix + name):
                yield from missing_fields(inner, f"{path}.")


def _messages(field: FieldDescriptor, value: Any, path: str) -> Iterable[tuple[str, Message]]:
    if not field.is_repeated:
        return [(path, value)]
    if isinstance(value, Mapping):
        values = cast("Mapping[object, object]", value)
        return ((entry(path, str(key)), each) for key, each in values.items() if isinstance(each, Message))
    return ((f"{path}[{index}]", each) for index, each in enumerate(value))
