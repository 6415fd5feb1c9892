"""What a comparison found, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Direction(Enum):
    """Who reads whose data."""

    NEW_READS_OLD = "new reader of old data"
    OLD_READS_NEW = "old reader of new data"


class Level(Enum):
    """Where two schemas can differ: in the bytes, in JSON, in what rules allow, in what data that is left out means."""

    BINARY = "binary"
    JSON = "json"
    RULES = "rules"
    MEANING = "meaning"


class Kind(Enum):
    """How a reading differs from what was written."""

    REJECTED = "rejected"
    LOST = "lost"
    MISREAD = "misread"
    DEFAULT = "default"
    PRESENCE = "presence"
    REFUSED = "refused"
    NEW = "new"
    RETIRED = "retired"
    RENAMED = "renamed"

    @property
    def breaks(self) -> bool:
        """Whether it is a break, rather than something worth knowing."""
        return self not in (Kind.NEW, Kind.RETIRED, Kind.RENAMED)


class Reading(NamedTuple):
    """What one schema makes of a witness.

    Attributes:
        text: the message in protobuf's text format, fields that the schema does not know by their numbers; None if the
            message cannot be read.
        json: the message in proto3 JSON; None if it cannot be read, or read but not written as JSON.
        fault: why it cannot be read or is refused; None if nothing is wrong.
    """

    text: str | None
    json: str | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """The smallest message found that shows a break. It was read under both schemas.

    Attributes:
        message_type: the full name of the message, as its writer's schema has it.
        data: the bytes that the writer writes.
        json: what the writer writes as JSON; None for a break of the bytes that has no JSON form.
        old: what the old schema makes of it.
        new: what the new schema makes of it.
    """

    message_type: str
    data: bytes
    json: str | None
    old: Reading
    new: Reading


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a reader reads differently, or a note.

    Attributes:
        direction: who reads whose data.
        level: where it shows.
        kind: how the readings differ.
        subject: the full name, in the schema of the writer where it has one, of the field, the oneof or the enum value.
        message: what differs, as a sentence without its subject.
        message_type: the full name of the message that holds the field.
        number: the number of the field or the enum value; 0 for a oneof or a message.
        witness: the message that shows it; None for a note.
    """

    direction: Direction
    level: Level
    kind: Kind
    subject: str
    message: str
    message_type: str
    number: int
    witness: Witness | None = None


class Advice(Enum):
    """In which order to roll the new schema out."""

    ANY_ORDER = "any order: every reader understands every writer"
    READERS_FIRST = "readers first: old readers do not understand new data, new readers understand old data"
    WRITERS_FIRST = "writers first: new readers do not understand old data, old readers understand new data"
    UNSAFE = "unsafe either way: old readers do not understand new data, and new readers do not understand old data"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of comparing two schemas.

    Attributes:
        old: the name of the old schema.
        new: the name of the new one.
        breaks: what breaks, each with a witness.
        notes: what is worth knowing and breaks nothing.
        compared: how many pairs of messages were compared.
        only_old: full names of messages that only the old schema has.
        only_new: full names of messages that only the new schema has.
        rules_known: whether the limits of both schemas are known; if not, the rules were not compared.
    """

    old: str
    new: str
    breaks: Sequence[Difference]
    notes: Sequence[Difference]
    compared: int
    only_old: Sequence[str]
    only_new: Sequence[str]
    rules_known: bool

    def of(self, direction: Direction, level: Level | None = None) -> list[Difference]:
        """Return the breaks of one direction, and of one level if it is given."""
        return [b for b in self.breaks if b.direction is direction and level in (None, b.level)]

    @property
    def compatible(self) -> bool:
        """Whether nothing breaks."""
        return not self.breaks

    @property
    def advice(self) -> Advice:
        """In which order to roll out."""
        old_fails, new_fails = bool(self.of(Direction.OLD_READS_NEW)), bool(self.of(Direction.NEW_READS_OLD))
        if old_fails and new_fails:
            return Advice.UNSAFE
        if old_fails:
            return Advice.READERS_FIRST
        return Advice.WRITERS_FIRST if new_fails else Advice.ANY_ORDER
