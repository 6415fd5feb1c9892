"""The cases of protobuf's conformance suite: ``check`` and ``check_json`` accept and reject as the suite says."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError, Message

from gateway_entities.wire import RULES, check, check_json, inspect
from tests.wire.conformance import binary_cases, json_cases
from tests.wire.conformance.schema import types

BINARY = list(binary_cases.cases())
JSON = list(json_cases.cases())
# Where Python's parser and the suite differ, with the reason.
PYTHON_JSON_ACCEPTS = {
    **dict.fromkeys(
        (f"{kind}Field{word}Value" for kind in ("Double", "Float", "Enum") for word in ("True", "False")),
        "in Python a boolean is a number",
    ),
    **dict.fromkeys(
        (
            f"TimestampJsonInput{what}"
            for what in ("DayTooShort", "MonthTooShort", "InvalidOffsetHour", "InvalidOffsetMinute")
        ),
        "Python's parser of dates takes them",
    ),
}


def kind_of(syntax: str) -> type[Message]:
    return types()[f"conformance.{syntax}.TestAllTypes"]


def accepted(data: bytes, kind: type[Message]) -> bool:
    """Return whether the report has no finding that stops a parser."""
    return not any(RULES[finding.rule].fatal for finding in check(data, kind).findings)


def upb(data: bytes, kind: type[Message]) -> bool:
    try:
        kind.FromString(data)
    except DecodeError:
        return False
    return True


def test_the_cases_are_the_suites() -> None:
    assert len({(case.syntax, case.name) for case in BINARY}) == len(BINARY)
    assert len({(case.syntax, case.name) for case in JSON}) == len(JSON)
    assert (len(BINARY), len(JSON)) == (1126, 554)


def test_check_accepts_and_rejects_as_the_suite() -> None:
    wrong = [case[:2] for case in BINARY if accepted(case.data, kind_of(case.syntax)) != case.accepted]
    assert wrong == []


@pytest.mark.skipif(api_implementation.Type() != "upb", reason="the pure Python runtime is more lenient")
def test_upb_accepts_and_rejects_as_the_suite() -> None:
    wrong = [case[:2] for case in BINARY if upb(case.data, kind_of(case.syntax)) != case.accepted]
    assert wrong == []


def test_check_json_accepts_and_rejects_as_the_suite() -> None:
    wrong = [
        case[:2]
        for case in JSON
        if case.accepted is not None
        and check_json(case.text.encode("utf-8", "surrogatepass"), kind_of(case.syntax)).ok != case.accepted
    ]
    assert wrong == []


def test_pythons_parser_of_json_differs_only_where_it_is_known_to() -> None:
    def parsed(text: str, kind: type[Message]) -> bool:
        pool: Any = kind.DESCRIPTOR.file.pool
        try:
            json_format.Parse(text, kind(), descriptor_pool=pool)
        except Exception:  # It raises more than ParseError.
            return False
        return True

    wrong = {
        case.name for case in JSON if case.accepted is not None and parsed(case.text, kind_of(case.syntax)) != case.accepted
    }
    # Before protobuf 7 it had no limit for the values of a Struct.
    deep = {case.name for case in JSON if case.name.endswith("DeepNesting200")}
    assert wrong - deep == PYTHON_JSON_ACCEPTS.keys()


def test_every_binary_case_is_inspected_without_gaps() -> None:
    for case in BINARY:
        pieces = list(inspect(case.data, kind_of(case.syntax)))
        assert b"".join(case.data[piece.start : piece.end] for piece in pieces) == case.data
