"""Reads each message of standard input under two schemas with the protobuf runtime of this process; prints both readings.

As es/read.mjs does with protobuf-es: ``python -m tests.wire.schemas.python_reader``.
"""

from __future__ import annotations

import base64
import functools
import json
import sys
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet


def shown(message: Message) -> list[Any]:
    """Return the fields that are set, and the numbers of those that are unknown."""
    known = [[field.name, value_of(value)] for field, value in message.ListFields()]
    return [known, [each.field_number for each in UnknownFieldSet(message)]]


def value_of(value: Any) -> Any:
    if isinstance(value, Message):
        return shown(value)
    if isinstance(value, str | bytes | int | float):
        return repr(value)
    if hasattr(value, "items"):
        return sorted([repr(key), value_of(each)] for key, each in value.items())
    return [value_of(each) for each in value]


@functools.lru_cache(maxsize=2)
def pool_of(schema: str) -> DescriptorPool:
    """Return the types of a schema; the messages of one pair of schemas follow each other."""
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(base64.b64decode(schema)).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def read(schema: str, name: str, data: str, text: str | None) -> dict[str, Any]:
    """Return the reading of a message, in binary or in JSON, or the error."""
    pool = pool_of(schema)
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))()
    try:
        if text is None:
            message.MergeFromString(base64.b64decode(data))
        else:
            json_format.Parse(text, message, ignore_unknown_fields=True, descriptor_pool=pool)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, ValueError) as error:
        return {"error": str(error)}
    return {"read": shown(message)}


def main() -> None:
    """Answer each line."""
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps([read(schema, asked["type"], asked["data"], asked["json"]) for schema in asked["schemas"]]))


if __name__ == "__main__":
    main()
