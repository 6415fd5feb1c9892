"""Sources of schemas, and the errors for those that cannot be read."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.errors import Code, GatewayError
from gateway_entities.wire.schemas.compare import compare
from gateway_entities.wire.schemas.limits import Limit, limits_json, read_limits
from gateway_entities.wire.schemas.model.load import load
from gateway_entities.wire.schemas.model.schema import Schema
from gatewayentities.v1 import budget_pb2
from tests.wire.schemas.model import model


def descriptor_set() -> FileDescriptorSet:
    return FileDescriptorSet(file=[model("M: int32 a 1").file()])


def test_a_descriptor_set_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "schema.binpb").write_bytes(descriptor_set().SerializeToString())
    assert set(load(tmp_path / "schema.binpb").messages) == {"x.M"}


def test_files_may_be_in_any_order_and_without_those_of_the_runtime() -> None:
    user = FileDescriptorProto(name="user.proto", package="u", syntax="proto3")
    user.dependency.extend(["x.proto", "google/protobuf/timestamp.proto"])
    made = user.message_type.add(name="User")
    made.field.add(name="m", number=1, type=11, type_name=".x.M", label=1)
    made.field.add(name="at", number=2, type=11, type_name=".google.protobuf.Timestamp", label=1)
    schema = Schema.from_files("s", FileDescriptorSet(file=[user, *descriptor_set().file]))
    assert set(schema.messages) == {"u.User", "x.M"}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda f: f.dependency.append("missing.proto"), "missing.proto is imported, but is not in the schema"),
        (lambda f: f.dependency.append("x.proto"), "imports itself"),
        (lambda f: f.message_type.add(name="M"), "M"),
        (lambda f: f.ClearField("message_type"), "no message"),
    ],
)
def test_a_bad_descriptor_set_is_rejected_with_the_reason(change, text: str) -> None:
    files = descriptor_set()
    change(files.file[0])
    with pytest.raises(GatewayError, match=text) as caught:
        Schema.from_files("s", files)
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "SCHEMA_UNREADABLE")


@given(st.binary(max_size=80))
def test_random_bytes_are_rejected_as_a_schema(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.binpb"
    file.write_bytes(data)
    with pytest.raises(GatewayError):
        load(file)


def test_modules_are_loaded_with_the_limits_of_our_rules() -> None:
    package, module = load("gatewayentities.v1"), load(budget_pb2)
    assert set(module.messages) < set(package.messages)
    assert package.limits is not None
    assert package.limits["gatewayentities.v1.SetGatewayEndpointTagRequest.key"] == Limit(1, 250, required=True)
    assert package.limits["gatewayentities.v1.CreateGatewaySecretRequest.created_by"] == Limit(1, 255)
    assert package.limits["gatewayentities.v1.ListGatewayBudgetPoliciesRequest.max_results"] == Limit(0, 50_000)
    assert load("mlflow").limits is None


def test_a_tightened_limit_of_our_rules_is_a_break() -> None:
    now = load("gatewayentities.v1")
    name = "gatewayentities.v1.SetGatewayEndpointTagRequest.key"
    before = now.with_limits({**(now.limits or {}), name: Limit(1, 300, required=True)})
    found = compare(before, now).breaks
    assert [b.subject for b in found] == [name]


@pytest.mark.parametrize("source", ["no/such/file", "no_such_module", "json", "", "a b"])
def test_other_sources_are_rejected(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GatewayError):
        load(source)


def test_a_folder_of_protos_is_compiled_or_the_error_names_grpcio_tools(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "m.proto").write_text('syntax = "proto3"; package x; import "n.proto"; message M { N n = 1; }')
    (tmp_path / "n.proto").write_text('syntax = "proto3"; package x; message N { int32 a = 1; }')
    if importlib.util.find_spec("grpc_tools") is None:
        with pytest.raises(GatewayError, match="pip install grpcio-tools"):
            load(tmp_path)
        return
    assert set(load(tmp_path).messages) == {"x.M", "x.N"}
    assert set(load(tmp_path / "n.proto").messages) == {"x.N"}
    (tmp_path / "n.proto").write_text("message {")
    with pytest.raises(GatewayError, match=r"n\.proto"):
        load(tmp_path)


def test_limits_survive_a_file(tmp_path: Path) -> None:
    limits = {"x.M.a": Limit(1, 2.5, "[a-z]", required=True), "x.M.b": Limit()}
    (tmp_path / "limits.json").write_text(limits_json(limits))
    assert read_limits(tmp_path / "limits.json") == limits


@pytest.mark.parametrize(
    "text", ["", "[]", '{"a": 1}', '{"a": {"least": 1}}', '{"a": {"min": "1"}}', '{"a": {"pattern": "("}}']
)
def test_an_invalid_file_of_limits_is_rejected(tmp_path: Path, text: str) -> None:
    (tmp_path / "limits.json").write_text(text)
    with pytest.raises(GatewayError) as caught:
        read_limits(tmp_path / "limits.json")
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_a_message_set_without_known_extensions_that_becomes_ordinary_is_reported() -> None:
    sides: list[Schema] = []
    for is_set in (True, False):
        file = FileDescriptorProto(name="x.proto", package="x", syntax="proto2")
        message = file.message_type.add(name="M")
        message.extension_range.add(start=4, end=2**31 - 1 if is_set else 2**29)
        message.options.message_set_wire_format = is_set
        sides.append(Schema.from_files("s", FileDescriptorSet(file=[file])))
    assert "x.M is a MessageSet in one schema only" in compare(sides[0], sides[1]).left_out[0]
    assert not compare(sides[0], sides[0]).left_out
