"""Corrupted bytes: the result is an entity that encodes to the same message, or a WireError."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from gateway_entities.errors import WireError
from tests import profiles
from tests.entities.entity_types import KINDS, message_type
from tests.messages import full

PER_ENTITY = profiles.count(100_000, 2_000)
# Significant bytes: tags, lengths, ends of groups, maximum values.
TELLING = bytes([0, 1, 2, 7, 8, 10, 0x0B, 0x0C, 0x12, 0x18, 0x1A, 0x25, 0x2D, 0x42, 0x7F, 0x80, 0xC0, 0xED, 0xF8, 0xFF])


def mutated(random: Random, seeds: list[bytes]) -> bytes:
    """Return one of the seeds after one to four changes: flips, inserts, deletes, truncations, splices."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data) + 1)
        match random.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << random.randrange(8)
            case 1 if at < len(data):
                data[at] = random.choice(TELLING)
            case 2:
                data[at:at] = random.randbytes(random.randint(1, 4))
            case 3:
                del data[at : at + random.randint(1, 4)]
            case 4:
                del data[at:]
            case _:
                other = random.choice(seeds)
                cut = random.randrange(len(other))
                data[at:] = other[cut : cut + random.randint(1, 40)] + data[at:]
    return bytes(data)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_nothing_but_wire_error_escapes(kind: Any):
    message = message_type(kind)
    seeds = [full(message).SerializeToString(), *(full(message_type(other)).SerializeToString() for other in KINDS)]
    random = Random(f"{profiles.SEED} {kind.__name__}")
    read = 0
    for _ in range(PER_ENTITY):
        data = mutated(random, seeds[: 1 if random.random() < 0.8 else None])
        try:
            entity = kind.from_bytes(data)
        except WireError:
            continue
        read += 1
        # Parsed again, because protobuf has an order of its own for the entries of maps.
        again, expected = (
            message.FromString(each).SerializeToString(deterministic=True) for each in (entity.to_bytes(), data)
        )
        assert again == expected, data.hex()
    # Both outcomes are frequent enough to be tested.
    assert PER_ENTITY * 0.02 < read < PER_ENTITY * 0.98
