"""``gateway-entities wire compare``: text, JSON and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from gateway_entities.cli.wire.compare import compare
from gateway_entities.wire.schemas.limits import Limit, limits_json
from tests.wire.schemas.model import model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"old": "M: int32 a 1", "more": "M: int32 a 1; string b 2", "other": "M: string a 1"}.items():
        (tmp_path / name).write_bytes(FileDescriptorSet(file=[model(text).file()]).SerializeToString())
    return tmp_path


def run(folder: Path, old: str, new: str, *options: str) -> Result:
    return CliRunner().invoke(compare, [str(folder / old), str(folder / new), *options])


def test_nothing_breaks(folder: Path) -> None:
    result = run(folder, "old", "more")
    assert result.exit_code == 0
    assert "compatibility: FULL: upgrade in any order" in result.output
    assert "note [binary, old reader of new data] x.M.b (2) is new" in result.output


def test_a_break_is_shown_in_hex_text_and_json_with_both_readings(folder: Path) -> None:
    result = run(folder, "old", "other")
    assert result.exit_code == 1
    for line in (
        "hex      08 01",
        'json     {"a": 1}',
        "old reads  text a: 1",
        "new reads  text 1: 1",
        "new reads  json {}",
    ):
        assert line in result.output
    assert "compatibility: NONE" in result.output


def test_the_order_of_the_roll_out_is_printed(folder: Path) -> None:
    (folder / "wide").write_bytes(FileDescriptorSet(file=[model("M: int64 a 1").file()]).SerializeToString())
    assert "compatibility: BACKWARD: upgrade readers first" in run(folder, "old", "wide").output
    assert "compatibility: FORWARD: upgrade writers first" in run(folder, "wide", "old").output


def test_json_output(folder: Path) -> None:
    result = run(folder, "old", "other", "--format", "json")
    data = json.loads(result.output)
    assert result.exit_code == 1
    assert (data["compatible"], data["advice"]) == (False, "none")
    assert data["verdicts"]["new_reads_old"] == {
        "binary": "breaks",
        "json": "breaks",
        "rules": "not compared",
        "meaning": "ok",
        "calls": "not compared",
    }
    assert data["breaks"][0]["witness"]["hex"] == "0801"
    assert data["breaks"][0]["witness"]["new"] == {"text": "1: 1", "json": "{}", "fault": None}


def test_limits_are_read_from_files(folder: Path) -> None:
    for name, most in (("wide", 9), ("tight", 3)):
        (folder / name).write_text(limits_json({"x.M.a": Limit(max=most)}))
    files = ["--old-limits", str(folder / "wide"), "--new-limits", str(folder / "tight")]
    result = run(folder, "old", "old", *files, "--save-limits", str(folder / "saved"))
    assert result.exit_code == 1
    assert "rejected: x.M.a breaks the reader's limit (max 3; the writer's: max 9)" in result.output
    assert (folder / "saved").read_text() == (folder / "tight").read_text()


@pytest.mark.parametrize(
    "options", [["old", "missing"], ["old", "old", "--only", "("], ["old", "old", "--old-limits", "/none"]]
)
def test_unreadable_input_is_exit_code_2(folder: Path, options: list[str]) -> None:
    result = run(folder, *options)
    assert result.exit_code == 2
    assert "error: " in result.stderr


@pytest.mark.parametrize(
    ("renames", "text"),
    [
        (
            [("y\\.(.*)", "x.\\1")],
            "pairs nothing: no old message, enum or service has a full name that it matches as a whole.",
        ),
        ([("M", "x.M")], "no old message, enum or service has a full name that it matches as a whole."),
        ([("x\\.M", "x.N")], "pairs nothing: none of the new messages is named x.N."),
        ([("x\\.M", "x.M"), (".*", "x.M")], "'.*' to 'x.M' pairs nothing: renames before it apply to what it matches."),
    ],
)
def test_a_rename_that_pairs_nothing_is_named(folder: Path, renames: list[tuple[str, str]], text: str) -> None:
    options = [part for rename in renames for part in ("--rename", *rename)]
    result = run(folder, "old", "more", *options)
    assert result.exit_code == 0
    assert text in result.output
    assert text in " ".join(json.loads(run(folder, "old", "more", *options, "--format", "json").output)["remarks"])


def test_a_rename_that_pairs_something_is_not_named(folder: Path) -> None:
    assert "pairs nothing" not in run(folder, "old", "more", "--rename", "x\\.(.*)", "x.\\1").output


def test_schemas_with_nothing_in_common_are_named_with_their_packages(folder: Path) -> None:
    inner = model("N: int32 a 1").file()
    inner.package = "y.v1"
    inner.message_type[0].nested_type.add(name="Inner").nested_type.add(name="Deep")
    (folder / "nested").write_bytes(FileDescriptorSet(file=[inner]).SerializeToString())
    enums = FileDescriptorProto(name="e.proto", package="z.v1", syntax="proto3")
    enums.enum_type.add(name="E").value.add(name="ZERO", number=0)
    (folder / "enums").write_bytes(FileDescriptorSet(file=[enums]).SerializeToString())
    assert "(packages x, and y.v1)" in run(folder, "old", "nested").stderr
    assert "(packages z.v1, and y.v1)" in run(folder, "enums", "nested").stderr


def test_a_service_that_is_removed_or_added_was_compared(folder: Path) -> None:
    file = model("M: int32 a 1").file()
    rpc = file.service.add(name="S").method.add(name="R")
    rpc.input_type = rpc.output_type = ".x.M"
    (folder / "service").write_bytes(FileDescriptorSet(file=[file]).SerializeToString())

    def calls(old: str, new: str, code: int) -> list[str]:
        result = run(folder, old, new, "--format", "json", "--level", "calls")
        assert result.exit_code == code
        verdicts = json.loads(result.output)["verdicts"]
        return [verdicts[direction]["calls"] for direction in ("new_reads_old", "old_reads_new")]

    assert calls("service", "old", 1) == ["breaks", "ok"]
    assert calls("old", "service", 0) == ["ok", "ok"]
    # Without a service nothing was compared, so nothing is compatible.
    result = run(folder, "old", "more", "--level", "calls")
    assert result.exit_code == 2
    assert "neither schema has one" in result.stderr
    assert run(folder, "old", "more", "--level", "calls", "--level", "binary").exit_code == 0


def test_a_folder_whose_name_protoc_splits_is_named(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")
    path = tmp_path / "12:30" / "a.proto"
    path.parent.mkdir()
    path.write_text('syntax = "proto3"; message A {}', encoding="utf-8")
    result = CliRunner().invoke(compare, [str(path.parent), str(path.parent)])
    assert result.exit_code == 2
    assert "protoc splits paths at ':', which" in result.output
