"""Fuzzing of the check: it never raises, and agrees with protobuf on what can be parsed."""

from __future__ import annotations

import random

import pytest
from google.protobuf import __version__ as protobuf_version
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.wire import MESSAGE_TYPES, RULES, check, inspect
from tests import profiles
from tests.messages import RESOURCES, full, messages
from tests.wire.messages.samples import BAD, class_of

MUTATIONS = profiles.count(1_000_000, 3_000)

# Wire errors for bytes that this protobuf (upb) parses.
EXCEPTIONS = {
    # It silently drops the bits beyond 64.
    "wire/varint-overflow",
}
# It rejects the invalid field number 0 in most places, but accepts it in an overlong tag and in messages without fields.
FIELD_ZERO = {"wire/field-number", "wire/trailing-bytes"}
# Rules whose violation can make the encoding non-canonical.
NOT_CANONICAL = {
    *("wire/overlong-varint", "wire/varint-overflow", "wire/repeated-field", "wire/order", "wire/map-order"),
    "wire/merged-message",
    *("schema/number-range", "schema/map-duplicate", "schema/map-default", "schema/map-entry", "schema/packing"),
}

KINDS = list(MESSAGE_TYPES.values())
SEEDS = [(kind, full(kind).SerializeToString(deterministic=True)) for kind in KINDS]
SEEDS += [(class_of(bad.message_type), bad.data) for bad in BAD]
OF_GROUPS = {kind for kind, _ in SEEDS if any(f.type == f.TYPE_GROUP for f in kind.DESCRIPTOR.fields)}


def agree(kind: type[Message], data: bytes) -> None:
    report = check(data, kind)
    try:
        kind.FromString(data)
    except Exception:
        parsed = False
    else:
        parsed = True
    found = {finding.rule for finding in report.findings}
    fatal = {rule for rule in found if RULES[rule].fatal}
    # Before version 7 it rejects a group that has the wire type of a message; now it is an unknown field.
    old_group = int(protobuf_version.partition(".")[0]) < 7 and kind in OF_GROUPS and "schema/wire-type" in found
    assert parsed == (not fatal) or (parsed and fatal <= FIELD_ZERO) or old_group, (kind.DESCRIPTOR.name, data.hex(), found)
    assert all(0 <= (finding.offset or 0) <= len(data) for finding in report.findings)
    # The contract has no fields without presence, whose explicit zeros are not canonical either.
    if parsed and not fatal and not report.canonical and kind in KINDS:
        assert found & NOT_CANONICAL, (kind.DESCRIPTOR.name, data.hex(), found)
    if report.canonical:
        assert parsed
        assert not fatal
        assert not found & {"wire/overlong-varint", "wire/order", "wire/map-order", "wire/repeated-field"}


def mutated(chance: random.Random, data: bytes) -> bytes:
    mutant = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(mutant) + 1)
        match chance.randrange(6):
            case 0 if mutant:
                mutant[at % len(mutant)] = chance.randrange(256)
            case 1 if mutant:
                mutant[at % len(mutant)] ^= 1 << chance.randrange(8)
            case 2:
                del mutant[at : at + chance.randrange(1, 6)]
            case 3:
                mutant[at:at] = chance.randbytes(chance.randrange(1, 4))
            case 4:
                mutant[at:at] = mutant[at : at + chance.randrange(1, 40)]
            case _:
                mutant[at:at] = chance.choice((b"\x80\x00", b"\x7b\x7c", b"\xff", b"\x00", b"\x0a\x00", b"\x08\x01"))
    return bytes(mutant)


def test_the_exceptions_are_complete() -> None:
    errors = {name for name, rule in RULES.items() if name.startswith("wire/") and rule.severity == "error"}
    assert {name for name in errors if not RULES[name].fatal} == EXCEPTIONS
    assert {name for name, rule in RULES.items() if rule.fatal} == errors - EXCEPTIONS


@pytest.mark.parametrize("part", range(4))
def test_mutated_messages(part: int) -> None:
    chance = random.Random(f"{profiles.SEED} {part}")
    for _ in range(MUTATIONS // 4):
        kind, data = chance.choice(SEEDS)
        data = mutated(chance, data)
        agree(kind, data)
        if profiles.PROFILE.share is None or chance.random() < 0.1:
            pieces = list(inspect(data, kind))
            assert b"".join(data[piece.start : piece.end] for piece in pieces) == data


@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_random_bytes(kind: type[Message], data: bytes) -> None:
    agree(kind, data)


@given(st.sampled_from(list(RESOURCES.values())).flatmap(lambda kind: messages(kind, complete=False)))
def test_random_messages(message: Message) -> None:
    agree(type(message), message.SerializeToString(deterministic=True))
