"""Schemas that protoc accepts are read in every runtime, and places, editions and packed messages are reported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import any_pb2, descriptor_pb2
from google.protobuf.descriptor_pb2 import Edition, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from gateway_entities.errors import GatewayError
from gateway_entities.wire import Direction, compare, load
from gateway_entities.wire.schemas.model.schema import Schema
from tests.wire.schemas.model import model

_ROOT = Path(__file__).resolve().parents[3]
_NAMED = [number for name, number in Edition.items() if name.removeprefix("EDITION_").startswith("20")]


def edition_file(edition: int, kind: int) -> FileDescriptorProto:
    file = FileDescriptorProto(name="x.proto", package="x", syntax="editions", edition=edition)
    file.message_type.add(name="M").field.add(name="a", number=1, label=1, type=kind)
    return file


def reads(edition: int) -> bool:
    try:
        DescriptorPool().AddSerializedFile(edition_file(edition, 5).SerializeToString())
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("edition", _NAMED)
def test_every_edition_that_the_runtime_knows_is_read(edition: int) -> None:
    if not reads(edition):
        # Some releases name an edition before they read it.
        with pytest.raises(GatewayError, match="edition"):
            Schema.from_files("s", FileDescriptorSet(file=[edition_file(edition, 5)]))
        return
    old, new = (Schema.from_files("s", FileDescriptorSet(file=[edition_file(edition, kind)])) for kind in (5, 3))
    assert [b.direction for b in compare(old, new).breaks] == [Direction.OLD_READS_NEW] * 2


def test_a_newer_edition_is_named() -> None:
    data = edition_file(Edition.EDITION_2023, 5).SerializeToString()
    # Field 14, the edition, of a year that no runtime knows.
    later = data.replace(b"\x70\xe8\x07", b"\x70\xce\x0f")
    assert later != data
    with pytest.raises(GatewayError, match=r"x\.proto has edition number 1998; .* up to 20") as caught:
        Schema.from_files("s", FileDescriptorSet(file=[FileDescriptorProto.FromString(later)]))
    assert caught.value.reason == "SCHEMA_UNREADABLE"


def test_both_implementations_of_protobuf_find_the_same() -> None:
    found = []
    for implementation in ("upb", "python"):
        environment = {
            **os.environ,
            "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": implementation,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = [sys.executable, "-m", "tests.wire.schemas.runtime_findings"]
        done = subprocess.run(command, env=environment, cwd=_ROOT, capture_output=True, text=True, check=True)
        found.append(done.stdout.splitlines())
    assert found[0] == found[1]
    assert len(found[0]) > 20
    assert found[0][-1] == "text that is not UTF-8 True"


def test_places_are_those_of_both_sources(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="needs grpcio-tools")
    texts = {
        "old": "message M {\n int32 a = 1;\n int32 gone = 2;\n}\nenum E {\n Z = 0;\n A = 1;\n}\n"
        "service S {\n rpc R(M) returns (M);\n}\n",
        "new": "\nmessage M {\n\n  int64 a = 1;\n}\nenum E { Z = 0;\n}\nservice S {}\n",
    }
    for side, text in texts.items():
        (tmp_path / side).mkdir()
        (tmp_path / side / "m.proto").write_text(f'syntax = "proto3";\npackage x;\n{text}')
    breaks = compare(load(tmp_path / "old"), load(tmp_path / "new")).breaks
    places = {b.subject: (b.old_place, b.new_place) for b in breaks}
    assert places == {
        "x.M.a": (("m.proto", 4), ("m.proto", 6)),
        # What is gone is shown at what held it.
        "x.M.gone": (("m.proto", 5), ("m.proto", 4)),
        "x.E.A": (("m.proto", 9), ("m.proto", 8)),
        "x.S.R": (("m.proto", 12), ("m.proto", 10)),
    }


def test_what_a_packed_message_is_called_is_reported_where_messages_are_packed() -> None:
    sides = [model("M: int32 a 1", package=package).file() for package in ("a", "b")]
    renames = [(r"a\.M", "b.M")]
    plain = [Schema.from_files("s", FileDescriptorSet(file=[file])) for file in sides]
    assert compare(*plain, renames=renames).breaks == []
    packed = FileDescriptorProto.FromString(any_pb2.DESCRIPTOR.serialized_pb)
    for file in sides:
        file.dependency.append(packed.name)
    found = compare(*(Schema.from_files("s", FileDescriptorSet(file=[packed, file])) for file in sides), renames=renames)
    assert {(b.rule, b.level.value, b.subject) for b in found.breaks} == {
        ("message-lost", "meaning", "a.M"),
        ("message-rejected", "json", "a.M"),
        ("message-lost", "meaning", "b.M"),
        ("message-rejected", "json", "b.M"),
    }
    witness = found.breaks[0].witness
    assert witness is not None
    assert any_pb2.Any.FromString(witness.data).type_url == "type.googleapis.com/a.M"


def test_what_a_runtime_cannot_represent_is_reported() -> None:
    file = FileDescriptorProto(name="x.proto", package="x", syntax="proto2")
    message = file.message_type.add(name="M")
    for number, name in enumerate(("a_b", "aB"), 1):
        message.field.add(name=name, number=number, label=1, type=descriptor_pb2.FieldDescriptorProto.TYPE_INT32)
    schema = Schema.from_files("s", FileDescriptorSet(file=[file]))
    assert compare(schema, schema).left_out == ["The JSON name of x.M.aB is also another field's; it is not compared."]


@pytest.mark.parametrize("text", ["enum E: Z 0", "M: int32 a 1"])
def test_a_schema_needs_no_message(text: str) -> None:
    schema = model(text).schema()
    assert compare(schema, schema).breaks == []
