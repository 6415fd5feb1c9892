"""Comparison of schemas: each kind of change alone, and every witness shows its break."""

from __future__ import annotations

import pytest
from google.protobuf import json_format, text_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.errors import Code, GatewayError
from gateway_entities.wire.schemas.compare import compare
from gateway_entities.wire.schemas.limits import Limit
from gateway_entities.wire.schemas.model.schema import Schema
from gateway_entities.wire.schemas.report import (
    Comparison,
    Compatibility,
    Difference,
    DifferenceKind,
    DifferenceLevel,
    Direction,
    Element,
)
from tests.wire.schemas.evolutions import evolution
from tests.wire.schemas.model import model

NEW, OLD = Direction.NEW_READS_OLD, Direction.OLD_READS_NEW
BINARY, JSON, RULES, MEANING, CALLS = DifferenceLevel


def between(old: str, new: str, *, syntax: str = "proto3", new_syntax: str | None = None) -> Comparison:
    return compare(model(old, syntax=syntax).schema("old"), model(new, syntax=new_syntax or syntax).schema("new"))


def breaking(result: Comparison) -> set[tuple[Direction, DifferenceLevel]]:
    return {(b.direction, b.level) for b in result.breaks}


def only(result: Comparison, direction: Direction, level: DifferenceLevel) -> Difference:
    (found,) = result.of(direction, level)
    return found


BIN, JS = {(NEW, BINARY), (OLD, BINARY)}, {(NEW, JSON), (OLD, JSON)}


@pytest.mark.parametrize(
    ("syntax", "old", "new", "expected"),
    [
        ("proto3", "int32 a 1", "int64 a 1", {(OLD, BINARY), (OLD, JSON)}),
        ("proto3", "int32 a 1", "sint32 a 1", BIN),
        ("proto3", "uint32 a 1", "int32 a 1", BIN | JS),
        ("proto3", "bool a 1", "int32 a 1", {(OLD, BINARY)} | JS),
        ("proto3", "string a 1", "bytes a 1", {(OLD, BINARY)} | JS),
        ("proto2", "string a 1", "bytes a 1", {(OLD, BINARY)} | JS),
        ("proto3", "float a 1", "double a 1", BIN | {(OLD, JSON)}),
        ("proto3", "fixed32 a 1", "float a 1", BIN | JS),
        ("proto3", "E a 1", "int32 a 1", {(NEW, JSON)}),
        ("proto2", "E a 1", "int32 a 1", {(OLD, BINARY), (NEW, JSON), (OLD, JSON)}),
        ("proto3", "M a 1", "bytes a 1", {(OLD, BINARY)} | JS),
        ("proto3", "M a 1", "string a 1", BIN | JS),
        ("proto3", "repeated int32 a 1", "int32 a 1", {(NEW, BINARY)} | JS),
        ("proto2", "repeated string a 1", "string a 1", {(NEW, BINARY)} | JS),
        ("proto3", "repeated M a 1", "M a 1", {(NEW, BINARY)} | JS),
        ("proto3", "map<string, string> a 1", "repeated Pair a 1", {(OLD, BINARY)} | JS),
        ("proto3", "map<string, string> a 1", "map<string, bytes> a 1", {(OLD, BINARY)} | JS),
        ("proto3", "map<int32, M> a 1", "map<int64, M> a 1", {(OLD, BINARY), (OLD, JSON)}),
        ("proto3", "string a 1", "map<string, string> a 1", BIN | JS),
        ("proto3", "string a 1; string b 2", "string a 2; string b 1", BIN),
        ("proto3", "string a 1; string b 2", "string b 1", {(NEW, BINARY), (NEW, JSON), (OLD, BINARY)}),
        ("proto3", "string a 1", "string a 1 json=A", {(OLD, JSON)}),
        ("proto3", "string a_b 1", "string aB 1", {(NEW, JSON)}),
        ("proto3", "string a_b 1", "string a_b 1 json=aB", set()),
        ("proto3", "string a 1; string b 2", "string a 1 oneof=c; string b 2 oneof=c", {(NEW, BINARY), (NEW, JSON)}),
        ("proto3", "string a 1", "string a 1 oneof=c; string b 2 oneof=c", set()),
        ("proto3", "string a 1", "implicit string a 1", {(NEW, MEANING)}),
        ("proto2", "int32 a 1", "int32 a 1 default=7", {(NEW, MEANING), (OLD, MEANING)}),
        ("proto2", "string a 1", "required string a 1", {(NEW, BINARY), (NEW, JSON)}),
        ("proto2", "string a 1; reserved 2", "string a 1; string b 2; repeated M c 3", set()),
        ("proto3", "string a 1; string b 2", "string a 1; reserved 2", {(NEW, JSON)}),
        ("proto3", "string a 1; string b 2", "string a 1; reserved 2 b", set()),
    ],
)
def test_field_changes(syntax: str, old: str, new: str, expected: set[tuple[Direction, DifferenceLevel]]) -> None:
    rest = "\nM: int32 n 1; string t 2\nPair: string key 1; string value 2\nenum E: ZERO 0; ONE 1; TWO 2"
    result = between(f"Changed: {old}{rest}", f"Changed: {new}{rest}", syntax=syntax)
    assert breaking(result) == expected


