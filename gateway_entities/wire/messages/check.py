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

from gateway_entities import rules
from gateway_entities.rules import Violation
from gateway_entities.wire.messages.layout import layout_of, message_type_named
from gateway_entities.wire.messages.report import MAX_FINDINGS_PER_RULE, Collector, Report
from gateway_entities.wire.messages.validate import MessageValidator

MAX_VIOLATIONS: Final = 500
"""The rule check of one message stops after this many violations."""
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
        if not found and message.SerializeToString(deterministic=True) == data:
            return Report(kind.DESCRIPTOR.name, canonical=True)
    return _validate(data, kind, found, parsed=message is not None)


def check_message(message: Message) -> Report:
    """Validate a message object against the contract's rules. The report has no offsets."""
    report = Report(message.DESCRIPTOR.name, canonical=None, rules_checked=rules.has_rules(type(message)))
    collector = Collector()
    if report.rules_checked:
        _add_violations(collector, islice(rules.violations(message), MAX_VIOLATIONS), None)
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
    overlong = validator.found.count("wire/overlong-varint")
    canonical: bool | None = parsed and validator.readable and not overlong and _reserialized(kind, data) == data
    if canonical:
        # Where one key is a prefix of another, protobuf runtimes differ in their order.
        validator.found.drop("wire/map-order")
    if canonical and not validator.complete:
        canonical = None
    return validator.found.into(Report(kind.DESCRIPTOR.name, canonical=canonical, rules_checked=checked))


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
    return message.SerializeToString(deterministic=True) if message is not None else None
