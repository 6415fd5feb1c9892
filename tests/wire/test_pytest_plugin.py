"""The pytest plugin, configured as in another repository and run in a child process."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_entities import GatewayEndpointTag
from tests.messages import varint
from tests.wire.foreign_repository import ForeignRepository

CONFIGURATION = """
[pytest]
addopts = -p gateway_entities.wire.pytest_plugin
gateway_wire_messages = recorded
gateway_wire_schemas = {schema}
"""


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "recorded" / "deep").mkdir(parents=True)
    tag = GatewayEndpointTag("team", "search").to_bytes()
    (tmp_path / "recorded" / "GatewayEndpointTag.team.binpb").write_bytes(tag)
    (tmp_path / "recorded" / "deep" / "GatewayEndpointTag.other.binpb").write_bytes(tag)
    (tmp_path / "pytest.ini").write_text(CONFIGURATION.format(schema="gatewayentities.v1"))
    return tmp_path


def run(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    # Other plugins would only cost time.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    return subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)


def test_good_messages_and_schemas_pass(repository):
    result = run(repository)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 passed" in result.stdout


def test_an_invalid_message_fails_with_its_findings(repository):
    (repository / "recorded" / "GatewayEndpointTag.bad.binpb").write_bytes(b"\x0a\x09short")
    result = run(repository)
    assert result.returncode == 1
    assert "1 failed, 3 passed" in result.stdout
    assert "recorded/GatewayEndpointTag.bad.binpb" in result.stdout
    assert "wire/truncated" in result.stdout


def test_a_missing_folder_is_a_usage_error(repository):
    (repository / "recorded").rename(repository / "moved")
    result = run(repository)
    assert result.returncode == 4
    assert "gateway_wire_messages" in result.stderr


def test_an_incompatible_schema_fails_with_its_breaks(repository):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")
    folder = repository / "protos" / "gatewayentities" / "v1"
    folder.mkdir(parents=True)
    (folder / "endpoint.proto").write_text(
        'syntax = "proto3"; package gatewayentities.v1; message GatewayEndpointTag { optional int64 key = 1; }'
    )
    (repository / "pytest.ini").write_text(CONFIGURATION.format(schema="protos"))
    result = run(repository)
    assert result.returncode == 1
    assert "1 failed, 2 passed" in result.stdout
    assert "GatewayEndpointTag.key" in result.stdout


def test_an_id_that_is_printed_can_be_run_and_runs_alone(repository):
    (repository / "recorded" / "GatewayEndpointTag.bad.binpb").write_bytes(b"\x0a\x09short")
    listed = run(repository, "--collect-only").stdout.splitlines()
    ids = [line for line in listed if "::" in line]
    assert sorted(ids) == [
        "pytest.ini::gatewayentities.v1",
        "recorded/GatewayEndpointTag.bad.binpb::message",
        "recorded/GatewayEndpointTag.team.binpb::message",
        "recorded/deep/GatewayEndpointTag.other.binpb::message",
    ]
    chosen = run(
        repository, "pytest.ini::gatewayentities.v1", "recorded/GatewayEndpointTag.bad.binpb::message", "recorded/deep"
    )
    assert "1 failed, 2 passed" in chosen.stdout


def test_only_what_was_selected_runs(repository):
    (repository / "test_other.py").write_text("def test_other(): pass\n")
    assert "1 passed" in run(repository, "test_other.py").stdout
    assert "2 passed, 1 deselected" in run(repository, "--ignore=recorded/deep", "-k", "not team").stdout
    (repository / "pytest.ini").write_text(CONFIGURATION.format(schema="gatewayentities.v1") + "testpaths = test_other.py\n")
    assert "4 passed" in run(repository).stdout


def test_a_message_whose_name_is_no_type_fails_and_is_not_guessed(repository):
    (repository / "recorded" / "somebody.binpb").write_bytes(GatewayEndpointTag("team", "search").to_bytes())
    result = run(repository, "recorded/somebody.binpb")
    assert result.returncode == 1
    assert "the name starts with no message type; call it <Message>.<anything>.binpb; it looks like" in result.stdout


def test_a_folder_without_messages_is_a_usage_error(repository):
    for path in repository.rglob("*.binpb"):
        path.unlink()
    result = run(repository)
    assert result.returncode == 4
    assert "recorded has no message" in result.stderr


def test_a_schema_that_has_nothing_in_common_fails(repository):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")
    (repository / "protos").mkdir()
    (repository / "protos" / "other.proto").write_text('syntax = "proto3"; package other; message Other { int32 a = 1; }')
    (repository / "pytest.ini").write_text(CONFIGURATION.format(schema="protos"))
    result = run(repository, "pytest.ini")
    assert result.returncode == 1
    assert "1 failed" in result.stdout
    assert "Traceback" not in result.stdout


def test_messages_and_schemas_of_somebody_else(tmp_path):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")
    foreign = ForeignRepository(tmp_path)
    foreign.write("recorded/acme.v1.Order.one.binpb", b"\x0a\x01o\x12\x05\x0a\x03EUR")
    foreign.write("recorded/Money.bad.binpb", b"\x0a\x01\xff")
    foreign.write(
        "pytest.ini",
        "[pytest]\naddopts = -p gateway_entities.wire.pytest_plugin\ngateway_wire_messages = recorded\n"
        "gateway_wire_message_schema = proto\ngateway_wire_schemas = proto\ngateway_wire_against = main\n",
    )
    result = run(tmp_path)
    assert "1 failed, 2 passed" in result.stdout
    assert "recorded/Money.bad.binpb, as acme.v1.Money:" in result.stdout
    foreign.replace("proto/acme/v1/order.proto", "int32 quantity", "string quantity")
    result = run(tmp_path, "pytest.ini::proto")
    assert "1 failed" in result.stdout
    assert "acme.v1.Order.quantity" in result.stdout


def test_messages_in_every_format_are_checked(repository):
    good = GatewayEndpointTag("team", "search")
    data = good.to_bytes()
    recorded = {
        "GatewayEndpointTag.good.json": good.to_json().encode(),
        "GatewayEndpointTag.bad.json": b'{"key": 7}',
        "GatewayEndpointTag.good.hex": data.hex(" ").encode(),
        "GatewayEndpointTag.bad.hex": b"zz",
        "GatewayEndpointTag.good.b64": base64.b64encode(data),
        "GatewayEndpointTag.bad.b64": base64.b64encode(b"\x0a\x09short"),
        "GatewayEndpointTag.good.stream": varint(len(data)) + data,
        "GatewayEndpointTag.bad.stream": varint(len(data)) + data + b"\x09ab",
        "GatewayEndpointTag.none.delimited": b"",
        "somebody.json": good.to_json().encode(),
    }
    for name, content in recorded.items():
        (repository / "recorded" / name).write_bytes(content)
    result = run(repository)
    assert "6 failed, 7 passed" in result.stdout, result.stdout
    for text in (
        "recorded/GatewayEndpointTag.bad.json, as GatewayEndpointTag:\nerror json/value: ",
        "recorded/GatewayEndpointTag.bad.hex: it is not hexadecimal",
        "error wire/truncated at byte",
        "recorded/GatewayEndpointTag.bad.stream[1], as GatewayEndpointTag:",
        "recorded/GatewayEndpointTag.none.delimited: it is a stream without a message",
        "call it <Message>.<anything>.json; it looks like",
    ):
        assert text in result.stdout
    assert "Traceback" not in result.stdout


def test_files_that_are_not_checked_are_named(repository):
    (repository / "recorded" / "GatewayEndpointTag.team.txt").write_text("key: 'team'")
    (repository / "recorded" / ".gitattributes").write_text("*.binpb binary")
    (repository / "recorded" / "build").mkdir()
    shutil.copy(repository / "recorded" / "GatewayEndpointTag.team.binpb", repository / "recorded" / "build")
    (repository / "test_other.py").write_text("def test_other(): pass\n")
    result = run(repository)
    assert result.returncode == 0
    assert "gateway_wire_messages: 2 of the files in recorded are not checked" in result.stdout
    assert "GatewayEndpointTag.team.txt, build/GatewayEndpointTag.team.binpb" in result.stdout
    assert "not checked" not in run(repository, "test_other.py").stdout


def test_golden_vectors_are_messages_and_their_manifest_is_none(tmp_path):
    vectors = Path(__file__).parent / "vectors" / "HEAD"
    (tmp_path / "golden").mkdir()
    for name in ("manifest.json", "GatewayEndpointTag.full.json", "GatewayEndpointTag.full.binpb"):
        shutil.copy(vectors / name, tmp_path / "golden")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pytest.ini").write_text(
        "[pytest]\naddopts = -p gateway_entities.wire.pytest_plugin\ngateway_wire_messages = ../golden\n"
    )
    result = run(tmp_path / "project")
    assert "2 passed" in result.stdout, result.stdout + result.stderr
    assert "not checked" not in result.stdout


@pytest.mark.parametrize(
    ("table", "settings", "text"),
    [
        (
            "tool.pytest.ini_options",
            'gateway_wire_message_schema = ["proto"]',
            "gateway_wire_message_schema: it is one text",
        ),
        ("tool.pytest", 'gateway_wire_message_schema = ["proto"]', "gateway_wire_message_schema"),
        (
            "tool.pytest.ini_options",
            'gateway_wire_schemas = ["proto"]\ngateway_wire_against = ["main"]',
            "gateway_wire_against",
        ),
        ("tool.pytest.ini_options", "gateway_wire_messages = [1]", "gateway_wire_messages: it is a list of texts"),
        ("tool.pytest.ini_options", 'gateway_wire_merge_base = "perhaps"', "perhaps"),
        ("tool.pytest", "gateway_wire_merge_base = true", "gateway_wire_merge_base: it needs gateway_wire_against"),
    ],
)
def test_a_setting_of_another_type_is_a_usage_error(tmp_path, table, settings, text):
    options = "-p gateway_entities.wire.pytest_plugin"
    addopts = f'addopts = "{options}"' if table == "tool.pytest.ini_options" else f"addopts = {options.split()}"
    (tmp_path / "pyproject.toml").write_text(f"[{table}]\n{addopts}\n{settings}\n")
    result = run(tmp_path)
    assert result.returncode == 4, result.stdout + result.stderr
    assert text in result.stderr
    assert "Traceback" not in result.stderr + result.stdout


PULL_REQUEST = """
[pytest]
addopts = -p gateway_entities.wire.pytest_plugin
gateway_wire_schemas = proto
gateway_wire_against = main
"""


def test_a_schema_is_compared_with_the_merge_base_on_demand(tmp_path):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")
    foreign = ForeignRepository(tmp_path)
    foreign.branch("change")
    foreign.git("switch", "-q", "main")
    foreign.replace("proto/acme/v1/money.proto", "int64 units = 2;", "int64 units = 2;\n  int32 nanos = 3;")
    foreign.commit()
    foreign.git("switch", "-q", "change")
    foreign.replace("proto/acme/v1/money.proto", "int64 units = 2;", "int64 units = 2;\n  string note = 3;")
    foreign.write("pytest.ini", PULL_REQUEST)
    assert "1 failed" in run(tmp_path).stdout
    foreign.write("pytest.ini", PULL_REQUEST + "gateway_wire_merge_base = true\n")
    assert "1 passed" in run(tmp_path).stdout


def test_accepted_breaks_pass_until_their_end(tmp_path):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")
    foreign = ForeignRepository(tmp_path)
    foreign.replace("proto/acme/v1/order.proto", "int32 quantity", "string quantity")
    foreign.write("pytest.ini", PULL_REQUEST + "gateway_wire_ignore = accepted.toml\n")
    assert "cannot read the ignore file" in run(tmp_path).stdout
    entry = '[[ignore]]\nsubject = "acme.v1.Order.quantity"\nreason = "no reader is left"\nexpires = {}\n'
    foreign.write("accepted.toml", entry.format("2999-01-31"))
    assert "1 passed" in run(tmp_path).stdout
    foreign.write("accepted.toml", entry.format("2020-01-31"))
    result = run(tmp_path)
    assert "1 failed" in result.stdout
    assert "proto/acme/v1/order.proto:10: new reader of old data" in result.stdout
    assert "has ended on 2020-01-31" in result.stdout


def test_a_module_cannot_be_compared_with_a_commit(tmp_path):
    foreign = ForeignRepository(tmp_path)
    foreign.write("pytest.ini", PULL_REQUEST.replace("= proto", "= gatewayentities.v1"))
    result = run(tmp_path)
    assert "a module is in no commit" in result.stdout
    assert "Traceback" not in result.stdout


def test_what_passes_without_a_comparison_is_said(tmp_path):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")
    foreign = ForeignRepository(tmp_path)
    foreign.write("new/a.proto", 'syntax = "proto3"; message A { int32 a = 1; }')
    foreign.write("pytest.ini", PULL_REQUEST.replace("= proto", "= new"))
    result = run(tmp_path)
    assert "1 passed" in result.stdout
    assert "\npytest.ini::new: not compared: new is not in main (" in result.stdout
