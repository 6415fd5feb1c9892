"""The cases of protobuf's conformance suite in other runtimes: they accept and reject as ``wire check`` says.

The runtimes get the suite's types as descriptors, and use their ordinary parsers. Where one is more lenient than the suite,
the reason is here; none rejects what the suite accepts.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from gateway_entities.wire import check_json
from tests.interop.language import all_languages
from tests.interop.proto import testee_pb2
from tests.interop.testee import Testee
from tests.wire.conformance import binary_cases, json_cases
from tests.wire.conformance.schema import files, types

LANGUAGES = {name: language for name, language in all_languages().items() if name in {"go", "java", "ts"}}
_GSON = "its reader of JSON is lenient: no quotes, single quotes, other numbers, NaN, comments"
_TIME = "it takes dates and offsets that do not exist, and completes short ones"
# By the name of the case, with * for any text.
LENIENT = {
    "go": {
        "BadTag_OverlongVarint": "it reads tags of any length whose number fits",
        "RejectInvalidUtf8.String.Extension": "it does not check the text of extensions of dynamic messages",
        "json.TimestampJsonInputInvalidOffset*": _TIME,
        "json.*DeepNesting200": "its limit is 10,000",
    },
    "java": {
        **dict.fromkeys(
            ("BadTag_FieldNumberTooHigh", "BadTag_FieldNumberSlightlyTooHigh", "BadTag_OverlongVarint"),
            "it drops the bits of a tag beyond 32",
        ),
        **dict.fromkeys(
            (
                *("json.*NotQuoted", "json.JsonWithComments", "json.StringFieldSingleQuote*", "json.Int32FieldPlusSign"),
                *("json.Int32Field*LeadingZero", "json.BoolFieldCamelCase*", "json.BoolFieldAllCapital*"),
            ),
            _GSON,
        ),
        "json.BoolFieldDoubleQuoted*": "it takes booleans as text",
        "json.EnumField*": "it takes the text of booleans and of arrays with one element",
        "json.StringField*Surrogate*": "it replaces half of a surrogate pair",
        "json.StringFieldNotAString": "it takes numbers and booleans as text",
        "json.RepeatedFieldWrongElementTypeExpectingStringsGot*": "it takes numbers and booleans as text",
        "json.TimestampJsonInput*": _TIME,
        "json.FieldMaskInvalidCharacter": "it does not check the letters of paths",
    },
    "ts": {
        "RejectInvalidUtf8.String.Extension": "extensions are unknown fields until they are read",
        "json.TimestampJsonInputHourTooLarge": "its dates carry over: hour 24 is the next day",
        "json.TimestampJsonInputNonLeapFeb29": "its dates carry over: February 29 is March 1",
    },
}


def ignores_unknown(case: json_cases.JsonCase) -> bool:
    """Return whether the result depends on unknown names, which these parsers ignore."""
    kind = types()[f"conformance.{case.syntax}.TestAllTypes"]
    rules = {finding.rule for finding in check_json(case.text.encode("utf-8", "surrogatepass"), kind).findings}
    return "json/unknown-name" in rules or "UnknownEnumString" in case.name


def requests(language: str) -> list[tuple[str, bool, testee_pb2.TesteeRequest]]:
    """Return each case with its request, and whether a parser accepts it."""
    found = [
        (case.name, case.accepted, testee_pb2.TesteeRequest(message_type=name_of(case.syntax), decode=case.data))
        for case in binary_cases.cases()
        if language != "go" or "MessageSet" not in case.name
    ]
    return found + [
        (
            f"json.{case.name}",
            case.accepted,
            testee_pb2.TesteeRequest(message_type=name_of(case.syntax), from_json=case.text),
        )
        for case in json_cases.cases()
        if case.accepted is not None and not ignores_unknown(case)
    ]


def name_of(syntax: str) -> str:
    return f"conformance.{syntax}.TestAllTypes"


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_runtime_accepts_and_rejects_as_the_suite(name: str) -> None:
    language = LANGUAGES[name]
    if missing := language.missing():
        pytest.skip("; ".join(missing))
    cases = requests(name)
    with Testee(language.name, language.command(), language.environment) as testee:
        schema = files(message_sets=name != "go").SerializeToString()
        loaded = testee.one(testee_pb2.TesteeRequest(schema=schema))
        assert loaded.WhichOneof("result") == "proto", loaded
        results = [each.WhichOneof("result") for each in testee.send([request for _, _, request in cases])]
    assert set(results) == {"proto", "parse_error"}
    verdicts = [(case, accepted, result == "proto") for (case, accepted, _), result in zip(cases, results, strict=True)]
    assert [case for case, accepted, seen in verdicts if accepted and not seen] == []
    lenient = {case for case, accepted, seen in verdicts if seen and not accepted}
    explained = {case for case in lenient if any(fnmatchcase(case, pattern) for pattern in LENIENT[name])}
    assert lenient - explained == set()
    assert [pattern for pattern in LENIENT[name] if not any(fnmatchcase(case, pattern) for case in lenient)] == []


def test_every_language_with_differences_is_tested() -> None:
    assert LENIENT.keys() == LANGUAGES.keys()
