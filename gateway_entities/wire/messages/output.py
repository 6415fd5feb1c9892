"""Reports as text, JSON and SARIF 2.1.0 (for code scanning tools)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from gateway_entities.wire.messages.report import RULES, Finding, Report, Severity
from gateway_entities.wire.messages.types import MESSAGE_TYPES
from gateway_entities.wire.sources.repository import repository_path

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")


class Checked(NamedTuple):
    """One checked message.

    Attributes:
        source: a path, or ``-`` for standard input.
        position: its zero-based position in a stream; None for a single message.
        offset: the offset of its first byte in the source.
        report: the findings, with offsets from its first byte.
        reasons: the evidence for a guessed type; empty if the type was given.
    """

    source: str
    position: int | None
    offset: int
    report: Report
    reasons: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        """The source and the position in it."""
        return self.source if self.position is None else f"{self.source}[{self.position}]"

    def at(self, finding: Finding) -> int | None:
        """Return the offset of a finding in the source."""
        return None if finding.offset is None else self.offset + finding.offset


class Failed(NamedTuple):
    """A source that cannot be read.

    Attributes:
        source: a path, or ``-``.
        why: the reason.
    """

    source: str
    why: str


def to_text(checked: Checked) -> Iterator[str]:
    """Yield the report of one message as lines of text."""
    report = checked.report
    counts = [f"{number} {severity}{'s' if number > 1 else ''}" for severity, number in _counts(report) if number]
    canonical = {None: "", True: ", canonical", False: ", not canonical"}[report.canonical]
    yield f"{checked.location}: {report.message_type}: {', '.join(counts) or 'clean'}{canonical}"
    if checked.reasons:
        yield f"  the type is a guess: {'; '.join(checked.reasons)}"
    for finding in report.findings:
        where = "" if (offset := checked.at(finding)) is None else f" at byte {offset}"
        yield f"  {finding.severity}{where}: {finding.message} [{finding.rule}]"
    for rule, number in report.more.items():
        yield f"  ... and {number} more of {rule}"
    if not report.rules_checked and report.message_type in MESSAGE_TYPES:
        yield "  The contract's rules were not checked: the input cannot be parsed as a message of the contract."


def to_json(results: Sequence[Checked], failures: Sequence[Failed], not_checked: Sequence[str] = ()) -> dict[str, Any]:
    """Return the reports as a JSON object, with the paths of files that were not checked."""
    return {
        "messages": [
            {
                "source": each.source,
                "position": each.position,
                "offset": each.offset,
                "message_type": each.report.message_type,
                "guessed": list(each.reasons),
                "ok": each.report.ok,
                "canonical": each.report.canonical,
                "rules_checked": each.report.rules_checked,
                "findings": [
                    {
                        "severity": finding.severity,
                        "rule": finding.rule,
                        "path": finding.path,
                        "offset": each.at(finding),
                        "message": finding.message,
                    }
                    for finding in each.report.findings
                ],
                "more": each.report.more,
            }
            for each in results
        ],
        "unreadable": [failure._asdict() for failure in failures],
        "not_checked": list(not_checked),
    }


def to_sarif(results: Sequence[Checked], failures: Sequence[Failed], not_checked: Sequence[str] = ()) -> dict[str, Any]:
    """Return the reports as a SARIF 2.1.0 log with one run, with the paths of files that were not checked."""
    used = sorted({finding.rule for each in results for finding in each.report.findings})
    index = {rule: position for position, rule in enumerate(used)}
    found: list[dict[str, Any]] = []
    for each in results:
        found += [_result(each, finding, index) for finding in each.report.findings]
        for rule, number in each.report.more.items():
            text = f"{number} more of {rule} are not listed"
            found.append(_result(each, Finding(rule, "", None, text), index))
    said = [("error", each.source, each.why) for each in failures]
    said += [("note", path, "it has no suffix of messages, and was not checked") for path in not_checked]
    notifications = [
        {"level": level, "message": {"text": f"{source}: {why}"}, "locations": [_location(source, None)]}
        for level, source, why in said
    ]
    driver = {
        "name": "gateway-entities",
        "version": _version(),
        "rules": [
            {
                "id": rule,
                "shortDescription": {"text": RULES[rule].summary},
                "defaultConfiguration": {"level": RULES[rule].severity},
            }
            for rule in used
        ],
    }
    invocation = {"executionSuccessful": not failures, "toolExecutionNotifications": notifications}
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": found}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(checked: Checked, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    location = _location(checked.source, checked.at(finding))
    name = ".".join(filter(None, (checked.report.message_type, finding.path)))
    location["logicalLocations"] = [{"fullyQualifiedName": name}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": finding.severity,
        "message": {"text": finding.message},
        "locations": [location],
    }


def _location(source: str, offset: int | None) -> dict[str, Any]:
    # Code scanning looks for files from the top folder of the repository.
    uri = "stdin" if source == "-" else quote(repository_path(source).replace("\\", "/"))
    location: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if offset is not None:
        location["region"] = {"byteOffset": offset}
    return {"physicalLocation": location}


def _counts(report: Report) -> Iterator[tuple[Severity, int]]:
    for severity in _SEVERITIES:
        listed = sum(finding.severity == severity for finding in report.findings)
        yield severity, listed + sum(number for rule, number in report.more.items() if RULES[rule].severity == severity)


def _version() -> str:
    try:
        return version("gateway-entities")
    except PackageNotFoundError:
        return "unknown"
