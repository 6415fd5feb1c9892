"""A second opinion on what can be read: protobuf's pure-Python decoder, which shares no code with upb or with ours."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from gateway_entities.wire import RULES, check
from tests.wire.messages.samples import class_of
from tests.wire.messages.test_check_fuzz import CI, KINDS, SEEDS, mutated

# In parts, so that not all of the inputs are in memory at once.
PARTS, COUNT = (10, 100_000) if CI else (1, 3_000)

# Rules of the wire layer that this decoder does not apply, with the reason.
LENIENT = {
    # It reads tags and lengths like any varint, whatever their size, and drops the bits that are too many.
    "wire/varint-too-long",
    "wire/varint-overflow",
    # It takes the number 0 where it does not look for the end of a group.
    "wire/field-number",
    "wire/trailing-bytes",
}

# At the end of a group that never began it stops, so that it may not come to see what is wrong after that.
STOPS_AT = "wire/unmatched-group"
# A tag that is longer than it need be is an unknown field to it, whatever its number, and never the end of a group: it may
# read what upb refuses, and refuse what upb reads.
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
    chance = random.Random(f"oracle {part}")
    seeds = [(kind, data) for kind, data in SEEDS if kind in KINDS]
    inputs = [(class_of(kind), mutated(chance, data)) for kind, data in (chance.choice(seeds) for _ in range(COUNT))]
    lines = "".join(f"{kind.DESCRIPTOR.name},{data.hex()}\n" for kind, data in inputs)
    environment = {**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    command = [sys.executable, "-c", DECODER]
    done = subprocess.run(command, input=lines, env=environment, capture_output=True, text=True, check=True)
    answers = done.stdout.split()
    assert len(answers) == COUNT
    disagreements: list[tuple[str, str, set[str]]] = []
    for (kind, data), answer in zip(inputs, answers, strict=True):
        found = {finding.rule for finding in check(data, kind).findings}
        fatal = {rule for rule in found if RULES[rule].fatal}
        explained = MISTAKEN in found or (answer == "1" and (fatal <= LENIENT or STOPS_AT in fatal))
        if (answer == "1") != (not fatal) and not explained:
            disagreements.append((kind.DESCRIPTOR.name, data.hex(), fatal))
    assert disagreements == []
    assert 0 < answers.count("1") < COUNT
