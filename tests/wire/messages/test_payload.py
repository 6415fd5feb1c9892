"""Payloads of Any and entries of MessageSets: what is looked into, and that it is bounded."""

from __future__ import annotations

import time

import pytest
from google.protobuf.message import Message

from gateway_entities.wire import RULES, check, inspect
from gateway_entities.wire.messages.payload import MAX_PAYLOAD_DEPTH
from gateway_entities.wire.messages.report import MAX_FINDINGS_PER_RULE
from tests.wire.conformance.binary_cases import group
from tests.wire.conformance.schema import types
from tests.wire.messages.samples import number, old_type, recursive_type, text

URL = text(1, "type.example/tests.wire.Inner")
ANY_URL = text(1, "type.example/google.protobuf.Any")
REQUIRED = recursive_type()
PROTO2 = types()["conformance.proto2.TestAllTypes"]


def rules(data: bytes, kind: type[Message]) -> set[str]:
    return {finding.rule for finding in check(data, kind).findings}


def nested(depth: int) -> bytes:
    data = URL + text(2, text(1, "a"))
    for _ in range(depth):
        data = ANY_URL + text(2, data)
    return text(3, data)


def test_a_fault_in_a_payload_does_not_make_the_message_unreadable() -> None:
    data = text(3, URL + text(2, text(1, "a") + b"\x0e"))
    old_type().FromString(data)
    report = check(data, old_type())
    assert [(finding.rule, finding.path) for finding in report.findings] == [("any/payload", "any.value")]
    assert not RULES["any/payload"].fatal


def test_the_last_type_of_an_any_counts_wherever_it_stands() -> None:
    inside = text(2, text(1, "a") + number(9, 1))
    for data in (URL + inside, inside + URL, text(1, "a/other") + inside + URL):
        assert "wire/unknown-field" in rules(text(3, data), old_type())
    assert "wire/unknown-field" not in rules(text(3, URL + inside + text(1, "a/other")), old_type())


def test_an_any_within_an_any_is_looked_into() -> None:
    assert "schema/required" in rules(text(3, ANY_URL + text(2, URL + text(2, text(2, "x")))), old_type())
    shown = [piece.type for piece in inspect(nested(2), old_type())]
    assert shown.count("google.protobuf.Any") == 2


@pytest.mark.parametrize(
    ("depth", "found"), [(MAX_PAYLOAD_DEPTH - 1, set[str]()), (60, {"wire/limit"}), (2_000, {"wire/limit"})]
)
def test_payloads_are_looked_into_up_to_a_limit(depth: int, found: set[str]) -> None:
    data = nested(depth)
    old_type().FromString(data)
    assert rules(data, old_type()) == found
    assert max(piece.depth for piece in inspect(data, old_type())) <= 2 * MAX_PAYLOAD_DEPTH + 2


def test_the_depth_of_a_payload_is_counted_on_its_own() -> None:
    deep = b""
    for _ in range(100):
        deep = text(27, deep)
    proto3 = text(1, "a/conformance.proto3.TestAllTypes")
    kind = types()["conformance.proto3.TestAllTypes"]
    assert rules(text(305, proto3 + text(2, deep)), kind) == set()
    assert rules(text(305, proto3 + text(2, text(27, deep))), kind) == {"any/payload"}


def test_a_fault_in_an_entry_of_a_message_set_makes_the_message_unreadable() -> None:
    bad = text(500, group(1, number(2, 4135312) + text(3, b"\x0e")))
    assert "wire/wire-type" in rules(bad, PROTO2)
    with pytest.raises(Exception, match=r"Error parsing message|Wrong wire type"):
        PROTO2.FromString(bad)


def test_many_payloads_in_one_any_take_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        data = text(3, URL + text(2, b"\x0a\x01a") * count)
        spent: list[float] = []
        for _ in range(3):
            start = time.process_time()
            check(data, old_type())
            spent.append(time.process_time() - start)
        return min(spent)

    # In proportion it is 16 times, and 256 times if each looked for its type again.
    assert seconds(16_000) < 80 * seconds(1_000)


def test_required_fields_are_found_in_lists_maps_and_extensions() -> None:
    inside = text(2, text(2, "b"))
    report = check(inside + text(100, "x"), old_type())
    assert [finding.path for finding in report.findings] == ["inner.id"]
    deep = b""
    for _ in range(90):
        deep = text(2, deep)
    assert {finding.path.count("inner.") for finding in check(deep, REQUIRED).findings} == set(range(MAX_FINDINGS_PER_RULE))
    many = text(3, b"") * 2_000
    found = check(many, REQUIRED).findings
    assert {finding.rule for finding in found} == {"schema/required", "rules/limit"}
    entry = text(4, text(1, "k") + text(2, b""))
    assert 'named["k"].id' in {finding.path for finding in check(entry, REQUIRED).findings}
