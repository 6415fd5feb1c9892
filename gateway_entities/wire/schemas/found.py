"""The differences found between one pair of types, each with its smallest witness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from gateway_entities.wire.schemas.differences import Mismatch, ReadMode
from gateway_entities.wire.schemas.parts import true_name
from gateway_entities.wire.schemas.proof.witness import DEFAULT_NOTE, CrossRead
from gateway_entities.wire.schemas.report import Difference, DifferenceKind, DifferenceLevel, Direction, Witness

_Key = tuple[Direction, DifferenceLevel, str]


class Break(NamedTuple):
    """A break and the message that shows it.

    Attributes:
        difference: the break.
        shown: the message as written and read.
        content: what a field that leads to this pair holds: the message, or the number of an enum.
    """

    difference: Difference
    shown: CrossRead
    content: Any


class Found:
    """The smallest witness of each break so far, and the notes."""

    def __init__(self) -> None:
        self._breaks: dict[_Key, tuple[int, Break]] = {}
        self._notes: dict[tuple[Direction, DifferenceKind, str], Difference] = {}
        self._proven: list[Difference] = []

    def add(
        self,
        mode: ReadMode,
        mismatch: Mismatch,
        shown: CrossRead,
        *,
        owner: str,
        rejection: str | None = None,
        content: Any = None,
        inner: Break | None = None,
    ) -> bool:
        """Add a difference that one message showed.

        Args:
            mode: how the message was read.
            mismatch: the difference.
            shown: the message.
            owner: the full name of the message or enum that holds the subject.
            rejection: why the reader's rules reject the message, if they do.
            content: what a field that leads here would hold, if not the message.
            inner: the break inside it, if it is one of types that a field or an RPC leads to.

        Returns:
            Whether it was new, or smaller than the one so far.
        """
        kind, subject, message, number, level, element = mismatch
        direction, level = mode.direction, level or mode.level
        subject, owner = true_name(subject), true_name(owner)
        if not kind.breaks:
            return self.note(Difference(direction, level, kind, subject, message, owner, number, None, element))
        key = (direction, level, subject)
        if key in self._breaks and shown.size >= self._breaks[key][0]:
            return False
        is_default = kind is DifferenceKind.DEFAULT
        witness = shown.witness(direction, rejection, number if is_default and inner is None else None)
        if is_default and inner is not None:
            witness = _with_default(witness, inner)
        # The schemas may differ although this message does not show it.
        if witness.old == witness.new:
            return False
        difference = Difference(direction, level, kind, subject, message, owner, number, witness, element)
        self._breaks[key] = shown.size, Break(difference, shown, shown.written if content is None else content)
        return True

    def note(self, note: Difference) -> bool:
        """Add a compatible difference. Returns whether it was new."""
        key = (note.direction, note.kind, note.subject)
        return self._notes.setdefault(key, note) is note

    def add_proven(self, difference: Difference) -> None:
        """Add a break that has its witness already."""
        self._proven.append(difference)

    @property
    def differences(self) -> Sequence[Difference]:
        """All breaks and notes."""
        return [*(found.difference for _, found in self._breaks.values()), *self._proven, *self._notes.values()]

    def smallest(self) -> Iterator[tuple[tuple[Direction, DifferenceLevel], Break]]:
        """Yield the break with the smallest witness for each direction and level."""
        best: dict[tuple[Direction, DifferenceLevel], tuple[int, Break]] = {}
        for (direction, level, _), (size, found) in self._breaks.items():
            if (direction, level) not in best or size < best[direction, level][0]:
                best[direction, level] = size, found
        for key, (_, found) in best.items():
            yield key, found


def _with_default(witness: Witness, inner: Break) -> Witness:
    """Return a witness with the defaults that a break inside it is about: an absent field shows in no message."""
    shown = inner.difference.witness
    if shown is None:
        return witness
    notes = [(each.text or "").partition(DEFAULT_NOTE)[2] for each in (shown.old, shown.new)]
    old, new = (
        reading if reading.text is None else reading._replace(text=f"{reading.text} {DEFAULT_NOTE}{note}".lstrip())
        for reading, note in zip((witness.old, witness.new), notes, strict=True)
    )
    return replace(witness, old=old, new=new)
