"""Agreement with a second implementation: protobuf's pure-Python decoder, which shares no code with upb or with ours."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from gateway_entities.wire import RULES, check
from tests import profiles
from tests.wire.messages.samples import class_of
from tests.wire.messages.test_check_fuzz import KINDS, SEEDS, mutated

# In parts, to bound memory.
PARTS = profiles.count(10, 1)
COUNT = profiles.count(1_000_000, 3_000) // PARTS

# Rules of the wire layer that this decoder does not apply, with the reason.
LENIENT = {
    # It accepts tags and lengths of any varint length, and drops excess bits.
    "wire/varint-too-long",
    "wire/varint-overflow",
    # It accepts field number 0 except in groups.
    "wire/field-number",
    "wire/trailing-bytes",
}

# It stops at an unmatched end of a group, and so may miss faults after it.
STOPS_AT = "wire/unmatched-group"
# It treats a field with an overlong tag as unknown, and never as the end of a group, unlike upb.
MISTAKEN = "wire/overlong-varint"

DECODER = """
import sys
from google.protobuf.internal import api_implementation
assert api_implementation.Type() == "python"
from gateway_entities.wire import MESSAGE_TYPES
for line in sys.stdin:
    name, data = line.split(",")
    try:
        MESSAGE_TYPES[name].FromString(bytes.fromhex(data))
    except Exception:
        print(0)
    else:
        print(1)
"""


@pytest.mark.parametrize("part", range(PARTS))
def test_the_pure_python_decoder_agrees(part: int) -> None:
    chance = random.Random(f"oracle {profiles.SEED} {part}")
    seeds = [(kind, data) for kind, data in SEEDS if kind in KINDS]
    inputs = [(class_of(kind), mutated(chance, data)) for kind, data in (chance.choice(seeds) for _ in range(COUNT))]
    lines = "".join(f"{kind.DESCRIPTOR.name},{data.hex()}\n" for kind, data in inputs)
    environment = {**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    command = [sys.executable, "-c", DECODER]
    done = subprocess.run(command, input=lines, env=environment, capture_output=True, text=True, check=True)
    verdicts = done.stdout.split()
    assert len(verdicts) == COUNT
    disagreements: list[tuple[str, str, set[str]]] = []
    for (kind, data), verdict in zip(inputs, verdicts, strict=True):
        found = {finding.rule for finding in check(data, kind).findings}
        fatal = {rule for rule in found if RULES[rule].fatal}
        explained = MISTAKEN in found or (verdict == "1" and (fatal <= LENIENT or STOPS_AT in fatal))
        if (verdict == "1") != (not fatal) and not explained:
            disagreements.append((kind.DESCRIPTOR.name, data.hex(), fatal))
    assert disagreements == []
    assert 0 < verdicts.count("1") < COUNT
