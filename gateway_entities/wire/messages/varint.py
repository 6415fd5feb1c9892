"""Varints."""

from __future__ import annotations

from typing import Final

MAX_VARINT_BYTES: Final = 10
"""The maximum length of a varint value."""


def read_varint(data: bytes, at: int, end: int, most: int) -> tuple[int, int, bool, str]:
    """Read a varint of at most ``most`` bytes; return its value, its end, whether it is overlong, and the rule it breaks."""
    value = shift = 0
    limit = min(end, at + most)
    start = at
    while at < limit:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at, byte == 0 and at - start > 1, ""
        shift += 7
    return 0, at, False, "wire/truncated" if at - start < most else "wire/varint-too-long"