@pytest.mark.parametrize(
    ("syntax", "new", "expected"),
    [
        ("proto3", "ZERO 0; ONE 1; TWO 2; MORE 3", set()),
        ("proto2", "ZERO 0; ONE 1; TWO 2; MORE 3", set()),
        ("proto3", "ZERO 0; ONE 1", {(NEW, JSON)}),
        ("proto2", "ZERO 0; ONE 1", {(NEW, BINARY), (NEW, JSON)}),
        ("proto2", "ZERO 0; ONE 1; reserved 2 TWO", set()),
        ("proto3", "ZERO 0; ONE 1; PAIR 2", JS),
        ("proto3", "ZERO 0; TWO 1; ONE 2", BIN),
        ("proto3", "ZERO 0; ONE 1; TWO 5", BIN),
        ("proto3", "ZERO 0; ONE 1; TWO 2; DEUX 2", set()),
        ("proto2", "ONE 1; ZERO 0; TWO 2", {(NEW, MEANING), (OLD, MEANING)}),
    ],
)
@pytest.mark.parametrize("field", ["E e 1", "repeated E e 1", "map<string, E> e 1"])
def test_enum_changes(syntax: str, new: str, expected: set[tuple[Direction, DifferenceLevel]], field: str) -> None:
    if field != "E e 1":
        expected = {each for each in expected if each[1] is not MEANING}
    result = between(f"M: {field}\nenum E: ZERO 0; ONE 1; TWO 2", f"M: {field}\nenum E: {new}", syntax=syntax)
    assert breaking(result) == expected


def test_open_and_closed_enums_of_the_same_values_are_compatible() -> None:
    text = "M: E e 1; repeated E f 2\nenum E: ZERO 0; ONE 1"
    assert between(text, text, syntax="proto2", new_syntax="proto3").breaks == []


def test_the_witness_of_a_wider_integer_is_the_value_that_is_cut() -> None:
    found = only(between("M: int32 a 1", "M: int64 a 1"), OLD, BINARY)
    assert found.witness is not None
    assert (found.kind, found.witness.data) == (DifferenceKind.MISREAD, bytes.fromhex("088080808008"))
    assert (found.witness.old.text, found.witness.new.text) == ("a: -2147483648", "a: 2147483648")


def test_text_that_is_not_utf_8_is_rejected_with_a_reason() -> None:
    found = only(between("M: bytes a 1", "M: string a 1"), NEW, BINARY)
    assert found.witness is not None
    assert (found.kind, found.witness.data) == (DifferenceKind.REJECTED, b"\x0a\x01\xff")
    assert found.witness.new.text is None
    # The text is that of the installed protobuf.
    assert found.witness.new.fault


def test_a_break_in_a_nested_message_is_reported_once_for_its_own_type() -> None:
    outer = "Outer: repeated Inner inner 1; map<string, Inner> by_name 2\nInner: "
    result = between(outer + "string a 1", outer + "int32 a 1")
    assert {b.subject for b in result.breaks} == {"x.Inner.a"}


def test_messages_that_refer_to_themselves_are_compared() -> None:
    result = between("Node: Node next 1; string a 2", "Node: Node next 1; int32 a 2", syntax="proto2")
    assert {b.subject for b in result.breaks} == {"x.Node.a"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("string a 1", "string a 1; string b 2", Compatibility.FULL),
        ("int32 a 1", "int64 a 1", Compatibility.BACKWARD),
        ("int64 a 1", "int32 a 1", Compatibility.FORWARD),
        ("int64 a 1", "string a 1", Compatibility.NONE),
    ],
)
def test_compatibility_follows_from_the_breaks(old: str, new: str, expected: Compatibility) -> None:
    assert between(f"M: {old}", f"M: {new}").compatibility is expected


@pytest.mark.parametrize(
    ("kind", "before", "after", "witness"),
    [
        ("string", Limit(max=255), Limit(max=3), "a: 'aaaa'"),
        ("int32", Limit(min=0), Limit(min=1), "a: 0"),
        ("double", Limit(max=1), Limit(max=0.5), "a: 1"),
        ("string", Limit(), Limit(pattern="[a-z]*"), "a: 'A'"),
        ("string", Limit(), Limit(required=True), ""),
    ],
)
def test_a_tighter_limit_is_shown_by_a_value_at_its_edge(kind: str, before: Limit, after: Limit, witness: str) -> None:
    old, new = (model(f"M: {kind} a 1").schema().with_limits({"x.M.a": limit}) for limit in (before, after))
    found = compare(old, new)
    assert breaking(found) == {(NEW, RULES)}
    shown = found.breaks[0].witness
    assert shown is not None
    assert shown.old.fault is None
    assert text_format.Parse(witness, _message(old)) == text_format.Parse(shown.old.text or "", _message(old))
    assert breaking(compare(new, old)) == {(OLD, RULES)}


