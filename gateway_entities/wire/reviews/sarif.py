"""A review as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from gateway_entities.wire.reviews.review import Location, Review, Reviewed, remarks
from gateway_entities.wire.schemas.rules import COMPARISON_RULES

SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def to_sarif(result: Review, version: str) -> dict[str, Any]:
    """Return a log with one run.

    Args:
        result: the review.
        version: the version of this program.
    """
    found = [*result.breaks, *result.notes]
    rules = sorted({each.difference.rule for each in found})
    index = {rule: position for position, rule in enumerate(rules)}
    driver = {
        "name": "gateway-entities wire compare",
        "version": version,
        "rules": [{"id": rule, "shortDescription": {"text": COMPARISON_RULES[rule]}} for rule in rules],
    }
    invocation = {
        "executionSuccessful": True,
        "toolExecutionNotifications": [{"level": "note", "message": {"text": text}} for text in remarks(result)],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "results": [_result(each, index) for each in found],
        "properties": {"compatibility": result.compatibility.name},
    }
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(each: Reviewed, index: dict[str, int]) -> dict[str, Any]:
    difference = each.difference
    text = f"{difference.subject} {difference.message} ({difference.direction.value}, {difference.level.value})"
    key = f"{difference.rule} {difference.direction.name} {difference.level.value} {difference.subject}"
    found: dict[str, Any] = {
        "ruleId": difference.rule,
        "ruleIndex": index[difference.rule],
        "level": "error" if each.fails else "warning" if difference.kind.breaks else "note",
        "message": {"text": text},
        "partialFingerprints": {"difference/v1": hashlib.sha256(key.encode()).hexdigest()},
        "properties": {"unstable": difference.unstable, "direction": difference.direction.name.lower()},
    }
    logical = [{"fullyQualifiedName": difference.subject, "kind": "member"}]
    where = {"logicalLocations": logical} | ({} if each.where is None else _physical(each.where))
    found["locations"] = [where]
    if each.new is not None and each.old is not None:
        found["relatedLocations"] = [{"id": 1, "message": {"text": "in the old schema"}} | _physical(each.old)]
    if each.ignored is not None:
        found["suppressions"] = [{"kind": "external", "justification": each.ignored.reason}]
    return found


def _physical(location: Location) -> dict[str, Any]:
    path = Path(location.path)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if location.line is not None:
        physical["region"] = {"startLine": location.line}
    return {"physicalLocation": physical}
