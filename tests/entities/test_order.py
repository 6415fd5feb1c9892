"""``to_bytes`` has one order under every implementation of protobuf, so that etags agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities import GatewaySecretInfo
from tests.entities.entity_types import KINDS, filled
from tests.entities.test_unknown_fields import every_entity
from tests.messages import varint

KEYS = [
    "",
    "a",
    "ab",
    "abc",
    "aa",
    "b",
    "A",
    "a\0",
    "a\x7f",
    "é",
    "aé",
    "\uffff",
    "\U00010000",
    "\U0010ffff",
    "k1",
    "k10",
    "k2",
]
UNKNOWN = b"".join(varint(number << 3) + varint(number) for number in (200, 90, 199, 90))

PROBE = """
import json, sys
from google.protobuf.internal import api_implementation
from gateway_entities import entities
lines = [getattr(entities, name).from_bytes(bytes.fromhex(data)) for name, data in json.load(sys.stdin)]
print(json.dumps([api_implementation.Type(), [[each.to_bytes().hex(), each.etag()] for each in lines]]))
"""


def info(keys: list[str]) -> GatewaySecretInfo:
    entity = GatewaySecretInfo("s-1", "n", dict.fromkeys(keys, "v"), 1, 2, auth_config=dict.fromkeys(keys, ""))
    entity._unknown_fields = UNKNOWN
    return entity


def fields(data: bytes) -> list[tuple[int, bytes]]:
    """Return the number and the content of each field of a message with short lengths."""
    found: list[tuple[int, bytes]] = []
    position = 0
    while position < len(data):
        tag, position = read_varint(data, position)
        start = position
        length, position = read_varint(data, position)
        if tag & 7 == 2:
            start, position = position, position + length
        found.append((tag >> 3, data[start:position]))
    return found


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, position


@given(st.permutations(KEYS))
def test_known_fields_by_number_then_map_entries_by_key_then_unknown_fields_as_they_came(keys: list[str]):
    data = info(keys).to_bytes()
    assert data == info(sorted(keys)).to_bytes()
    assert data.endswith(UNKNOWN)
    known = fields(data[: -len(UNKNOWN)])
    assert [number for number, _ in known] == sorted(number for number, _ in known)
    for number in (3, 9):
        entries = [dict(fields(content))[1] for each, content in known if each == number]
        assert entries == sorted(key.encode() for key in keys), number


def test_every_implementation_of_protobuf_has_the_same_bytes_and_etags():
    entities: list[Any] = [*map(filled, KINDS), info(KEYS), info(KEYS[::-1])]
    lines = json.dumps([[type(each).__name__, each.to_bytes().hex()] for each in entities])
    answers = {}
    for implementation in ("upb", "python"):
        found = subprocess.run(
            [sys.executable, "-c", PROBE],
            input=lines,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": implementation},
        )
        used, answers[implementation] = json.loads(found.stdout)
        if used != implementation:
            pytest.skip(f"protobuf has no implementation {implementation} here")
    assert answers["upb"] == answers["python"]
    assert answers["upb"] == [[each.to_bytes().hex(), each.etag()] for each in entities]


@every_entity
def test_unknown_fields_come_last_in_the_order_in_which_they_came(kind: Any):
    plain = filled(kind).to_bytes()
    entity = kind.from_bytes(UNKNOWN + plain)
    assert entity.to_bytes().endswith(UNKNOWN + filled(kind)._unknown_fields)