def test_unknown_rules_are_not_compared() -> None:
    limited = model("M: string a 1").schema().with_limits({"x.M.a": Limit(max=3)})
    result = compare(limited, model("M: string a 1").schema())
    assert (result.breaks, result.rules_compared) == ([], False)


def test_messages_of_another_package_are_matched_when_told() -> None:
    old = model("M: N n 1\nN: int32 a 1\nGone: int32 a 1", package="before").schema()
    new = model("M: N n 1\nN: string a 1\nMade: int32 a 1", package="after").schema()
    result = compare(old, new, renames=[(r"before\.(\w+)", r"after.\1")])
    assert {b.subject for b in result.breaks} == {"before.N.a", "after.N.a"}
    assert {n.subject for n in result.notes if n.kind is DifferenceKind.RENAMED} == {"before.M", "before.N"}
    assert (result.only_old, result.only_new) == (["before.Gone"], ["after.Made"])
    assert compare(old, new, renames=[(r"before\.Gone", "after.Made")]).only_old == ["before.M", "before.N"]


def test_messages_of_another_package_are_not_matched_by_a_guess() -> None:
    old, new = (
        Schema.from_files(
            "s", FileDescriptorSet(file=[model("Same: int32 a 1").file(), model(text, package=package).file()])
        )
        for package, text in (("a.v1", "Content: string path 1"), ("b.v1", "Content: int32 cents 1"))
    )
    result = compare(old, new)
    assert (result.breaks, result.notes, result.compared) == ([], [], 1)
    assert (result.only_old, result.only_new) == (["a.v1.Content"], ["b.v1.Content"])


@pytest.mark.parametrize(("new", "only"), [("N: int32 a 1", None), ("M: int32 a 1", "^nosuch")])
def test_nothing_compared_is_an_error(new: str, only: str | None) -> None:
    with pytest.raises(GatewayError, match="nothing was compared") as caught:
        compare(model("M: int32 a 1").schema(), model(new).schema(), only=only)
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "NOTHING_COMPARED")


@pytest.mark.parametrize(
    ("package", "unstable"), [("a.v1beta1", True), ("a.v1p2alpha", True), ("a.v1", False), ("va1beta1", False)]
)
def test_a_break_in_an_unstable_package_is_marked(package: str, unstable: bool) -> None:
    old, new = (model(text, package=package).schema() for text in ("M: int32 a 1", "M: int64 a 1"))
    assert {b.unstable for b in compare(old, new).breaks} == {unstable}


def test_only_selects_the_named_messages_and_those_reachable() -> None:
    old, new = "A: B b 1\nB: int32 x 1\nC: int32 x 1", "A: B b 1\nB: string x 1\nC: string x 1"
    schemas = model(old).schema(), model(new).schema()
    assert {b.message_type for b in compare(*schemas, only=r"\.A$").breaks} == {"x.B"}
    assert {b.message_type for b in compare(*schemas).breaks} == {"x.B", "x.C"}
    with pytest.raises(GatewayError) as caught:
        compare(*schemas, only="(")
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_a_schema_is_compatible_with_itself() -> None:
    schema = evolution(1).old.schema()
    result = compare(schema, schema)
    assert (result.breaks, result.notes) == ([], [])


@pytest.mark.parametrize("seed", range(25))
def test_every_witness_reads_as_reported(seed: int) -> None:
    evolved = evolution(seed)
    old = evolved.old.schema().with_limits(evolved.old_limits)
    new = evolved.new.schema().with_limits(evolved.new_limits)
    for found in compare(old, new).breaks:
        witness = found.witness
        if found.element is Element.RPC:
            # A call has no message, and requests of two types have no one type to read them as.
            continue
        assert witness is not None
        assert witness.old != witness.new
        for schema, reading in ((old, witness.old), (new, witness.new)):
            message = GetMessageClass(schema.messages[witness.message_type])()
            try:
                if found.level is DifferenceLevel.JSON:
                    json_format.Parse(witness.json or "", message, ignore_unknown_fields=True)
                else:
                    message.MergeFromString(witness.data)
            except (DecodeError, json_format.ParseError):
                assert reading.text is None
                assert reading.fault
                continue
            text = text_format.MessageToString(message, as_one_line=True, print_unknown_fields=True)
            assert reading.text is not None
            assert reading.text.partition("# default of")[0].rstrip() == text


def _message(schema: Schema) -> object:
    return GetMessageClass(next(iter(schema.messages.values())))()
