"""Reservations that are gone: numbers and names that another field or value may take now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from google.protobuf.descriptor import Descriptor, EnumDescriptor

from gateway_entities.wire.schemas.found import Found
from gateway_entities.wire.schemas.model.signature import Reserved
from gateway_entities.wire.schemas.report import Difference, DifferenceKind, DifferenceLevel, Direction, Element


def note_unreserved(old: Descriptor | EnumDescriptor, before: Reserved, after: Reserved, found: Found) -> None:
    """Note what the old message or enum reserves, and the new one does not.

    Args:
        old: the old message or enum.
        before: what it reserves.
        after: what the new one reserves.
        found: where the note goes.
    """
    if before == after:
        return
    freed = [*_freed_ranges(before.ranges, after.ranges), *sorted(before.names - after.names)]
    if freed:
        is_enum = isinstance(old, EnumDescriptor)
        what = "value" if is_enum else "field"
        text = f"no longer reserves {', '.join(freed)}: another {what} may take its place"
        key = Direction.NEW_READS_OLD, DifferenceLevel.BINARY, DifferenceKind.UNRESERVED
        element = Element.ENUM if is_enum else Element.MESSAGE
        found.note(Difference(*key, old.full_name, text, old.full_name, 0, None, element))


def _freed_ranges(before: Sequence[tuple[int, int]], after: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Yield the parts of sorted half-open ranges that others do not cover, as text."""
    first = 0
    for start, end in before:
        at = start
        while first < len(after) and after[first][1] <= at:
            first += 1
        last = first
        while last < len(after) and after[last][0] < end:
            low, high = after[last]
            if low > at:
                yield _range(at, low)
            at = max(at, high)
            last += 1
        if at < end:
            yield _range(at, end)


def _range(start: int, end: int) -> str:
    return str(start) if end == start + 1 else f"{start} to {end - 1}"
