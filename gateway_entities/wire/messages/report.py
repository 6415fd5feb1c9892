"""What a check found: findings, their rules, and the report of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

Severity = Literal["error", "warning", "note"]
"""error: the bytes cannot be read, or a server would refuse what they say. warning: they can, but something is lost, doubled
or doubtful. note: they mean what they should, but another writer would have written other bytes."""


class Rule(NamedTuple):
    """A rule that bytes can break.

    Attributes:
        severity: how bad that is.
        summary: what is right, as one sentence.
        fatal: whether protobuf itself refuses the bytes.
    """

    severity: Severity
    summary: str
    fatal: bool = False


RULES: Final[Mapping[str, Rule]] = {
    "wire/truncated": Rule("error", "Every value is there to its last byte.", True),
    "wire/field-number": Rule("error", "Field numbers are 1 to 536870911.", True),
    "wire/trailing-bytes": Rule("error", "Nothing follows the last field, such as a padding of zeros.", True),
    "wire/wire-type": Rule("error", "Wire types are 0 to 5.", True),
    "wire/unmatched-group": Rule("error", "Every group that starts ends, and the other way round.", True),
    "wire/depth": Rule("error", "Messages and groups nest at most 100 deep.", True),
    "wire/varint-too-long": Rule("error", "Varints have at most 10 bytes, those of tags and lengths 5.", True),
    "wire/utf8": Rule("error", "Text is UTF-8.", True),
    "wire/varint-overflow": Rule("error", "Varints have at most 64 bits: readers drop the others without a word."),
    "wire/overlong-varint": Rule("warning", "Varints have no more bytes than they need."),
    "wire/repeated-field": Rule("warning", "A singular field occurs once: of several, readers keep the last."),
    "wire/unknown-field": Rule("warning", "The message type has a field of every number."),
    "wire/group": Rule("warning", "No unknown field is a group, a form that proto3 has not."),
    "wire/order": Rule("note", "Fields are in the order of their numbers, and unknown ones after all others."),
    "wire/map-order": Rule("note", "The entries of a map are in the order of their keys."),
    "wire/limit": Rule("note", "A message of very many fields is looked at in detail only up to a limit."),
    "schema/wire-type": Rule("error", "A field has the wire type of its type: readers take it for unknown otherwise."),
    "schema/number-range": Rule("error", "Numbers fit into the field's type: readers cut them otherwise."),
    "schema/required": Rule("error", "Required fields are there."),
    "schema/enum": Rule("warning", "The enum has a value of this number."),
    "schema/retired-field": Rule("warning", "Nobody writes fields of retired numbers any more."),
    "schema/map-duplicate": Rule("warning", "A map has each key once: of several entries, readers keep the last."),
    "schema/map-entry": Rule("error", "Map entries hold a key and a value only: readers may set others aside."),
    "schema/map-default": Rule("note", "Map entries hold their key and their value even when it is empty."),
    "schema/packing": Rule("note", "Repeated numbers are written packed or one by one, as the schema says."),
    "rules/length": Rule("error", "Text is as long as the contract says."),
    "rules/nul": Rule("error", "Text has no NUL characters."),
    "rules/form": Rule("error", "Text has the form that the contract says."),
    "rules/number": Rule("error", "Numbers are within the limits of the contract."),
    "rules/enum": Rule("error", "Enums have a value that may be used here."),
    "rules/mask": Rule("error", "An update_mask names fields that can be updated, and clears only what may be cleared."),
    "rules/empty-entry": Rule("error", "No key and no value of a secret is empty."),
    "rules/reserved-key": Rule("error", "Settings have no reserved keys."),
    "rules/address": Rule("error", "A provider's address is an https address of a public host."),
    "rules/limit": Rule("note", "A message that breaks very many rules is checked only up to a limit."),
    "across/exactly-one": Rule("error", "A thing is looked up by exactly one of id and name."),
    "across/primary-model": Rule("error", "An endpoint has a PRIMARY model."),
    "across/weight-sum": Rule("error", "The weights of an endpoint's PRIMARY models sum to more than 0."),
    "across/linkage": Rule("error", "An endpoint links a definition once as PRIMARY and once as FALLBACK at most."),
    "across/fallback-order": Rule("warning", "Of an endpoint's FALLBACK models no two have the same place in the order."),
    "across/reference": Rule("error", "What a message holds of another one is that which its id names."),
    "across/tag-key": Rule("error", "An endpoint has each tag once."),
    "across/target": Rule("error", "A budget has a target when its scope needs one, and none otherwise."),
    "across/window": Rule("error", "A budget window ends after it starts."),
    "stream/truncated": Rule("error", "Every message of a stream is there to its last byte."),
    "stream/length": Rule("error", "The length before a message of a stream is a varint of at most 10 bytes."),
    "json/syntax": Rule("error", "The text is a JSON object."),
    "json/value": Rule("error", "JSON values fit the types of their fields."),
    "json/unknown-field": Rule("warning", "The message type has a field of every name: readers pass over others."),
}
"""Every rule, by the id that findings carry. Ids never change."""

MOST_OF_A_RULE: Final = 50
"""How many findings of one rule a report holds; the others it counts."""


class Finding(NamedTuple):
    """One thing that is not as it should be.

    Attributes:
        rule: the id of the rule, a key of RULES.
        path: the field, such as ``model_mappings[2].weight``; "" for the message itself.
        offset: the byte at which the field or the fault begins, counted from 0; None when there are no bytes, as with JSON.
        message: what was found and what would be right. Never the value of a secret.
    """

    rule: str
    path: str
    offset: int | None
    message: str

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return RULES[self.rule].severity


@dataclass(slots=True)
class Report:
    """All that a check has to say of one message.

    Attributes:
        message_type: the short name of the type that the bytes were read as.
        findings: what was found, by offset; of each rule the first MOST_OF_A_RULE.
        more: how many findings there are beyond those, by rule.
        canonical: whether the bytes are the canonical form of what they say; None when there are no bytes, as with
            JSON, and when there are too many fields to tell.
        rules_checked: whether the contract's rules were checked. They are not when the bytes cannot be read as a message,
            and there are none for messages that are not of the contract.
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
        """Return whether there are findings of this severity."""
        return any(finding.severity == severity for finding in self.findings)


class Collector:
    """Takes findings, keeps the first of each rule, and counts the others."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._counts: dict[str, int] = {}

    def wants(self, rule: str) -> bool:
        """Count a finding of this rule; return whether it is one of the first, which are kept."""
        count = self._counts[rule] = self._counts.get(rule, 0) + 1
        return count <= MOST_OF_A_RULE

    def keep(self, rule: str, path: str, offset: int | None, message: str) -> None:
        """Keep a finding that was wanted."""
        self._findings.append(Finding(rule, path, offset, message))

    def add(self, rule: str, path: str, offset: int | None, message: str) -> None:
        """Take a finding."""
        if self.wants(rule):
            self.keep(rule, path, offset, message)

    def count(self, rule: str) -> int:
        """Return how many findings of a rule there are, kept or not."""
        return self._counts.get(rule, 0)

    def drop(self, rule: str) -> None:
        """Take back all findings of a rule."""
        self._findings = [finding for finding in self._findings if finding.rule != rule]
        self._counts.pop(rule, None)

    def into(self, report: Report) -> Report:
        """Fill a report with what was taken."""
        report.findings = sorted(self._findings, key=lambda finding: finding.offset or 0)
        report.more = {rule: count - MOST_OF_A_RULE for rule, count in self._counts.items() if count > MOST_OF_A_RULE}
        return report
