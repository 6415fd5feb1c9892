"""Messages on the standard streams of the programs under test, with a length prefix of four bytes."""

from __future__ import annotations

import struct
from typing import BinaryIO, TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


def read_message(stream: BinaryIO, message_type: type[M]) -> M | None:
    """Return the next message; None at the end of the stream."""
    prefix = stream.read(4)
    if not prefix:
        return None
    (length,) = struct.unpack(">I", prefix)
    return message_type.FromString(stream.read(length))


def write_message(stream: BinaryIO, message: Message) -> None:
    data = message.SerializeToString()
    stream.write(struct.pack(">I", len(data)) + data)
    stream.flush()
