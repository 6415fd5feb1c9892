"""JSON of any message type: what Python's parser rejects, ``check_json`` rejects."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_entities.wire import check_json
from tests.wire.conformance import json_cases
from tests.wire.conformance.schema import types

KIND = types()["conformance.proto3.TestAllTypes"]
FIELDS = [field.json_name for field in KIND.DESCRIPTOR.fields]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ("", "1", "-1", "1.5", "NaN", "AQI=", "AQ", "FOO", "1.5s", "2024-05-01T00:00:00Z", "foo,barBaz", "true")
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("a", "1", "true", "@type", "value", "corecursive")), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3))
def test_what_pythons_parser_rejects_is_rejected(value: dict[str, Any]) -> None:
    text = json.dumps(value)
    report = check_json(text.encode(), KIND)
    pool: Any = KIND.DESCRIPTOR.file.pool
    try:
        json_format.Parse(text, KIND(), descriptor_pool=pool)
    except Exception as error:  # It raises more than ParseError.
        # Before protobuf 7 it fails at {"repeatedValue": null}.
        assert "has no attribute 'null_value'" in str(error) or not report.ok, text  # noqa: PT017 - also others.
    assert all("\n" not in finding.message for finding in report.findings)


def test_hostile_json_is_reported_in_bounded_time() -> None:
    for text in (b"[" * 200_000, b'{"optionalStruct":' * 5_000, b'{"a":' * 90_000 + b"1" + b"}" * 90_000, b"9" * 100_000):
        assert not check_json(text, KIND).ok
    digits = b'{"optionalInt64": ' + b"9" * 100_000 + b"}"
    assert [finding.path for finding in check_json(digits, KIND).findings] == ["optional_int64"]
    wide = b'{"repeatedInt32": [' + b"null," * 20_000 + b"1]}"
    assert len(check_json(wide, KIND).findings) == 50


def test_every_cut_of_a_case_is_reported_without_an_exception() -> None:
    for case in list(json_cases.cases())[::20]:
        data = case.text.encode("utf-8", "surrogatepass")
        for end in range(0, len(data), max(1, len(data) // 10)):
            check_json(data[:end], KIND)
