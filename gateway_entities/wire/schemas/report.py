"""Result types of a schema comparison: differences, witnesses and the compatibility that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Direction(Enum):
    """Which schema reads and which one wrote."""

    NEW_READS_OLD = "new reader of old data"
    OLD_READS_NEW = "old reader of new data"


class DifferenceLevel(Enum):
    """Where a difference shows: in the bytes, in JSON, in validation rules, or in the meaning of an absent field."""

    BINARY = "binary"
    JSON = "json"
    RULES = "rules"
    MEANING = "meaning"


class DifferenceKind(Enum):
    """How the value read differs from the value written."""

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
        """Whether it breaks compatibility, rather than being a note."""
        return self not in (DifferenceKind.NEW, DifferenceKind.RETIRED, DifferenceKind.RENAMED)


class WitnessReading(NamedTuple):
    """A witness as one schema reads it.

    Attributes:
        text: the message in protobuf's text format, unknown fields by number; None if it cannot be read.
        json: the message in proto3 JSON; None if it cannot be read or has no JSON form.
        fault: why it cannot be read or is rejected by the rules; None if it is accepted.
    """

    text: str | None
    json: str | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """The smallest message found that shows a break, read under both schemas.

    Attributes:
        message_type: the full name of the message in the writer's schema.
        data: the writer's bytes.
        json: the writer's JSON; None if the message has no JSON form.
        old: the message as the old schema reads it.
        new: the message as the new schema reads it.
    """

    message_type: str
    data: bytes
    json: str | None
    old: WitnessReading
    new: WitnessReading


@dataclass(frozen=True, slots=True)
class Difference:
    """One break or note.

    Attributes:
        direction: which schema reads and which one wrote.
        level: where it shows.
        kind: how the values differ.
        subject: the full name of the field, oneof or enum value, in the writer's schema if it has one there.
        message: the difference, as a sentence without its subject.
        message_type: the full name of the message that holds the field.
        number: the number of the field or the enum value; 0 for a oneof or a message.
        witness: a message that shows it; None for a note.
    """

    direction: Direction
    level: DifferenceLevel
    kind: DifferenceKind
    subject: str
    message: str
    message_type: str
    number: int
    witness: Witness | None = None


class Compatibility(Enum):
    """Compatibility of the new schema with the old, named as in schema registries, and the roll-out order that it allows."""

    FULL = "FULL: upgrade in any order; old and new readers read old and new data"
    BACKWARD = "BACKWARD: upgrade readers first; new readers read old data, old readers cannot read new data"
    FORWARD = "FORWARD: upgrade writers first; old readers read new data, new readers cannot read old data"
    NONE = "NONE: no order is safe; old readers cannot read new data, and new readers cannot read old data"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of comparing two schemas.

    Attributes:
        old: the name of the old schema.
        new: the name of the new schema.
        breaks: incompatible differences, each with a witness.
        notes: compatible differences.
        compared: the number of message pairs compared.
        only_old: full names of messages that only the old schema has.
        only_new: full names of messages that only the new schema has.
        rules_compared: whether both schemas have limits, so that these were compared too.
    """

    old: str
    new: str
    breaks: Sequence[Difference]
    notes: Sequence[Difference]
    compared: int
    only_old: Sequence[str]
    only_new: Sequence[str]
    rules_compared: bool

    def of(self, direction: Direction, level: DifferenceLevel | None = None) -> list[Difference]:
        """Return the breaks of one direction, optionally of one level."""
        return [b for b in self.breaks if b.direction is direction and level in (None, b.level)]

    @property
    def compatible(self) -> bool:
        """Whether nothing breaks."""
        return not self.breaks

    @property
    def compatibility(self) -> Compatibility:
        """The schema-registry compatibility type, which gives the roll-out order."""
        old_fails, new_fails = bool(self.of(Direction.OLD_READS_NEW)), bool(self.of(Direction.NEW_READS_OLD))
        if old_fails and new_fails:
            return Compatibility.NONE
        if old_fails:
            return Compatibility.BACKWARD
        return Compatibility.FORWARD if new_fails else Compatibility.FULL
