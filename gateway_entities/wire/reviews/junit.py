"""A review as JUnit XML, which CI servers show beside the tests."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET

from gateway_entities.wire.reviews.review import Review, Reviewed, remarks, summary
from gateway_entities.wire.schemas.report import DifferenceLevel, Direction

# XML has no form for these.
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(result: Review) -> str:
    """Return a document with one suite: a case for each break, and one for each direction and level without any."""
    suite = ET.Element("testsuite", name="wire compare")
    failures = skipped = number = 0
    for each in (*result.breaks, *(note for note in result.notes if note.fails)):
        case = _case(suite, each)
        number += 1
        if each.fails:
            failures += 1
            text = _text(_details(each))
            ET.SubElement(case, "failure", type=each.difference.rule, message=_text(each.difference.message)).text = text
        else:
            skipped += 1
            ET.SubElement(case, "skipped", message=_text(_excuse(each)))
    for direction in Direction:
        for level in DifferenceLevel:
            if result.status(direction, level) == "ok":
                number += 1
                ET.SubElement(suite, "testcase", classname="wire compare", name=f"{direction.value}: {level.value}")
    output = [result.compatibility.value, summary(result), *remarks(result)]
    ET.SubElement(suite, "system-out").text = _text("\n".join(output))
    for key, value in (("tests", number), ("failures", failures), ("errors", 0), ("skipped", skipped)):
        suite.set(key, str(value))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, each: Reviewed) -> ET.Element:
    difference = each.difference
    name = f"{difference.subject}: {difference.rule} ({difference.direction.value}, {difference.level.value})"
    case = ET.SubElement(suite, "testcase", classname=_text(difference.message_type), name=_text(name))
    if each.where is not None:
        case.set("file", _text(each.where.path))
        if each.where.line is not None:
            case.set("line", str(each.where.line))
    return case


def _details(each: Reviewed) -> str:
    difference = each.difference
    lines = [f"{difference.subject} {difference.message}", f"new: {each.new or 'absent'}", f"old: {each.old or 'absent'}"]
    if difference.witness is not None:
        lines.append(
            f"proof: {difference.witness.message_type}, hex {difference.witness.data.hex(' ')[:400] or '(no bytes)'}"
        )
    return "\n".join(lines)


def _excuse(each: Reviewed) -> str:
    if each.ignored is not None:
        return f"ignored until {each.ignored.expires}: {each.ignored.reason}"
    return "an unstable package" if each.difference.unstable else "not of the levels and directions that fail the check"


def _text(text: str) -> str:
    return _NO_XML.sub("�", text)
