"""Validation results: rules, findings and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

Severity = Literal["error", "warning", "note"]
"""error: the message cannot be parsed, or a server would reject it. warning: it parses, but data is lost, duplicated or
suspect. note: it is valid, but not encoded canonically."""


class Rule(NamedTuple):
    """A validation rule.

    Attributes:
        severity: the severity of its findings.
        summary: the requirement, as one sentence.
        fatal: whether protobuf itself rejects the bytes.
    """

    severity: Severity
    summary: str
    fatal: bool = False


RULES: Final[Mapping[str, Rule]] = {
    "wire/truncated": Rule("error", "Every value is complete.", True),
    "wire/field-number": Rule("error", "Field numbers are 1 to 536870911.", True),
    "wire/trailing-bytes": Rule("error", "Nothing follows the last field, such as zero padding.", True),
    "wire/wire-type": Rule("error", "Wire types are 0 to 5.", True),
    "wire/unmatched-group": Rule("error", "Every group has both a start and an end.", True),
    "wire/depth": Rule("error", "Messages and groups nest at most 100 deep.", True),
    "wire/varint-too-long": Rule("error", "Varints have at most 10 bytes, those of tags and lengths 5.", True),
    "wire/utf8": Rule("error", "Text is UTF-8.", True),
    "wire/varint-overflow": Rule("error", "Varints have at most 64 bits: readers silently drop the rest."),
    "wire/overlong-varint": Rule("warning", "Varints have the minimal length."),
    "wire/repeated-field": Rule("warning", "A singular field occurs once: of several, readers keep the last."),
    "wire/merged-message": Rule("warning", "A singular message occurs once: readers merge several into one."),
    "wire/oneof": Rule("warning", "Of a oneof one member is written: of several, readers keep the last."),
    "wire/unknown-field": Rule("warning", "The message type has a field of every number."),
    "wire/group": Rule("warning", "No unknown field is a group: proto3 has no groups."),
    "wire/order": Rule("note", "Fields are in the order of their numbers, and unknown ones after all others."),
    "wire/map-order": Rule("note", "The entries of a map are in the order of their keys."),
    "wire/limit": Rule("note", "Only the first fields of a very long message are checked in detail."),
    "schema/wire-type": Rule(
        "error", "A field has the wire type of its schema type: otherwise readers treat it as unknown."
    ),
    "schema/number-range": Rule("error", "Numbers are in the range of the field's type: otherwise readers truncate them."),
    "schema/required": Rule("error", "Required fields are present."),
    "schema/utf8": Rule("warning", "Text is UTF-8 where readers do not check it, as in proto2: others reject it."),
    "schema/enum": Rule("warning", "The enum has a value of this number."),
    "schema/retired-field": Rule("warning", "Retired field numbers are not written."),
    "schema/map-duplicate": Rule("warning", "A map has each key once: of several entries, readers keep the last."),
    "schema/map-entry": Rule("error", "Map entries have a key and a value only: readers may drop other fields."),
    "schema/map-default": Rule("note", "Map entries have both key and value, even if empty."),
    "schema/packing": Rule("note", "Repeated numbers are packed or unpacked as in the schema."),
    "rules/length": Rule("error", "Text has a length that the contract allows."),
    "rules/nul": Rule("error", "Text has no NUL characters."),
    "rules/duplicate": Rule("error", "No element of a list occurs twice where the contract forbids it."),
    "rules/count": Rule("error", "Lists, maps and masks are no larger than the contract allows."),
    "rules/form": Rule("error", "Text has the format that the contract requires."),
    "rules/number": Rule("error", "Numbers are within the limits of the contract."),
    "rules/enum": Rule("error", "Enums have a value that is allowed here."),
    "rules/mask": Rule("error", "An update_mask names only updatable fields, and clears only clearable ones."),
    "rules/empty-entry": Rule("error", "Keys and values of a secret are not empty."),
    "rules/reserved-key": Rule("error", "Settings have no reserved keys."),
    "rules/address": Rule("error", "A provider's address is an https address of a public host."),
    "rules/limit": Rule("note", "Only a limited number of violations of one message is reported."),
    "across/exactly-one": Rule("error", "A look-up has exactly one of id and name."),
    "across/primary-model": Rule("error", "An endpoint has a PRIMARY model."),
    "across/weight-sum": Rule("error", "The weights of an endpoint's PRIMARY models sum to more than 0."),
    "across/linkage": Rule("error", "An endpoint links a model definition at most once as PRIMARY and once as FALLBACK."),
    "across/fallback-order": Rule("warning", "The FALLBACK models of an endpoint have distinct fallback_order values."),
    "across/reference": Rule("error", "An embedded resource has the id that its parent refers to."),
    "across/tag-key": Rule("error", "An endpoint has each tag key once."),
    "across/target": Rule("error", "A budget has a target if its scope needs one, and none otherwise."),
    "across/scorer": Rule("error", "The scorer of a guardrail is the one that scorer_id and scorer_version name."),
    "across/name": Rule("error", "The items of a configuration's list differ in what they are known by."),
    "across/owner": Rule("error", "What prunes has an owner."),
    "across/window": Rule("error", "A budget window ends after it starts."),
    "any/payload": Rule("error", "The payload of an Any is a message of its type."),
    "any/type-url": Rule(
        "warning", "An Any with a payload has a type URL: a slash, and the full name of the type after it."
    ),
    "any/unknown-type": Rule("note", "The schema has the type of an Any, so that its payload can be checked."),
    "stream/truncated": Rule("error", "Every message of a stream is complete."),
    "stream/length": Rule("error", "The length before a message of a stream is a varint of at most 10 bytes."),
    "json/syntax": Rule("error", "The text is a JSON object."),
    "json/value": Rule("error", "JSON values match the types of their fields."),
    "json/unknown-name": Rule("error", "Names are those of fields: protobuf's parsers reject others."),
    "json/unknown-field": Rule("warning", "The message type has a field of every name: readers ignore others."),
}
"""Rules by id. Ids never change."""

MAX_FINDINGS_PER_RULE: Final = 50
"""The number of findings that a report lists per rule; further ones are counted."""


class Finding(NamedTuple):
    """One violation of a rule.

    Attributes:
        rule: the rule id, a key of RULES.
        path: the field, such as ``model_mappings[2].weight``; "" for the message itself.
        offset: the zero-based byte offset of the field or fault; None without bytes, as with JSON.
        message: the problem and its remedy. Never contains a secret value.
    """

    rule: str
    path: str
    offset: int | None
    message: str

    @property
    def severity(self) -> Severity:
        """The severity of its rule."""
        return RULES[self.rule].severity


@dataclass(slots=True)
class Report:
    """The result of validating one message.

    Attributes:
        message_type: the name of its type: the short one of a type of the contract, otherwise the full one.
        findings: the first MAX_FINDINGS_PER_RULE findings of each rule, by offset.
        more: the number of further findings by rule.
        canonical: whether the encoding is canonical; None without bytes, as with JSON, or with too many fields.
        rules_checked: whether the contract's rules were checked: not if the input cannot be parsed, or if the type is not
            of the contract.
    """

    message_type: str
    findings: list[Finding] = field(default_factory=list[Finding])
    more: dict[str, int] = field(default_factory=dict[str, int])
    canonical: bool | None = False
    rules_checked: bool = True

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return not self.has("error")

    def has(self, severity: Severity) -> bool:
        """Return whether any finding has this severity."""
        return any(finding.severity == severity for finding in self.findings)


class Collector:
    """Collects the first findings of each rule and counts the others."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._counts: dict[str, int] = {}

    def count_in(self, rule: str) -> bool:
        """Count a finding of this rule; return whether it is among the first, which are listed."""
        count = self._counts[rule] = self._counts.get(rule, 0) + 1
        return count <= MAX_FINDINGS_PER_RULE

    def append(self, rule: str, path: str, offset: int | None, message: str) -> None:
        """Append a finding that has been counted and is to be listed."""
        self._findings.append(Finding(rule, path, offset, message))

    def add(self, rule: str, path: str, offset: int | None, message: str) -> None:
        """Count a finding, and append it if it is among the first of its rule."""
        if self.count_in(rule):
            self.append(rule, path, offset, message)

    def count(self, rule: str) -> int:
        """Return the number of findings of a rule, listed or not."""
        return self._counts.get(rule, 0)

    def rules(self) -> set[str]:
        """Return the rules that have findings, listed or not."""
        return set(self._counts)

    def drop(self, rule: str) -> None:
        """Remove all findings of a rule."""
        self._findings = [finding for finding in self._findings if finding.rule != rule]
        self._counts.pop(rule, None)

    def into(self, report: Report) -> Report:
        """Fill in the findings of a report and return it."""
        report.findings = sorted(self._findings, key=lambda finding: finding.offset or 0)
        report.more = {
            rule: count - MAX_FINDINGS_PER_RULE for rule, count in self._counts.items() if count > MAX_FINDINGS_PER_RULE
        }
        return report
