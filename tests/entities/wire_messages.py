"""Bytes of messages, written field by field: what protobuf's own writers never write, but its readers accept, and more.

Fields come in any order and more than once, numbers overlong, texts damaged, messages in pieces that are merged, groups,
known fields in other wire types, and unknown fields between known ones.
"""

from __future__ import annotations

import struct
from random import Random
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from tests.messages import REQUIRED, is_map, varint

INTEGERS = [0, 1, 2, 3, 127, 128, 1_700_000_000_000, 2**31 - 1, 2**31, 2**32 - 1, 2**32 + 1, 2**63 - 1, 2**63, 2**64 - 1]
FLOATS = [0.0, -0.0, 0.1, 0.5, 1.0, 1 / 3, 3.4028235e38, -1e-45, 1.1754944e-38, 16777217.0, float("inf"), -float("inf")]
TEXTS = [b"", b"x", b"scorer", b"scorer_job", b"e-1", b"\0", "\U0010ffff".encode(), "é".encode(), b"k" * 200]
DAMAGED = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"a\x80"]
# NaN of both kinds and signs.
ODD_FLOATS = [0x7FC00000, 0xFFC00001, 0x7F800001, 0x7FFFFFFF]


def generated(random: Random, descriptor: Descriptor, depth: int = 0) -> bytes:
    """Return the bytes of a message, most of them valid."""
    required = REQUIRED[descriptor.name]
    pieces: list[bytes] = []
    for field in descriptor.fields:
        count = int(random.random() < (0.99 if field.name in required else 0.67))
        if field.is_repeated:
            count *= random.randint(0, 3)
        elif random.random() < 0.03:
            count += 1
        pieces += [one(random, field, depth) for _ in range(count)]
    if random.random() < 0.3:
        pieces += [unknown(random, descriptor) for _ in range(random.randint(1, 3))]
    if random.random() < 0.5:
        random.shuffle(pieces)
    return b"".join(pieces)


def one(random: Random, field: FieldDescriptor, depth: int) -> bytes:
    """Return one occurrence of a field."""
    if field.message_type is None:
        wire_type, content = scalar(random, field.type)
        return varint(field.number << 3 | wire_type, overlong(random)) + content
    content = entry(random) if is_map(field) else generated(random, field.message_type, depth + 1)
    return prefixed(random, field.number, content)


def scalar(random: Random, kind: int) -> tuple[int, bytes]:
    if kind == FieldDescriptor.TYPE_STRING:
        text = text_of(random)
        return 2, varint(len(text), overlong(random)) + text
    if kind == FieldDescriptor.TYPE_FLOAT:
        return 5, float_of(random)
    if kind == FieldDescriptor.TYPE_DOUBLE:
        return 1, struct.pack("<d", random.choice(FLOATS)) if random.random() < 0.5 else random.randbytes(8)
    number = random.choice(INTEGERS) if random.random() < 0.7 else random.getrandbits(random.randint(1, 64))
    return 0, varint(number, overlong(random))


def float_of(random: Random) -> bytes:
    match random.randrange(20):
        case 0:
            return struct.pack("<I", random.choice(ODD_FLOATS))
        case 1 | 2 | 3:
            return random.randbytes(4)
        case _:
            return struct.pack("<f", random.choice(FLOATS) if random.random() < 0.5 else round(random.random(), 2))


def text_of(random: Random) -> bytes:
    if random.random() < 0.003:
        return random.choice(DAMAGED)
    return random.choice(TEXTS) if random.random() < 0.8 else f"{random.getrandbits(30)}".encode()


def entry(random: Random) -> bytes:
    """Return the content of an entry of a map."""
    parts = [prefixed(random, number, text_of(random)) for number in (1, 2) if random.random() < 0.9]
    if random.random() < 0.02:
        parts.append(random.choice([*parts, varint(3 << 3) + b"\1", varint(1 << 3) + b"\1"]))
    random.shuffle(parts)
    return b"".join(parts)


def unknown(random: Random, descriptor: Descriptor) -> bytes:
    """Return a field that the message does not have, or one of its own in another wire type, or what is no field."""
    number = random.choice([100, 101, 15, 16, 63, 64, 2047, 2**29 - 1, random.choice(descriptor.fields).number])
    match random.choice((0, 0, 1, 2, 2, 3, 3, 5, 5, 6)):
        case 0:
            return varint(number << 3, overlong(random)) + varint(random.choice(INTEGERS), overlong(random))
        case 1:
            return varint(number << 3 | 1) + random.randbytes(8)
        case 2:
            return prefixed(random, number, random.randbytes(random.randint(0, 6)))
        case 3:
            depth = random.choice((1, 1, 2, 3, 15, 16, 17, 18, 99, 100, 101, 200))
            return varint(number << 3 | 3) * depth + varint(1 << 3) + b"\7" + varint(number << 3 | 4) * depth
        case 5:
            return varint(number << 3 | 5) + random.randbytes(4)
        case _:
            odd: list[Any] = [
                b"\0\0",
                b"\7",
                b"\x0c",
                varint(number << 3 | 6),
                b"\x80" * 9 + b"\1" + b"\1",
                b"\xff" * 11,
                b"\x82\x80",
            ]
            return random.choice(odd) if random.random() < 0.1 else b""


def prefixed(random: Random, number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2, overlong(random)) + varint(len(content), overlong(random)) + content


def overlong(random: Random) -> int:
    """Return how many bytes too many a number takes; few writers have any."""
    return random.randint(1, 9) if random.random() < 0.01 else 0
