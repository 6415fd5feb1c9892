"""Checking bytes that nobody vouches for: everything that is wrong with them, at once.

The canonical form of a message is what protobuf's deterministic serializer writes: fields in the order of their numbers, the
entries of a map in the order of their keys, each with key and value, varints with the fewest bytes. Fields that the type
does not have are kept, after all others, in their order and with their bytes; their varints have the fewest bytes too.
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
from gateway_entities.wire.messages.report import MOST_OF_A_RULE, Collector, Report
from gateway_entities.wire.messages.validate import Walk

MOST_VIOLATIONS: Final = 500
"""After how many violations the rules of one message are not checked further."""
MOST_BAD_TEXTS: Final = 1000
"""With how many texts that are not UTF-8 the rest of a message is still judged."""


def check(data: bytes, message_type: type[Message] | str) -> Report:
    """Return everything that is wrong with some bytes as a message of a type. It raises nothing, whatever the bytes.

    It takes time and memory in proportion to the bytes. A clean message is parsed and compared with what protobuf would
    write; only of another one the bytes are walked.

    Args:
        data: the bytes.
        message_type: the type, as a class or by name (see ``message_type_named``).

    Raises:
        LookupError: no type has this name.
    """
    kind = message_type_named(message_type) if isinstance(message_type, str) else message_type
    with_rules = rules.has_rules(kind)
    message = _parse(kind, data)
    found: list[Violation] = []
    if message is not None and with_rules:
        found = list(islice(rules.violations(message), MOST_VIOLATIONS))
        message.DiscardUnknownFields()
        if not found and message.SerializeToString(deterministic=True) == data:
            return Report(kind.DESCRIPTOR.name, canonical=True)
    return _walk(data, kind, found, parsed=message is not None)


def check_message(message: Message) -> Report:
    """Return what is wrong with a message that did not come as bytes: what breaks the contract's rules."""
    report = Report(message.DESCRIPTOR.name, canonical=None, rules_checked=rules.has_rules(type(message)))
    collector = Collector()
    if report.rules_checked:
        _take(collector, islice(rules.violations(message), MOST_VIOLATIONS), None)
    return collector.into(report)


def _walk(data: bytes, kind: type[Message], found: list[Violation], *, parsed: bool) -> Report:
    with_rules = rules.has_rules(kind)
    layout = layout_of(kind.DESCRIPTOR)
    walk = Walk(data, layout, enums=not (with_rules and parsed), parsed=parsed)
    walk.run(_first_fields(found))
    checked = with_rules and parsed
    if with_rules and not parsed and walk.readable and 0 < len(walk.bad_text) <= MOST_BAD_TEXTS:
        # Only text stands in the way: with other text in its place, the rest can be judged like any message.
        message = _parse(kind, _with_text(data, walk.bad_text))
        if message is not None:
            found = list(_of_good_text(islice(rules.violations(message), MOST_VIOLATIONS), walk.bad_text))
            walk = Walk(data, layout, enums=False, parsed=False)
            walk.run(_first_fields(found))
            checked = True
    _take(walk.found, found, walk)
    overlong = walk.found.count("wire/overlong-varint")
    canonical: bool | None = parsed and walk.readable and not overlong and _rewritten(kind, data) == data
    if canonical:
        # Of two keys of which one begins with the other, protobuf's runtimes write either first.
        walk.found.drop("wire/map-order")
    if canonical and not walk.complete:
        canonical = None
    return walk.found.into(Report(kind.DESCRIPTOR.name, canonical=canonical, rules_checked=checked))


def _take(collector: Collector, found: Iterable[Violation], walk: Walk | None) -> None:
    number = 0
    for violation in found:
        number += 1
        if collector.wants(violation.rule):
            offset = walk.offset(violation.field) if walk is not None else None
            text = f"{violation.field} {violation.description}"
            collector.keep(violation.rule, violation.field, offset, text)
    if number >= MOST_VIOLATIONS:
        text = f"the message breaks {number} rules or more; those after the first {number} are not told"
        collector.add("rules/limit", "", 0 if walk is not None else None, text)


def _first_fields(found: Iterable[Violation]) -> list[str]:
    """Return the fields of the violations that a report holds."""
    counts: Counter[str] = Counter()
    fields: list[str] = []
    for violation in found:
        counts[violation.rule] += 1
        if counts[violation.rule] <= MOST_OF_A_RULE:
            fields.append(violation.field)
    return fields


def _with_text(data: bytes, ranges: Iterable[tuple[int, int, str]]) -> bytes:
    patched = bytearray(data)
    for start, end, _ in ranges:
        patched[start:end] = b"?" * (end - start)
    return bytes(patched)


def _of_good_text(found: Iterable[Violation], ranges: Iterable[tuple[int, int, str]]) -> Iterable[Violation]:
    bad = tuple({path for _, _, path in ranges})
    return (violation for violation in found if not violation.field.startswith(bad))


def _parse(kind: type[Message], data: bytes) -> Message | None:
    try:
        return kind.FromString(data)
    except Exception:  # The pure-Python parser raises more than DecodeError.
        return None


def _rewritten(kind: type[Message], data: bytes) -> bytes | None:
    message = _parse(kind, data)
    return message.SerializeToString(deterministic=True) if message is not None else None
