"""Each kind of change in .proto files, and what it breaks."""

from __future__ import annotations

from typing import Any, cast

import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from gateway_entities.wire import DifferenceLevel
from gateway_entities.wire.schemas.model.schema import Schema
from gateway_entities.wire.schemas.rules import COMPARISON_RULES
from tests.wire.schemas.protos import Case, compared, compile_cases, expected, lines

pytest.importorskip("grpc_tools", reason="needs grpcio-tools")

TIME, ANY = 'import "google/protobuf/timestamp.proto"; ', 'import "google/protobuf/any.proto"; '
EXTENDED = "message M { extensions 100 to 200; } "
E10 = "enum E { Z = 0; A = 1; } "
AB = "message A { string a = 1; } message B { int32 a = 1; } "
DEFAULTS = "message A { optional int32 a = 1 [default = 5]; } message B { optional int32 a = 1 [default = 6]; } "
WRAPPERS = 'import "google/protobuf/wrappers.proto"; '
ENTRY = "message X { extend M { optional X e = 5; } }"
SAME = "message A { string a = 1; } message B { string a = 1; } "

CASES = {
    # Extensions are fields.
    "extension retyped": Case(
        EXTENDED + "extend M { optional uint32 e = 100; }",
        EXTENDED + "extend M { optional sint32 e = 100; }",
        "both binary extension-misread e; both json extension-rejected e",
        syntax="2",
    ),
    "extension removed": Case(
        EXTENDED + "extend M { optional uint32 e = 100; }", EXTENDED, "new binary|json extension-lost e", syntax="2"
    ),
    "extension added": Case(
        EXTENDED, EXTENDED + "extend M { optional uint32 e = 100; }", notes="old binary extension-new e", syntax="2"
    ),
    "extension renamed": Case(
        EXTENDED + "extend M { optional uint32 e = 100; }",
        EXTENDED + "extend M { optional uint32 f = 100; }",
        "new json extension-lost e; old json extension-lost f",
        syntax="2",
    ),
    "extension inside a message": Case(
        EXTENDED + "message N { extend M { repeated string e = 100; } }",
        EXTENDED + "message N { extend M { optional string e = 100; } }",
        "new binary extension-lost N.e; both json extension-rejected N.e",
        syntax="2",
    ),
    "extension of protobuf's options": Case(
        'import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { optional int32 o = 50000; }',
        'import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { optional string o = 50000; }',
        "both binary extension-lost o; both json extension-rejected o",
        syntax="2",
    ),
    # Services.
    "service removed": Case(
        "message A {} service S { rpc R(A) returns (A); }", "message A {}", "new calls service-unavailable S"
    ),
    "service added": Case(
        "message A {}", "message A {} service S { rpc R(A) returns (A); }", notes="old calls service-new S"
    ),
    "rpc removed": Case(
        "message A {} service S { rpc R(A) returns (A); rpc Q(A) returns (A); }",
        "message A {} service S { rpc R(A) returns (A); }",
        "new calls rpc-unavailable S.Q",
    ),
    "rpc renamed": Case(
        "message A {} service S { rpc R(A) returns (A); }",
        "message A {} service S { rpc Q(A) returns (A); }",
        "new calls rpc-unavailable S.R",
        "old calls rpc-new S.Q",
    ),
    "responses stream": Case(
        "message A {} service S { rpc R(A) returns (A); }",
        "message A {} service S { rpc R(A) returns (stream A); }",
        "both calls rpc-streaming S.R",
    ),
    "requests stream": Case(
        "message A {} service S { rpc R(stream A) returns (A); }",
        "message A {} service S { rpc R(A) returns (A); }",
        "both calls rpc-streaming S.R",
    ),
    "request type": Case(
        AB + "service S { rpc R(A) returns (A); }",
        AB + "service S { rpc R(B) returns (A); }",
        "both binary rpc-lost S.R; both json rpc-rejected S.R",
        "new calls rpc-renamed S.R",
    ),
    "response type with the same encoding": Case(
        SAME + "service S { rpc R(A) returns (A); }",
        SAME + "service S { rpc R(A) returns (B); }",
        notes="new calls rpc-renamed S.R",
    ),
    "no longer without side effects": Case(
        "message A {} service S { rpc R(A) returns (A) { option idempotency_level = NO_SIDE_EFFECTS; } }",
        "message A {} service S { rpc R(A) returns (A); }",
        "new calls rpc-unavailable S.R",
    ),
    "now without side effects": Case(
        "message A {} service S { rpc R(A) returns (A); }",
        "message A {} service S { rpc R(A) returns (A) { option idempotency_level = NO_SIDE_EFFECTS; } }",
        "old calls rpc-unavailable S.R",
    ),
    "idempotent": Case(
        "message A {} service S { rpc R(A) returns (A); }",
        "message A {} service S { rpc R(A) returns (A) { option idempotency_level = IDEMPOTENT; } }",
        notes="new calls rpc-idempotency S.R",
    ),
    # Enums.
    "value of an enum that no message uses": Case(
        E10, "enum E { Z = 0; }", "new json enum-value-lost E.A", "new binary enum-value-retired E.A"
    ),
    "value of an enum in an extension": Case(
        EXTENDED + E10 + "extend M { optional E e = 100; }",
        EXTENDED + "enum E { Z = 0; } extend M { optional E e = 100; }",
        "new binary|json enum-value-lost E.A",
        syntax="2",
    ),
    "alias removed": Case(
        "enum E { option allow_alias = true; Z = 0; A = 1; B = 1; } message M { E e = 1; }",
        E10 + "message M { E e = 1; }",
        "new json enum-value-lost E.B",
    ),
    "first alias removed": Case(
        "enum E { option allow_alias = true; Z = 0; A = 1; B = 1; } message M { repeated E e = 1; }",
        "enum E { Z = 0; B = 1; } message M { repeated E e = 1; }",
        "new json enum-value-lost E.A",
    ),
    "alias removed and reserved": Case(
        "enum E { option allow_alias = true; Z = 0; A = 1; B = 1; } message M { map<string, E> e = 1; }",
        'enum E { reserved "B"; Z = 0; A = 1; } message M { map<string, E> e = 1; }',
        notes="new json enum-value-retired E.B",
    ),
    "alias added": Case(
        E10 + "message M { E e = 1; }",
        "enum E { option allow_alias = true; Z = 0; A = 1; B = 1; } message M { E e = 1; }",
        notes="old json enum-value-new E.B",
    ),
    "enum closed": Case(
        E10 + "message M { E e = 2 [features.field_presence = EXPLICIT]; }",
        "enum E { option features.enum_type = CLOSED; Z = 0; A = 1; } message M { E e = 2; }",
        "new binary|json field-lost M.e",
        syntax="2023",
    ),
    "enum opened": Case(
        "enum E { option features.enum_type = CLOSED; Z = 0; A = 1; } message M { repeated E e = 2; }",
        E10 + "message M { repeated E e = 2; }",
        notes="old binary field-new M.e",
        syntax="2023",
    ),
    "another enum": Case(
        E10 + "enum F { FZ = 0; FA = 1; } message M { E e = 1; }",
        E10 + "enum F { FZ = 0; FA = 1; } message M { F e = 1; }",
        "both json field-lost M.e",
    ),
    # Names of JSON.
    "names of JSON exchanged": Case(
        'message M { string a = 1 [json_name = "p"]; string b = 2 [json_name = "q"]; }',
        'message M { string a = 1 [json_name = "q"]; string b = 2 [json_name = "p"]; }',
        "both json field-misread M.a; both json field-misread M.b",
    ),
    "name of JSON taken over": Case(
        'message M { string a = 1; string b = 2 [json_name = "q"]; }',
        'message M { string a = 1 [json_name = "q"]; string c = 3 [json_name = "a"]; }',
        "new binary field-lost M.b; new json field-misread M.a; new json field-misread M.b;"
        "old json field-misread M.a; old json field-misread M.c",
    ),
    # Well-known types have a JSON form of their own.
    "look-alike of a timestamp": Case(
        TIME + "message M { google.protobuf.Timestamp t = 1; }",
        "message Timestamp { int64 seconds = 1; int32 nanos = 2; } message M { Timestamp t = 1; }",
        "new json field-lost M.t; old json field-rejected M.t",
    ),
    "look-alike of Any": Case(
        ANY + "message M { google.protobuf.Any t = 1; }",
        "message Any { string type_url = 1; bytes value = 2; } message M { Any t = 1; }",
        "new json field-lost M.t; old json field-rejected M.t",
    ),
    "look-alike of a wrapper, in a list": Case(
        'import "google/protobuf/wrappers.proto"; message M { repeated google.protobuf.StringValue t = 1; }',
        "message W { string value = 1; } message M { repeated W t = 1; }",
        "new json field-lost M.t; old json field-rejected M.t",
    ),
    "look-alike of a struct, in a map": Case(
        'import "google/protobuf/struct.proto"; message M { map<string, google.protobuf.ListValue> t = 1; }',
        'import "google/protobuf/struct.proto"; message W { repeated google.protobuf.Value values = 1; } '
        "message M { map<string, W> t = 1; }",
        "both json field-rejected M.t",
    ),
    # Text.
    "text checked": Case(
        "message M { optional string s = 1; repeated string r = 2; }",
        "message M { optional string s = 1; repeated string r = 2; }",
        "new binary field-rejected M.s; new binary field-rejected M.r",
        syntax="2>3",
    ),
    "text of a map checked": Case(
        "message M { map<int32, string> v = 1; }",
        "message M { map<int32, string> v = 1; }",
        "new binary field-rejected M.v",
        syntax="2>3",
    ),
    "text no longer checked": Case(
        "message M { repeated string s = 1; }",
        "message M { repeated string s = 1; }",
        "old binary field-rejected M.s",
        syntax="3>2",
    ),
    "text of an edition no longer checked": Case(
        "message M { string s = 1; }",
        "message M { string s = 1 [features.utf8_validation = NONE]; }",
        "old binary field-rejected M.s",
        syntax="2023",
    ),
    "text of an extension of an edition no longer checked": Case(
        "message M { extensions 100 to 200; extend M { string e = 100; } }",
        "message M { extensions 100 to 200; extend M { string e = 100 [features.utf8_validation = NONE]; } }",
        "old binary extension-rejected M.e",
        syntax="2023",
    ),
    "an edition with the same encodings": Case(
        "message M { optional string s = 1; repeated int32 r = 2; }",
        "message M { string s = 1; repeated int32 r = 2; }",
        syntax="3>2023",
    ),
    # Reserved.
    "reservations removed": Case(
        'message M { reserved 2, 5 to 9; reserved "b"; string a = 1; }',
        "message M { reserved 2, 7; string a = 1; }",
        notes="new binary message-unreserved M",
    ),
    "reservations of an enum removed": Case(
        "enum E { reserved 2 to 4; Z = 0; }", "enum E { reserved 3; Z = 0; }", notes="new binary enum-unreserved E"
    ),
    "reservations in the middle of an enum's range removed": Case(
        "enum E { reserved 2 to 9; Z = 0; }", "enum E { reserved 2, 9; Z = 0; }", notes="new binary enum-unreserved E"
    ),
    "reservations of an enum split": Case(
        "enum E { reserved 2 to 9; Z = 0; }", "enum E { reserved 2 to 4, 5 to 9; Z = 0; }"
    ),
    "reservations split": Case(
        "message M { reserved 2 to 9; string a = 1; }", "message M { reserved 2 to 4, 5 to 9; string a = 1; }"
    ),
    # Pairs.
    "a field of another type": Case(
        AB + "message D { A t = 1; }",
        AB + "message D { B t = 1; }",
        "both binary field-lost D.t; both json field-rejected D.t",
    ),
    "a map of another type": Case(
        AB + "message D { map<string, A> t = 1; }",
        AB + "message D { map<string, B> t = 1; }",
        "both binary field-lost D.t; both json field-rejected D.t",
    ),
    "another type further in": Case(
        AB + "message C1 { A c = 1; } message C2 { B c = 1; } message D { repeated C1 t = 1; }",
        AB + "message C1 { A c = 1; } message C2 { B c = 1; } message D { repeated C2 t = 1; }",
        "both binary field-lost D.t; both json field-rejected D.t",
    ),
    "another type that refers to itself": Case(
        "message L { L next = 1; string a = 2; } message K { K next = 1; int32 a = 2; } message D { L t = 1; }",
        "message L { L next = 1; string a = 2; } message K { K next = 1; int32 a = 2; } message D { K t = 1; }",
        "both binary field-lost D.t; both json field-rejected D.t",
    ),
    "another type with another default": Case(
        DEFAULTS + "message D { optional A t = 1; } service S { rpc R(A) returns (A); }",
        DEFAULTS + "message D { optional B t = 1; } service S { rpc R(B) returns (A); }",
        "both meaning field-default D.t; both meaning rpc-default S.R",
        syntax="2",
    ),
    "an extension of another type with another default": Case(
        DEFAULTS + "message M { extensions 100; } extend M { optional A e = 100; }",
        DEFAULTS + "message M { extensions 100; } extend M { optional B e = 100; }",
        "both meaning extension-default e",
        syntax="2",
    ),
    "a request of another type without presence": Case(
        "message A { optional int32 a = 1; } message B { int32 a = 1; } service S { rpc R(A) returns (A); }",
        "message A { optional int32 a = 1; } message B { int32 a = 1; } service S { rpc R(B) returns (A); }",
        "new meaning rpc-presence S.R",
    ),
    "text in place of a message with required fields": Case(
        "message R { required int32 a = 1; } message M { optional string t = 1; }",
        "message R { required int32 a = 1; } message M { optional R t = 1; }",
        "new binary field-rejected M.t; old binary field-misread M.t; both json field-rejected M.t",
        syntax="2",
    ),
    "another type with the same encoding": Case(SAME + "message D { A t = 1; }", SAME + "message D { B t = 1; }"),
    "numbers exchanged, JSON the same": Case(
        "message A { int32 a = 1; } message B { int32 b = 1; } message M { A p = 1; B q = 2; }",
        "message A { int32 a = 1; } message B { int32 b = 1; } message M { B q = 1; A p = 2; }",
        "both binary field-misread M.p; both binary field-misread M.q",
    ),
    "a wrapper and its value, which are one in JSON": Case(
        WRAPPERS + "message M { google.protobuf.Int32Value a = 1; google.protobuf.StringValue b = 2; }",
        WRAPPERS + "message M { optional int32 a = 1; optional string b = 2; }",
        "both binary field-lost M.a; new binary field-misread M.b; old binary field-rejected M.b",
    ),
    # Schemas on which a comparison could fail.
    "a map, then a list of messages with a map inside": Case(
        "message N { string a = 1; map<string, string> b = 2; } message M { map<string, string> m = 1; }",
        "message N { string a = 1; map<string, string> b = 2; } message M { repeated N m = 1; }",
        "both binary field-misread M.m; both json field-rejected M.m",
    ),
    "a message that requires itself": Case(
        "message B { required B b = 1; } message M { optional B a = 1; }",
        "message B { required B b = 1; } message M { optional int32 a = 1; }",
        "old binary field-lost M.a; old json field-rejected M.a",
        syntax="2",
    ),
    "a message that comes to require itself": Case(
        "message M { optional M a = 1; }",
        "message M { required M a = 1; }",
        "new binary|json field-rejected M.a",
        syntax="2",
    ),
    "two messages that no longer require each other": Case(
        "message M { required N a = 1; } message N { required M b = 1; }",
        "message M { optional N a = 1; } message N { required M b = 1; }",
        "old binary|json field-rejected M.a",
        syntax="2",
    ),
    "a MessageSet that becomes an ordinary message": Case(
        "message M { option message_set_wire_format = true; extensions 4 to max; } " + ENTRY,
        "message M { extensions 4 to max; } " + ENTRY,
        "new binary extension-lost X.e",
        syntax="2",
    ),
    "a group": Case(
        "message M { optional group G = 1 { optional string a = 1; } }",
        "message M { optional group G = 1 { optional int32 a = 1; } }",
        "both binary field-lost M.G.a; both json field-rejected M.G.a",
        syntax="2",
    ),
    "a name of JSON that is a oneof's": Case(
        'message M { oneof reference { string uri = 1 [json_name = "reference"]; } }',
        'message M { oneof reference { int32 uri = 1 [json_name = "reference"]; } '
        "optional int32 n = 2; repeated int32 r = 3; }",
        "both binary field-lost M.uri; both json field-rejected M.uri",
        "old binary field-new M.n; old binary field-new M.r",
    ),
    "a name of JSON that is another field's": Case(
        'message M { string b = 2 [json_name = "a"]; string a = 1 [json_name = "b"]; }',
        'message M { string b = 2 [json_name = "a"]; }',
        "new binary field-lost M.a; new json field-misread M.a",
    ),
    "two fields of one name of JSON": Case(
        "message M { optional string a_b = 1; optional string aB = 2; }",
        "message M { optional string a_b = 1; optional int32 aB = 2; }",
        "both binary field-lost M.aB; both json field-rejected M.aB",
        syntax="2",
    ),
}


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Schema, Schema]]:
    return compile_cases(tmp_path_factory.mktemp("cases"), CASES)


