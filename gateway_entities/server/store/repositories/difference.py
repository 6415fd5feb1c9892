"""Differences between two encodings of a resource, in whole fields of the message.

A difference restores an earlier state from the state that followed it. It is as large as the fields that were changed or
removed, however large the resource is: ranges of fields that both have, and the bytes of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH: Final = 2
_FIXED32: Final = 5


def fields(data: bytes) -> list[bytes]:
    """Return the top-level fields of an encoded message, each with its tag; joined they are the message.

    Raises:
        ValueError: it is not the encoding of a message, or has groups, which proto3 does not.
    """
    found: list[bytes] = []
    start, end = 0, len(data)
    while start < end:
        tag, position = _read_varint(data, start)
        wire_type = tag & 7
        if wire_type == _LENGTH:
            size, position = _read_varint(data, position)
            position += size
        elif wire_type == _VARINT:
            _, position = _read_varint(data, position)
        elif wire_type in {_FIXED64, _FIXED32}:
            position += 8 if wire_type == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire_type}")
        if position > end:
            raise ValueError("truncated")
        found.append(data[start:position])
        start = position
    return found


def encode(earlier: bytes, later: bytes) -> bytes:
    """Return the difference that restores an earlier state from a later one.

    It consists of steps: twice the first field of a range and the number of its fields, or twice a size plus 1 and that many
    bytes of fields. All numbers are varints.

    Raises:
        ValueError: as ``fields``.
    """
    of_later = fields(later)
    positions = {field: position for position, field in enumerate(of_later)}
    steps = bytearray()
    for run in _runs(fields(earlier), of_later, positions):
        if isinstance(run, bytes):
            steps += _varint(len(run) << 1 | 1) + run
        else:
            steps += _varint(run.start << 1) + _varint(len(run))
    return bytes(steps)


def apply(later: Sequence[bytes], difference: bytes) -> list[bytes]:
    """Return the fields of the earlier state.

    Args:
        later: the fields of the later state.
        difference: the difference, as ``encode`` returned it.

    Raises:
        ValueError: it does not fit the later state.
    """
    earlier: list[bytes] = []
    position, end = 0, len(difference)
    while position < end:
        step, position = _read_varint(difference, position)
        if step & 1:
            start, position = position, position + (step >> 1)
            earlier += fields(difference[start:position])
        else:
            count, position = _read_varint(difference, position)
            run = later[step >> 1 : (step >> 1) + count]
            if len(run) != count:
                raise ValueError("it belongs to another state")
            earlier += run
    return earlier


def _runs(earlier: Sequence[bytes], later: Sequence[bytes], positions: dict[bytes, int]) -> Iterator[bytes | range]:
    """Yield the earlier fields as ranges of the later ones, and as bytes where they have no equal."""
    at = 0
    while at < len(earlier):
        start = positions.get(earlier[at])
        first = at
        if start is None:
            while at < len(earlier) and earlier[at] not in positions:
                at += 1
            yield b"".join(islice(earlier, first, at))
        else:
            while at < len(earlier) and (later_at := start + at - first) < len(later) and earlier[at] == later[later_at]:
                at += 1
            yield range(start, start + at - first)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
    raise ValueError("truncated")
