"""Inspection: the pieces cover the input, their text is correct, and no secret is shown."""

from __future__ import annotations

import itertools

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.wire import MESSAGE_TYPES, inspect, render
from gateway_entities.wire.messages.inspect import MAX_PIECES
from tests.messages import RESOURCES, messages
from tests.wire.messages.samples import CANARY, ENDPOINT, SECRET, entry, number, numbers_type, tag, text

TYPES = [None, *MESSAGE_TYPES]


def shown(data: bytes, message_type: type[Message] | str | None = None) -> str:
    return "\n".join(render(inspect(data, message_type)))


def whole(data: bytes, message_type: str | None) -> bool:
    pieces = list(inspect(data, message_type))
    together = all(one.end == two.start for one, two in itertools.pairwise(pieces))
    return together and b"".join(data[piece.start : piece.end] for piece in pieces) == data


@given(st.sampled_from(TYPES), st.binary(max_size=120))
def test_the_pieces_of_random_bytes_cover_them(message_type: str | None, data: bytes) -> None:
    assert whole(data, message_type)
    assert shown(data, message_type).count("\n") < len(data) + 1


@given(st.sampled_from(list(RESOURCES.values())).flatmap(lambda kind: messages(kind, complete=False)))
def test_the_pieces_of_random_messages_cover_them(message: Message) -> None:
    data = message.SerializeToString()
    assert whole(data, message.DESCRIPTOR.name)
    assert whole(data, None)
    for name in ("GatewayEndpoint", "CreateGatewaySecretRequest"):
        assert whole(data[:-1], name)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (text(1, "e-1"), '0..5            1  endpoint_id: string = "e-1"'),
        (number(9, 1), "0..2            9  routing_strategy: enum = REQUEST_BASED_TRAFFIC_SPLIT (1)"),
        (number(9, -1), "0..11           9  routing_strategy: enum = unknown (-1)"),
        (number(3, -5), "0..11           3  created_at: int64 = -5"),
        (number(12, 1), "0..2           12  usage_tracking: bool = true"),
        (text(5, tag(5, 5) + b"\xcd\xcc\xcc\x3d"), "2..7            5    weight: float = 0.1"),
        (text(5, b""), "0..2            5  model_mappings: GatewayEndpointModelMapping = empty"),
        (number(99, 7), "0..3           99  #99: varint = 7  [not in the schema]"),
        (number(1, 7), "0..2            1  endpoint_id: varint = 7  [wrong wire type for the field]"),
        (b"\x0a\x81\x00x", '0..4            1  endpoint_id: string = "x"  [a varint has more bytes than needed]'),
        (b"\x0e\x01", "0..2               -: unreadable = (2 bytes)  [wire/wire-type]"),
        (tag(9, 3) + tag(9, 4), "1..2            9    #9: end of group"),
        (text(2, "a\n"), "0..4            2  name: string = (2 bytes, not printable)"),
        (text(2, "é" * 500), f'= "{"é" * 80}"... (1000 bytes)'),
        # The cut before decoding splits the last character.
        (text(2, "a" * 323 + "é"), f'= "{"a" * 80}"... (325 bytes)'),
        (text(2, b"a" * 323 + b"\xc3"), "= (324 bytes, not UTF-8)"),
        (text(2, b"a" * 319 + b"\xc3" * 6), "= (325 bytes, not UTF-8)"),
        (text(2, "a" * 80), f'= "{"a" * 80}"'),
    ],
)
def test_rendered_lines(data: bytes, line: str) -> None:
    assert line in shown(data, "GatewayEndpoint")


def test_a_type_of_another_contract() -> None:
    assert "level: sint32 = -3" in shown(number(3, 5), numbers_type())
    assert "values: int32 = 01 02" in shown(text(1, b"\1\2"), numbers_type())


def test_without_a_type_the_content_is_a_guess() -> None:
    lines = shown(ENDPOINT).splitlines()
    assert '#1: length-delimited = "e-1"  [guess]' in lines[0]
    assert "#5: length-delimited = a message  [guess]" in lines[4]
    assert "    #1: length-delimited" in lines[5]
    assert "guess" not in shown(ENDPOINT, "GatewayEndpoint")


def shows_text(message_type: str | None) -> bool:
    """Whether the secret's place is, in a message of this type, a text that is none."""
    field = None if message_type is None else MESSAGE_TYPES[message_type].DESCRIPTOR.fields_by_number.get(2)
    content = None if field is None or field.message_type is None else field.message_type.fields_by_number.get(2)
    return content is not None and content.type == content.TYPE_STRING and not field.message_type.GetOptions().map_entry


@pytest.mark.parametrize("message_type", [name for name in TYPES if not shows_text(name)])
def test_no_secret_is_shown(message_type: str | None) -> None:
    odd = entry(text(1, "k"), text(2, CANARY), text(2, CANARY))
    for data in (SECRET, SECRET * 2, SECRET + odd):
        for end in range(len(data) + 1):
            lines = shown(data[:end], message_type)
            assert CANARY not in lines
            assert CANARY.encode().hex(" ")[:24] not in lines


def test_the_key_and_the_length_of_a_secret_are_shown() -> None:
    assert 'key: string = "api_key"' in shown(SECRET, "CreateGatewaySecretRequest")
    assert f"value: string = ({len(CANARY)} bytes, secret)" in shown(SECRET, "CreateGatewaySecretRequest")
    unknown = shown(text(4, CANARY) + tag(9, 3) + text(1, CANARY) + tag(9, 4), "CreateGatewaySecretRequest")
    assert CANARY not in unknown
    assert "may be a secret" in unknown


def test_pieces_beyond_the_limit_are_one() -> None:
    data = b"\x78\x01" * (MAX_PIECES + 5)
    pieces = list(inspect(data))
    assert len(pieces) == MAX_PIECES + 1
    assert b"".join(data[piece.start : piece.end] for piece in pieces) == data
    assert pieces[-1].note
