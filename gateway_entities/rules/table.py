"""Rules of one message type, as a table of its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from gateway_entities.rules.bounds import MAX_PATHS, too_many
from gateway_entities.rules.values import Rule, listed, longest, shown
from gateway_entities.rules.violation import Violation

_PLAIN = frozenset({str, int, float, bool})
"""Types whose non-empty values are always present."""

Across = Callable[[Any], Iterator[Violation]]
"""Checks several fields of a message together."""


@dataclass(frozen=True, slots=True)
class Field:
    """Rules of one field.

    Attributes:
        rule: checks a present value.
        required: whether the field must be present.
        maskable: whether an update writes the field, so that update_mask may name it.
        clearable: whether an update may clear the field, by naming it in update_mask without a value.
    """

    rule: Rule
    required: bool = False
    maskable: bool = False
    clearable: bool = False


def required(rule: Rule) -> Field:
    """A field that must be present."""
    return Field(rule, required=True)


def optional(rule: Rule) -> Field:
    """A field that may be absent."""
    return Field(rule)


def required_on_update(rule: Rule) -> Field:
    """A field that an update writes but cannot clear."""
    return Field(rule, maskable=True)


def clearable(rule: Rule) -> Field:
    """A field that an update writes or clears."""
    return Field(rule, maskable=True, clearable=True)


@dataclass(frozen=True, slots=True)
class Table:
    """The rules of one message.

    Attributes:
        fields: the rule of every field, by name, in the order of the message.
        across: rules over several fields.
        writes_empty: whether an update writes a field that is present but empty (``""``, an enum's 0). If not, empty counts
            as absent.
    """

    fields: Mapping[str, Field]
    across: Sequence[Across] = ()
    writes_empty: bool = False
    _plan: Sequence[tuple[str, Rule, bool, bool, int]] = dataclass_field(init=False, repr=False)
    _has_mask: bool = dataclass_field(init=False, repr=False)

    def __post_init__(self) -> None:
        # The same for every message of the type, so computed once.
        plan = tuple((name, f.rule, f.required, f.maskable, longest(f.rule)) for name, f in self.fields.items())
        object.__setattr__(self, "_plan", plan)
        object.__setattr__(self, "_has_mask", "update_mask" in self.fields)

    def violations(self, message: Any, prefix: str = "") -> Iterator[Violation]:
        """Yield all violations of a message, in the order of its fields. ``prefix`` starts every path."""
        if self._has_mask and (number := len(message.update_mask.paths)) > MAX_PATHS:
            # The mask decides about every other field.
            yield too_many(f"{prefix}update_mask", MAX_PATHS, "paths", number)
            return
        across = self._across(message, prefix) if self.across else None
        for name, rule, needed, maskable, most in self._plan:
            if maskable:
                yield from self._of_update(message, name, prefix + name)
            elif (value := getattr(message, name)) and most and len(value) <= most and "\0" not in value:
                pass
            elif (value and value.__class__ in _PLAIN) or is_present(message, name):
                if faults := rule(value, prefix + name):
                    yield from faults
            elif needed:
                yield Violation("schema/required", prefix + name, "is required")
            if across:
                yield from across.get(name, ())

    def _across(self, message: Message, prefix: str) -> dict[str, list[Violation]]:
        found: dict[str, list[Violation]] = {}
        for rule in self.across:
            for violation in rule(message):
                found.setdefault(_first_name(violation.field), []).append(violation.below(prefix))
        return found

    def written(self, message: Message) -> frozenset[str]:
        """Return the fields that an update writes or clears: those in its mask, or without a mask those present."""
        maskable = {name for name, field in self.fields.items() if field.maskable}
        paths = _mask_paths(message)
        return frozenset(maskable.intersection(paths) if paths else (n for n in maskable if self._given(message, n)))

    def _of_update(self, message: Message, name: str, path: str) -> Iterator[Violation]:
        field = self.fields[name]
        if name not in self.written(message):
            return
        if self._given(message, name):
            yield from field.rule(getattr(message, name), path)
        elif not field.clearable:
            yield Violation("rules/mask", path, "is named in update_mask and must have a value: it cannot be cleared")

    def _given(self, message: Message, name: str) -> bool:
        return is_present(message, name) and (self.writes_empty or not is_empty(message, name))


def updates(table: Table) -> Table:
    """Return the table of an update request with the rule of its update_mask added."""
    valid = [name for name, field in table.fields.items() if field.maskable]

    def rule(mask: FieldMask, path: str) -> Iterator[Violation]:
        for unknown in dict.fromkeys(mask.paths):
            if unknown not in valid:
                yield Violation("rules/mask", path, f"names {shown(unknown)}, which is not one of {listed(valid)}")

    return replace(table, fields={**table.fields, "update_mask": optional(rule)})


def exactly_one(first: str, second: str) -> Across:
    """Exactly one of two text fields; empty counts as absent."""

    def rule(message: Message) -> Iterator[Violation]:
        given = [name for name in (first, second) if getattr(message, name)]
        if not given:
            yield Violation("across/exactly-one", first, f"is required, unless {second} is given")
        elif len(given) > 1:
            yield Violation("across/exactly-one", first, f"must not be given together with {second}")

    return rule


def nested(table: Table) -> Rule:
    """A message that follows the rules of its own table."""

    def rule(message: Message, path: str) -> Iterator[Violation]:
        return table.violations(message, f"{path}.")

    return rule


def each(rule: Rule) -> Rule:
    """A list whose elements follow a rule."""

    def rule_of_all(elements: Sequence[Any], path: str) -> Iterator[Violation]:
        for position, element in enumerate(elements):
            yield from rule(element, f"{path}[{position}]")

    return rule_of_all


def is_present(message: Message, name: str) -> bool:
    """Return whether a field is present: set, or for a map or a list, not empty."""
    try:
        return message.HasField(name)
    except ValueError:  # A map or a list, which has no presence of its own.
        return len(getattr(message, name)) > 0


def is_empty(message: Message, name: str) -> bool:
    """Return whether a field's value is ``""`` or an enum's 0, which most updates read as "unchanged"."""
    field = message.DESCRIPTOR.fields_by_name[name]
    return field.type in (field.TYPE_STRING, field.TYPE_ENUM) and not field.is_repeated and not getattr(message, name)


def _mask_paths(update: Any) -> list[str]:
    # An empty mask counts as absent.
    return list(update.update_mask.paths)


def _first_name(path: str) -> str:
    return path.split(".", 1)[0].split("[", 1)[0]
