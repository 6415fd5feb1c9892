"""Encodings of requests and responses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from gateway_entities.errors import Code, GatewayError
from gateway_entities.rules.request_size import refuse_many_fields
from gateway_entities.server.rpc.json_request import parse

M = TypeVar("M", bound=Message)


class Codec(NamedTuple):
    """One encoding.

    Attributes:
        name: ``proto`` or ``json``.
        decode: builds a message of the given type; raises GatewayError INVALID_ARGUMENT, which never contains a value.
        encode: encodes a message.
    """

    name: str
    decode: Callable[[bytes, type[Any]], Any]
    encode: Callable[[Message], bytes]


def _decode_proto(data: bytes, message_type: type[M]) -> M:
    refuse_many_fields(data, cast("Descriptor", message_type.DESCRIPTOR))
    try:
        return message_type.FromString(data)
    except DecodeError:
        name = message_type.DESCRIPTOR.full_name
        raise GatewayError(Code.INVALID_ARGUMENT, f"the bytes are not a {name}", reason="WIRE_FORMAT") from None


def _encode_proto(message: Message) -> bytes:
    # Maps are unordered, and a retried request gets the same bytes.
    return message.SerializeToString(deterministic=True)


def _encode_json(message: Message) -> bytes:
    return json.dumps(json_format.MessageToDict(message), ensure_ascii=False, separators=(",", ":")).encode()


PROTO: Final = Codec("proto", _decode_proto, _encode_proto)
"""The binary wire format."""

JSON: Final = Codec("json", parse, _encode_json)
"""proto3 JSON: lowerCamelCase names, 64-bit integers as strings, only the fields that are present."""
