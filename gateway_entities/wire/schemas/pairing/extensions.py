"""Messages that a schema extends but does not own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway_entities.wire.schemas.model.schema import Schema


def foreign_extended(
    old: Schema, new: Schema, chosen: Callable[..., bool]
) -> Iterator[tuple[str, Descriptor | None, Descriptor | None]]:
    """Yield the name of each message that a schema extends and not both own, such as options of protobuf, and the messages.

    A message is None in a schema that neither defines nor imports it.
    """
    extensions = [e for schema in (old, new) for e in schema.extensions.values()]
    extended: dict[str, list[FieldDescriptor]] = {}
    for extension in extensions:
        extended.setdefault(cast("Descriptor", extension.containing_type).full_name, []).append(extension)
    for name in sorted(extended.keys() - (old.messages.keys() & new.messages.keys())):
        if chosen(*extended[name]):
            yield name, _found(old, name), _found(new, name)


def _found(schema: Schema, name: str) -> Descriptor | None:
    try:
        return schema.pool.FindMessageTypeByName(name)
    except KeyError:
        return None
