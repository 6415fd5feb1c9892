"""Messages packed in ``google.protobuf.Any``, which names their type."""

from __future__ import annotations

import json
from typing import Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor

from gateway_entities.wire.schemas.found import Found
from gateway_entities.wire.schemas.model.schema import Schema
from gateway_entities.wire.schemas.report import (
    Difference,
    DifferenceKind,
    DifferenceLevel,
    Direction,
    Element,
    Witness,
    WitnessReading,
)

_ANY: Final = "google.protobuf.Any"
_LEVELS: Final = (
    (DifferenceLevel.MEANING, "cannot be unpacked by the reader, which does not know the type"),
    (DifferenceLevel.JSON, "make the reader reject the JSON, because it does not know the type"),
)


def compare_packed_names(old: Descriptor, new: Descriptor, old_schema: Schema, new_schema: Schema, found: Found) -> None:
    """Report a renamed message if a schema has ``google.protobuf.Any``, in which a message has its name.

    Args:
        old: the old message.
        new: the new message, which belongs to it.
        old_schema: the schema of the old one.
        new_schema: the schema of the new one.
        found: where the differences go.
    """
    if old.full_name == new.full_name or not (_has(old_schema, _ANY) and _has(new_schema, _ANY)):
        return
    for direction in Direction:
        packed, reader = (old, new_schema) if direction is Direction.NEW_READS_OLD else (new, old_schema)
        if _has(reader, packed.full_name):
            continue
        for level, effect in _LEVELS:
            text = f"has another name for the reader: messages packed in {_ANY} {effect}"
            kind = DifferenceKind.REJECTED if level is DifferenceLevel.JSON else DifferenceKind.LOST
            found.add_proven(
                Difference(
                    *(direction, level, kind, packed.full_name, text, packed.full_name, 0),
                    _witness(packed.full_name, direction),
                    Element.MESSAGE,
                )
            )


def _has(schema: Schema, name: str) -> bool:
    try:
        schema.pool.FindMessageTypeByName(name)
    except KeyError:
        return False
    return True


def _witness(name: str, direction: Direction) -> Witness:
    message = AnyMessage(type_url=f"type.googleapis.com/{name}")
    text = json.dumps({"@type": message.type_url})
    shown = f"[{message.type_url}] {{}}"
    writer = WitnessReading(shown, text)
    reader = WitnessReading(f'type_url: "{message.type_url}"', None, f"there is no message type {name}")
    old, new = (writer, reader) if direction is Direction.NEW_READS_OLD else (reader, writer)
    return Witness(_ANY, message.SerializeToString(deterministic=True), text, old, new)
