"""A comparison under a policy: which differences fail a check, and where they are on disk."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Final, NamedTuple

from gateway_entities.wire.reviews.ignores import Ignore
from gateway_entities.wire.schemas.report import Comparison, Compatibility, Difference, DifferenceLevel, Direction, Place

_READERS: Final = {
    Direction.NEW_READS_OLD: "new readers of old data",
    Direction.OLD_READS_NEW: "old readers of new data",
}


class FailOn(Enum):
    """What fails a check: breaks, notes too, or nothing."""

    BREAK = "break"
    NOTE = "note"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Policy:
    """What fails a check.

    Attributes:
        levels: the levels whose breaks fail it.
        directions: the directions whose breaks fail it.
        fail_on: what fails it.
        unstable_fails: whether breaks in unstable packages fail it.
    """

    levels: Collection[DifferenceLevel] = tuple(DifferenceLevel)
    directions: Collection[Direction] = tuple(Direction)
    fail_on: FailOn = FailOn.BREAK
    unstable_fails: bool = True

    def counts(self, difference: Difference) -> bool:
        """Return whether a difference is one that the policy is about."""
        selected = difference.level in self.levels and difference.direction in self.directions
        return selected and (self.unstable_fails or not difference.unstable)


class Location(NamedTuple):
    """A place on disk.

    Attributes:
        path: the path of the file, or its name as imports have it if it has no source on disk.
        line: the line, from 1; None if it is unknown.
    """

    path: str
    line: int | None

    def __str__(self) -> str:
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One difference.

    Attributes:
        difference: the difference.
        old: its place in the old schema; None if neither it nor what holds it is there.
        new: its place in the new schema, likewise.
        ignored: the entry that accepts it; None if there is none that is in force.
        fails: whether it fails the check.
    """

    difference: Difference
    old: Location | None
    new: Location | None
    ignored: Ignore | None
    fails: bool

    @property
    def where(self) -> Location | None:
        """The place to show: the new one, where there is one."""
        return self.new or self.old


@dataclass(frozen=True, slots=True)
class Review:
    """The result of a check.

    Attributes:
        comparison: the comparison.
        breaks: the incompatible differences.
        notes: the compatible ones.
        policy: what fails the check.
        expired: entries that match a difference, and have ended.
        unused: entries that match no difference.
    """

    comparison: Comparison
    breaks: Sequence[Reviewed]
    notes: Sequence[Reviewed]
    policy: Policy
    expired: Sequence[Ignore] = field(default=())
    unused: Sequence[Ignore] = field(default=())

    @property
    def failed(self) -> bool:
        """Whether the check fails."""
        return any(each.fails for each in (*self.breaks, *self.notes))

    @property
    def compatibility(self) -> Compatibility:
        """The compatibility at the policy's levels, whatever else it accepts: readers do not know what was ignored."""
        directions = {each.difference.direction for each in self.breaks if each.difference.level in self.policy.levels}
        if len(directions) == len(Direction):
            return Compatibility.NONE
        if Direction.OLD_READS_NEW in directions:
            return Compatibility.BACKWARD
        return Compatibility.FORWARD if directions else Compatibility.FULL

    @property
    def levels(self) -> str:
        """The levels that the compatibility is about, as `` (binary, json)``; empty for all."""
        chosen = [level.value for level in DifferenceLevel if level in self.policy.levels]
        return "" if len(chosen) == len(DifferenceLevel) else f" ({', '.join(chosen)})"

    def status(self, direction: Direction, level: DifferenceLevel) -> str:
        """Return ``breaks``, ``ok`` or ``not compared``."""
        if self.comparison.of(direction, level):
            return "breaks"
        if level is DifferenceLevel.RULES and not self.comparison.rules_compared:
            return "not compared"
        return "not compared" if level is DifferenceLevel.CALLS and not self.comparison.calls_compared else "ok"


def review(
    comparison: Comparison,
    policy: Policy,
    ignores: Sequence[Ignore] = (),
    *,
    today: date,
    old_paths: Mapping[str, str] | None = None,
    new_paths: Mapping[str, str] | None = None,
) -> Review:
    """Apply a policy to a comparison.

    Args:
        comparison: the comparison.
        policy: what fails the check.
        ignores: differences that are accepted.
        today: the day by which entries end.
        old_paths: the paths on disk of the old schema's files, by file name.
        new_paths: likewise those of the new schema.
    """
    used: set[Ignore] = set()
    expired: dict[Ignore, None] = {}

    def reviewed(difference: Difference) -> Reviewed:
        ignored = None
        for entry in ignores:
            if entry.matches(difference):
                used.add(entry)
                if entry.expires < today:
                    expired[entry] = None
                else:
                    ignored = ignored or entry
        kinds = {FailOn.BREAK: difference.kind.breaks, FailOn.NOTE: True, FailOn.NEVER: False}
        fails = kinds[policy.fail_on] and ignored is None and policy.counts(difference)
        old, new = _location(difference.old_place, old_paths), _location(difference.new_place, new_paths)
        return Reviewed(difference, old, new, ignored, fails)

    breaks = [reviewed(each) for each in comparison.breaks]
    notes = [reviewed(each) for each in comparison.notes]
    unused = [entry for entry in ignores if entry not in used]
    return Review(comparison, breaks, notes, policy, list(expired), unused)


def _location(place: Place | None, paths: Mapping[str, str] | None) -> Location | None:
    return None if place is None else Location((paths or {}).get(place.file, place.file), place.line)


def by_subject(found: Sequence[Reviewed]) -> list[list[Reviewed]]:
    """Group what is one change for its author, though it shows in several directions and levels."""
    groups: dict[str, list[Reviewed]] = {}
    for each in found:
        groups.setdefault(each.difference.subject, []).append(each)
    return list(groups.values())


def affected(found: Sequence[Reviewed]) -> str:
    """Return who is affected by the differences of one subject, and at which levels."""
    parts: list[str] = []
    for direction in Direction:
        levels = dict.fromkeys(each.difference.level.value for each in found if each.difference.direction is direction)
        if levels:
            parts.append(f"{_READERS[direction]} ({', '.join(levels)})")
    return "; ".join(parts)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summary(result: Review) -> str:
    """Return what was compared, as one sentence without its end."""
    comparison = result.comparison
    parts = [counted(comparison.compared, "message")]
    if comparison.compared_enums:
        parts.append(counted(comparison.compared_enums, "enum"))
    if comparison.compared_services:
        parts.append(counted(comparison.compared_services, "service"))
    return f"{', '.join(parts)} compared; only old: {len(comparison.only_old)}; only new: {len(comparison.only_new)}"


def compared(result: Review) -> str:
    """Return the sizes of what was compared, without what is zero."""
    comparison = result.comparison
    sizes = {"message": comparison.compared, "enum": comparison.compared_enums, "service": comparison.compared_services}
    return ", ".join(counted(number, noun) for noun, number in sizes.items() if number) or counted(0, "message")


def remarks(result: Review) -> list[str]:
    """Return what a reader must know besides the differences: what was left out, and entries that do nothing."""
    found = [f"not compared: {each}" for each in result.comparison.left_out]
    found += [f"the ignore file's {each} has ended on {each.expires}, and no longer counts" for each in result.expired]
    found += [f"the ignore file's {each} matches nothing; remove it" for each in result.unused]
    return found
