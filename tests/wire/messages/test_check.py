"""The findings of a check: rules, paths, offsets, limits."""

from __future__ import annotations

import json

import pytest

from gateway_entities import rules
from gateway_entities.methods import METHODS
from gateway_entities.wire import MESSAGE_TYPES, RULES, check, check_json, from_stream, message_type_named
from gateway_entities.wire.messages.report import MAX_FINDINGS_PER_RULE
from gateway_entities.wire.messages.validate import MAX_RECORDS
from gatewayentities.v1 import endpoint_pb2, secret_pb2
from tests.messages import RESOURCES, full
from tests.wire.messages.samples import (
    BAD,
    CANARY,
    ENDPOINT,
    SECRET,
    Bad,
    class_of,
    endpoint,
    entry,
    mapping,
    number,
    old_type,
    policy,
    secret,
    text,
)

JSON = {
    "json/syntax": b'{"key": ',
    "json/value": b'{"key": 1}',
    "json/unknown-field": b'{"key": "k", "colour": 1}',
}
OTHER_JSON = ("json/unknown-name", b'{"colour": 1}')
STREAM = {"stream/truncated": b"\x05ab", "stream/length": b"\xff" * 10}


@pytest.mark.parametrize("bad", BAD, ids=[f"{bad.rule}-{position}" for position, bad in enumerate(BAD)])
def test_each_rule_is_found_alone_with_its_path_and_offset(bad: Bad) -> None:
    report = check(bad.data, bad.message_type)
    ((rule, path, offset, message),) = report.findings
    assert (rule, path) == (bad.rule, bad.path)
    assert offset == bad.offset if bad.offset >= 0 else len(bad.data) + bad.offset
    assert not report.more
    assert report.ok == (RULES[rule].severity != "error")
    assert message.count(" ") >= 2


@pytest.mark.parametrize("rule", JSON)
def test_each_rule_of_json_is_found_alone(rule: str) -> None:
    report = check_json(JSON[rule], "GatewayEndpointTag")
    assert [(finding.rule, finding.offset) for finding in report.findings] == [(rule, None)]
    assert report.canonical is None


def test_an_unknown_name_in_json_of_another_contract_is_an_error() -> None:
    rule, data = OTHER_JSON
    report = check_json(data, old_type())
    assert [(finding.rule, finding.path) for finding in report.findings] == [(rule, "colour")]
    assert not report.ok


@pytest.mark.parametrize("rule", STREAM)
def test_each_rule_of_streams_is_found_alone(rule: str) -> None:
    parts = list(from_stream(b"\x02ab" + STREAM[rule]))
    assert (parts[0].offset, parts[0].data, parts[0].finding) == (1, b"ab", None)
    assert parts[1].finding is not None
    assert (parts[1].finding.rule, parts[1].finding.offset, len(parts)) == (rule, 3, 2)


def test_no_rule_is_without_a_test() -> None:
    # The limits need very long messages, and have tests of their own.
    tested = {bad.rule for bad in BAD} | JSON.keys() | STREAM.keys() | {"rules/limit", "wire/limit"}
    assert tested | {OTHER_JSON[0]} == RULES.keys()


def test_protobuf_rejects_exactly_what_breaks_a_fatal_rule() -> None:
    for bad in BAD:
        kind = class_of(bad.message_type)
        if RULES[bad.rule].fatal:
            with pytest.raises(Exception, match="Error parsing message"):
                kind.FromString(bad.data)
        else:
            kind.FromString(bad.data)


@pytest.mark.parametrize("message", [endpoint(), secret(), policy(), endpoint(*map(mapping, range(3)), usage_tracking=True)])
def test_a_valid_message_has_no_findings_and_is_canonical(message: object) -> None:
    report = check(message.SerializeToString(deterministic=True), type(message))  # type: ignore[attr-defined]
    assert (report.findings, report.canonical, report.ok, report.rules_checked) == ([], True, True, True)


@pytest.mark.parametrize(
    ("value", "out_of_range"),
    [(-(2**31), False), (-(2**31) - 1, True), (2**31 - 1, False), (2**31, True), (-1, False), (2**63, True)],
)
def test_the_range_of_an_int32_ends_where_protobufs_does(value: int, out_of_range: bool) -> None:
    found = {finding.rule for finding in check(number(2, value), "FallbackConfig").findings}
    assert ("schema/number-range" in found) == out_of_range


def test_all_findings_are_reported() -> None:
    data = ENDPOINT + text(8, text(1, "")) + number(9, 7) + b"\x92\x00\x00" + number(99, 1) + text(6, "")
    found = [(finding.rule, finding.path) for finding in check(data, "GatewayEndpoint").findings]
    assert {rule for rule, _ in found} >= {
        "rules/length",
        "schema/enum",
        "wire/overlong-varint",
        "wire/unknown-field",
        "wire/order",
    }
    assert ("rules/length", "created_by") in found


