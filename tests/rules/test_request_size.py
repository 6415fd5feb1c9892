"""The number of values in a request, counted in its bytes."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.rules.request_size import MAX_REQUEST_VALUES, refuse_many_fields, refuse_many_json_values
from gatewayentities.v1 import endpoint_pb2, secret_pb2

CREATE = endpoint_pb2.CreateGatewayEndpointRequest
UPDATE = endpoint_pb2.UpdateGatewayEndpointRequest
MANY = (Code.INVALID_ARGUMENT, "TOO_MANY_VALUES", "the request has more than 10000 values")
LARGE = 4 * 1024 * 1024


def is_refused(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except GatewayError as error:
        return (error.code, error.reason, error.message) == MANY
    return False


def is_json_refused(text: str | bytes) -> bool:
    return is_refused(refuse_many_json_values, text.encode() if isinstance(text, str) else text)


def values(json_value: Any) -> int:
    """Count objects and arrays, and the elements after the first of each."""
    if isinstance(json_value, dict):
        return 1 + max(len(json_value) - 1, 0) + sum(values(each) for each in json_value.values())
    if isinstance(json_value, list):
        return 1 + max(len(json_value) - 1, 0) + sum(values(each) for each in json_value)
    return 0


def test_json_at_the_limit() -> None:
    exact = [0] * MAX_REQUEST_VALUES
    assert values(exact) == MAX_REQUEST_VALUES
    assert not is_json_refused(json.dumps(exact))
    assert is_json_refused(json.dumps([*exact, 0]))
    assert is_json_refused("[" * (MAX_REQUEST_VALUES + 1))
    assert not is_json_refused(json.dumps([{}] * (MAX_REQUEST_VALUES // 2)))
    assert is_json_refused(json.dumps([{}] * (MAX_REQUEST_VALUES // 2 + 1)))


@pytest.mark.parametrize("text", [",[{" * 9000, '"",' * 9000, "\\" * 9001, '\\"[' * 9000, "é,🙂{" * 9000])
def test_texts_are_one_value_whatever_they_contain(text: str) -> None:
    for ascii_only in True, False:
        written = json.dumps({"a": text, text: ["b", text]}, ensure_ascii=ascii_only)
        assert not is_json_refused(written)
        # What follows them counts.
        assert is_json_refused(written + json.dumps([text[:9], 0] * MAX_REQUEST_VALUES))


def test_json_is_counted_as_a_parser_counts() -> None:
    chance = random.Random(7)

    def some(depth: int) -> Any:
        kind = chance.randrange(6 if depth else 3)
        if kind > 3:
            return [some(depth - 1) for _ in range(chance.randrange(9))]
        if kind == 3:
            return {chance.choice(['"', "\\", ",", "[{"]) + str(i): some(depth - 1) for i in range(chance.randrange(9))}
        return chance.choice([1, None, ',"[', "\\", '"'])

    for _ in range(3):
        value = [some(3)]
        while (count := values(value)) < MAX_REQUEST_VALUES - 5000:
            value += [some(3) for _ in range(50)]
        value += [0] * (MAX_REQUEST_VALUES - count)
        assert values(value) == MAX_REQUEST_VALUES
        assert not is_json_refused(json.dumps(value))
        assert is_json_refused(json.dumps([*value, 0]))


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])


def is_proto_refused(data: bytes, message_type: Any = CREATE) -> bool:
    return is_refused(refuse_many_fields, data, message_type.DESCRIPTOR)


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(b"\x12\x00", id="an empty message"),
        pytest.param(b"\x38\x01", id="a number"),
        pytest.param(b"\xa0\x7d\xff\xff\x03", id="an unknown number"),
        pytest.param(b"\xa1\x7d" + bytes(8), id="an unknown fixed64"),
        pytest.param(b"\xa5\x7d" + bytes(4), id="an unknown fixed32"),
        pytest.param(field(2004, b"xyz"), id="an unknown text"),
    ],
)
def test_fields_at_the_limit(one: bytes) -> None:
    assert not is_proto_refused(one * MAX_REQUEST_VALUES)
    assert is_proto_refused(one * (MAX_REQUEST_VALUES + 1))


def test_groups_count_with_their_fields() -> None:
    group = b"\xa3\x7d" + b"\x08\x01" + b"\xa4\x7d"
    assert is_proto_refused(group * (MAX_REQUEST_VALUES // 3 + 1))
    assert not is_proto_refused(group * (MAX_REQUEST_VALUES // 3))


def test_nested_fields_count_and_the_content_of_texts_does_not() -> None:
    paths = b"\x0a\x00" * MAX_REQUEST_VALUES
    assert is_proto_refused(field(1002, paths), UPDATE)
    # In many small parts too, which protobuf merges.
    assert is_proto_refused(field(1002, b"\x0a\x00" * 10) * 1000, UPDATE)
    assert not is_proto_refused(field(1, paths), UPDATE)
    entry = field(1, b"k") + field(2, paths)
    assert not is_proto_refused(field(2, entry) * 100, secret_pb2.CreateGatewaySecretRequest)
    assert is_proto_refused(field(2, entry) * 5000, secret_pb2.CreateGatewaySecretRequest)


@pytest.mark.parametrize("end", [b"\xff" * 11, b"\x0a", b"\x0a\xff\xff\xff\xff\x7f", b"\x0f", b"\x80", b"\x09\x00"])
def test_malformed_bytes_are_left_to_the_parser(end: bytes) -> None:
    # Long enough to be counted.
    data = b"\x12\x00" * (MAX_REQUEST_VALUES - 2) + field(1, b"x" * 20) + end
    assert not is_proto_refused(data)
    assert is_proto_refused(b"\x12\x00" * (MAX_REQUEST_VALUES + 1) + end)


@pytest.mark.parametrize(
    "text",
    [
        b'"' * LARGE,
        b'\\"' * (LARGE // 2),
        b'"' + b'\\"' * (LARGE // 2),
        b'",' * (LARGE // 2),
        b'{"a":"' + b"[{," * (LARGE // 3),
        b'{"a":"' + b"[{," * (LARGE // 3) + b'"}',
        b"[" * 20 + b" " * LARGE + b"," * MAX_REQUEST_VALUES,
        b"\\" * LARGE + b"," * MAX_REQUEST_VALUES,
    ],
    ids=range(8),
)
def test_counting_takes_linear_time(text: bytes) -> None:
    start = time.process_time()
    is_json_refused(text)
    assert time.process_time() - start < 0.5
