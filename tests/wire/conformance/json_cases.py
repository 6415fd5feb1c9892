"""The JSON cases of protobuf's conformance suite, re-stated in json_cases.json.

Each has the suite's name, the JSON, whether a parser accepts it (null: it may do either), and whether the suite also has it
for proto2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).with_name("json_cases.json")


class JsonCase(NamedTuple):
    """One case: the suite's name, its syntax, the JSON, and whether a parser accepts it (None: it may do either)."""

    name: str
    syntax: str
    text: str
    accepted: bool | None


def cases() -> Iterator[JsonCase]:
    """Yield all cases."""
    for row in json.loads(DATA.read_text(encoding="utf-8")):
        for syntax in ("proto3", "proto2") if row["proto2"] else ("proto3",):
            yield JsonCase(row["name"], syntax, row["json"], row["accepted"])