def test_an_unreadable_nested_message_does_not_hide_later_findings() -> None:
    data = text(5, b"\x0e") + text(5, b"\x07") + b"\x0e"
    report = check(data, "GatewayEndpoint")
    paths = [finding.path for finding in report.findings]
    assert paths == ["model_mappings[0]", "model_mappings[1]", ""]
    assert not report.rules_checked


def test_invalid_utf8_does_not_hide_broken_rules() -> None:
    data = text(1, b"\xff") + text(2, "not a name")
    found = {(finding.rule, finding.path) for finding in check(data, "GatewayEndpoint").findings}
    assert found >= {("wire/utf8", "endpoint_id"), ("rules/form", "name"), ("schema/required", "created_at")}


def test_findings_are_limited_and_further_ones_counted() -> None:
    report = check(ENDPOINT + number(99, 1) * 1000, "GatewayEndpoint")
    assert [finding.rule for finding in report.findings] == ["wire/unknown-field"] * MAX_FINDINGS_PER_RULE
    assert report.more == {"wire/unknown-field": 1000 - MAX_FINDINGS_PER_RULE}
    many = check(text(1, "") * 1000, "ListGatewayEndpointBindingsResponse")
    assert {finding.rule for finding in many.findings} == {"schema/required", "rules/limit"}


def test_a_very_long_message_is_checked_up_to_a_limit() -> None:
    data = ENDPOINT + number(99, 1) * (MAX_RECORDS + 10)
    report = check(data, "GatewayEndpoint")
    assert {finding.rule for finding in report.findings} == {"wire/unknown-field", "wire/limit"}
    assert (report.ok, report.canonical) == (True, None)
    broken = check(data + b"\x0e", "GatewayEndpoint").findings[-1]
    assert (broken.rule, broken.offset) == ("wire/wire-type", len(data))


@pytest.mark.parametrize(
    ("data", "canonical"),
    [
        (ENDPOINT, True),
        (ENDPOINT + number(99, 1) + number(98, 1), True),
        (number(99, 1) + ENDPOINT, False),
        (ENDPOINT + b"\xf8\x86\x00\x01", False),
        (ENDPOINT + number(12, 1) + number(12, 1), False),
        (ENDPOINT + b"\0", False),
    ],
)
def test_the_canonical_form(data: bytes, canonical: bool) -> None:
    assert check(data, "GatewayEndpoint").canonical is canonical


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("GatewayEndpoint", endpoint_pb2.GatewayEndpoint),
        ("gatewayentities.v1.GatewayEndpoint", endpoint_pb2.GatewayEndpoint),
        ("mlflow.GatewayEndpoint", endpoint_pb2.GatewayEndpoint),
        ("CreateGatewaySecret", secret_pb2.CreateGatewaySecretRequest),
        ("mlflow.CreateGatewaySecret.Response", secret_pb2.CreateGatewaySecretResponse),
        ("ListGatewayBudgetWindows.BudgetWindow", MESSAGE_TYPES["GatewayBudgetWindow"]),
    ],
)
def test_every_form_of_a_type_name(name: str, kind: object) -> None:
    assert message_type_named(name) is kind


def test_an_unknown_type_name_is_an_error() -> None:
    with pytest.raises(LookupError, match="no message type is named 'Nothing'"):
        check(b"", "Nothing")


def test_every_message_of_the_contract_has_rules() -> None:
    assert [name for name, kind in MESSAGE_TYPES.items() if not rules.has_rules(kind)] == []
    assert {method.request_type for method in METHODS} | set(RESOURCES.values()) <= set(MESSAGE_TYPES.values())


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_rules_name_only_fields_that_exist(name: str) -> None:
    for message in (MESSAGE_TYPES[name](), full(MESSAGE_TYPES[name])):
        for violation in rules.check(message):
            assert violation.rule in RULES
            assert violation.field.split(".")[0].split("[")[0] in message.DESCRIPTOR.fields_by_name


def test_no_secret_is_in_a_report() -> None:
    data = SECRET + SECRET + entry(text(1, "k"), text(2, CANARY + "\0")) + text(4, CANARY) + text(3, "\xff") + b"\x0e"
    for message_type in ("CreateGatewaySecretRequest", "UpdateGatewaySecretRequest", "GatewayEndpoint", "GatewaySecretInfo"):
        for end in range(len(data)):
            assert CANARY not in str(check(data[:end], message_type))
    for name in ("secret_value", "auth_config", "provider", "secretName"):
        text_of_json = json.dumps({"secret_name": 1, name: CANARY, CANARY[:3]: 1})
        assert CANARY not in str(check_json(text_of_json.encode(), "CreateGatewaySecretRequest"))


def test_the_output_of_protobuf_is_canonical_for_any_keys() -> None:
    message = secret_pb2.GatewaySecretInfo(auth_config={"": "", "a": "", "ab": "", "b": ""})
    report = check(message.SerializeToString(deterministic=True), "GatewaySecretInfo")
    assert report.canonical
    assert "wire/map-order" not in {finding.rule for finding in report.findings}
