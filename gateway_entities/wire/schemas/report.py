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
    """Where a difference shows: in bytes, in JSON, in validation rules, in what a value means, or in calls of RPCs."""

    BINARY = "binary"
    JSON = "json"
    RULES = "rules"
    MEANING = "meaning"
    CALLS = "calls"


class DifferenceKind(Enum):
    """How the value read differs from the value written."""

    REJECTED = "rejected"
    LOST = "lost"
    MISREAD = "misread"
    DEFAULT = "default"
    PRESENCE = "presence"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    STREAMING = "streaming"
    NEW = "new"
    RETIRED = "retired"
    RENAMED = "renamed"
    UNRESERVED = "unreserved"
    IDEMPOTENCY = "idempotency"

    @property
    def breaks(self) -> bool:
        """Whether it breaks compatibility, rather than being a note."""
        return self not in _NOTES


_NOTES = frozenset(
    (
        *(DifferenceKind.NEW, DifferenceKind.RETIRED, DifferenceKind.RENAMED),
        *(DifferenceKind.UNRESERVED, DifferenceKind.IDEMPOTENCY),
    )
)


class Element(Enum):
    """What a difference is about."""

    FIELD = "field"
    EXTENSION = "extension"
    ONEOF = "oneof"
    MESSAGE = "message"
    ENUM = "enum"
    ENUM_VALUE = "enum-value"
    SERVICE = "service"
    RPC = "rpc"


class Place(NamedTuple):
    """Where an element is declared.

    Attributes:
        file: the name of the .proto file as others import it.
        line: the line, counted from 1; None if the schema was compiled without source information.
    """

    file: str
    line: int | None


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
        subject: the full name of the element, in the writer's schema if it has one there. An enum value is named after its
            enum, an RPC after its service.
        message: the difference, as a sentence without its subject.
        message_type: the full name of the message, enum or service that holds it.
        number: the number of the field or the enum value; 0 for others.
        witness: a message that shows it; None for a note, and for breaks of calls.
        element: what the subject is.
        old_place: where the old schema declares it, or what holds it; None if neither is there.
        new_place: likewise in the new schema.
        unstable: whether the package declares itself unstable, as ``v1alpha1`` and ``v1beta1`` do.
    """

    direction: Direction
    level: DifferenceLevel
    kind: DifferenceKind
    subject: str
    message: str
    message_type: str
    number: int
    witness: Witness | None = None
    element: Element = Element.FIELD
    old_place: Place | None = None
    new_place: Place | None = None
    unstable: bool = False

    @property
    def rule(self) -> str:
        """The id of the rule: the element and how it differs, such as ``field-lost`` or ``enum-value-misread``."""
        return f"{self.element.value}-{self.kind.value}"


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
        left_out: what was not compared and why, as sentences.
        compared_enums: the number of enum pairs compared.
        compared_services: the number of service pairs compared.
    """

    old: str
    new: str
    breaks: Sequence[Difference]
    notes: Sequence[Difference]
    compared: int
    only_old: Sequence[str]
    only_new: Sequence[str]
    rules_compared: bool
    left_out: Sequence[str] = ()
    compared_enums: int = 0
    compared_services: int = 0

    def of(self, direction: Direction, level: DifferenceLevel | None = None) -> list[Difference]:
        """Return the breaks of one direction, optionally of one level."""
        return [b for b in self.breaks if b.direction is direction and level in (None, b.level)]

    @property
    def calls_compared(self) -> bool:
        """Whether a service was compared, removed or added."""
        differences = (*self.breaks, *self.notes)
        return self.compared_services > 0 or any(each.level is DifferenceLevel.CALLS for each in differences)

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
