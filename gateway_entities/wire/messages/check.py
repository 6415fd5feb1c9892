"""Validate untrusted messages and report all findings.

The canonical form of a message is the output of protobuf's deterministic serializer: fields by number, map entries by key,
each with key and value, and varints of minimal length. Unknown fields follow all others, in their original order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Final

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway_entities import rules
from gateway_entities.rules import Violation
from gateway_entities.wire.messages.layout import layout_of
from gateway_entities.wire.messages.paths import frame_path
from gateway_entities.wire.messages.report import MAX_FINDINGS_PER_RULE, Collector, Report
from gateway_entities.wire.messages.required import missing_fields
from gateway_entities.wire.messages.types import display_name, message_type_named
from gateway_entities.wire.messages.validate import MessageValidator

MAX_VIOLATIONS: Final = 500
"""The rule check of one message stops after this many violations."""
_NOT_CANONICAL: Final = {
    *("wire/overlong-varint", "wire/varint-overflow", "wire/repeated-field", "wire/merged-message", "wire/oneof"),
    *(
        "wire/order",
        "schema/number-range",
        "schema/map-duplicate",
        "schema/map-default",
        "schema/map-entry",
        "schema/packing",
    ),
}
MAX_INVALID_TEXTS: Final = 1000
"""With more invalid UTF-8 texts than this, the contract's rules are not checked."""


def check(data: bytes, message_type: type[Message] | str) -> Report:
    """Validate bytes as a message of a type. No input makes it raise; time and memory are linear in its length.

    A valid canonical message is only parsed and serialized; any other is also scanned byte by byte.

    Args:
        data: the bytes.
        message_type: the type, as a class or by name (see ``message_type_named``).

    Returns:
        The report, with all findings.

    Raises:
        LookupError: no type has this name.
    """
    kind = message_type_named(message_type) if isinstance(message_type, str) else message_type
    with_rules = rules.has_rules(kind)
    message = _parse(kind, data)
    found: list[Violation] = []
    if message is not None and with_rules:
        found = list(islice(rules.violations(message), MAX_VIOLATIONS))
        message.DiscardUnknownFields()
        if not found and _serialize(message) == data:
            return Report(display_name(kind), canonical=True)
    if message is not None and not with_rules:
        found = list(islice(missing_fields(message), MAX_VIOLATIONS))
    return _validate(data, kind, found, parsed=message is not None)


def check_message(message: Message) -> Report:
    """Validate a message object against the contract's rules. The report has no offsets."""
    report = Report(display_name(type(message)), canonical=None, rules_checked=rules.has_rules(type(message)))
    collector = Collector()
    found = rules.violations(message) if report.rules_checked else missing_fields(message)
    _add_violations(collector, islice(found, MAX_VIOLATIONS), None)
    return collector.into(report)


def _validate(data: bytes, kind: type[Message], found: list[Violation], *, parsed: bool) -> Report:
    with_rules = rules.has_rules(kind)
    layout = layout_of(kind.DESCRIPTOR)
    validator = MessageValidator(data, layout, enums=not (with_rules and parsed), parsed=parsed)
    validator.run(_first_fields(found))
    checked = with_rules and parsed
    if with_rules and not parsed and validator.readable and 0 < len(validator.bad_text) <= MAX_INVALID_TEXTS:
        # Only the text is invalid: with it replaced, the rest can be checked like any message.
        message = _parse(kind, _replace_text(data, validator.bad_text))
        if message is not None:
            found = list(_outside_bad_text(islice(rules.violations(message), MAX_VIOLATIONS), validator.bad_text))
            validator = MessageValidator(data, layout, enums=False, parsed=False)
            validator.run(_first_fields(found))
            checked = True
    _add_violations(validator.found, found, validator)
    _add_missing_in_payloads(validator, data)
    overlong = validator.found.count("wire/overlong-varint")
    canonical: bool | None = parsed and validator.readable and not overlong and _reserialized(kind, data) == data
    if canonical:
        # Where one key is a prefix of another, protobuf runtimes differ in their order.
        validator.found.drop("wire/map-order")
    if validator.extensions > 1:
        # Nor do they agree on that of extensions.
        if canonical:
            validator.found.drop("wire/order")
        elif canonical is False and not (validator.found.rules() & _NOT_CANONICAL):
            canonical = None
    if canonical and not validator.complete:
        canonical = None
    return validator.found.into(Report(display_name(kind), canonical=canonical, rules_checked=checked))


def _add_violations(collector: Collector, found: Iterable[Violation], validator: MessageValidator | None) -> None:
    number = 0
    for violation in found:
        number += 1
        if collector.count_in(violation.rule):
            offset = validator.offset(violation.field) if validator is not None else None
            text = f"{violation.field} {violation.description}"
            collector.append(violation.rule, violation.field, offset, text)
    if number >= MAX_VIOLATIONS:
        text = f"the message breaks {number} rules or more; only the first {number} are reported"
        collector.add("rules/limit", "", 0 if validator is not None else None, text)


def _add_missing_in_payloads(validator: MessageValidator, data: bytes) -> None:
    for frame, start, layout in validator.payloads:
        message = _parse(GetMessageClass(layout.descriptor), data[start : frame.end])
        for violation in islice(missing_fields(message), MAX_VIOLATIONS) if message is not None else ():
            below = violation.below(f"{frame_path(frame)}.")
            validator.found.add(below.rule, below.field, frame.start, f"{below.field} {below.description}")


def _first_fields(found: Iterable[Violation]) -> list[str]:
    """Return the fields of the violations that the report will list."""
    counts: Counter[str] = Counter()
    fields: list[str] = []
    for violation in found:
        counts[violation.rule] += 1
        if counts[violation.rule] <= MAX_FINDINGS_PER_RULE:
            fields.append(violation.field)
    return fields


def _replace_text(data: bytes, ranges: Iterable[tuple[int, int, str]]) -> bytes:
    patched = bytearray(data)
    for start, end, _ in ranges:
        patched[start:end] = b"?" * (end - start)
    return bytes(patched)


def _outside_bad_text(found: Iterable[Violation], ranges: Iterable[tuple[int, int, str]]) -> Iterable[Violation]:
    bad = tuple({path for _, _, path in ranges})
    return (violation for violation in found if not violation.field.startswith(bad))


def _parse(kind: type[Message], data: bytes) -> Message | None:
    try:
        return kind.FromString(data)
    except Exception:  # The pure-Python parser raises more than DecodeError.
        return None


def _reserialized(kind: type[Message], data: bytes) -> bytes | None:
    message = _parse(kind, data)
    return _serialize(message) if message is not None else None


def _serialize(message: Message) -> bytes:
    # Required fields may be absent.
    return message.SerializePartialToString(deterministic=True)