def writes_its_extensions(schema: Schema) -> bool:
    message = GetMessageClass(schema.messages["x.M"])()
    cast("Any", message).Extensions[schema.extensions["x.N.e"]].append("a")
    return "[x.N.e]" in json_format.MessageToJson(message)


@pytest.mark.parametrize("name", CASES)
def test_a_change_breaks_what_it_breaks(schemas: dict[str, tuple[Schema, Schema]], name: str) -> None:
    case = CASES[name]
    if name == "extension inside a message" and not writes_its_extensions(schemas[name][0]):
        pytest.skip("this release of protobuf does not read the JSON that it writes of extensions inside messages")
    result = compared(schemas[name])
    assert lines(result.breaks) == expected(case.breaks)
    assert lines(result.notes) >= expected(case.notes)
    assert {d.rule for d in (*result.breaks, *result.notes)} <= COMPARISON_RULES.keys()
    # A call is not a message; everything else is shown by one.
    assert all((found.witness is None) == (found.level is DifferenceLevel.CALLS) for found in result.breaks)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_found_between_a_schema_and_itself(schemas: dict[str, tuple[Schema, Schema]], name: str) -> None:
    for schema in schemas[name]:
        result = compared((schema, schema))
        assert (result.breaks, result.notes) == ([], [])
