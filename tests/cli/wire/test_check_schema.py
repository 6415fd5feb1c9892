"""``gateway-entities wire check`` and ``inspect`` with a schema of the user's own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from google.protobuf import any_pb2, descriptor_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway_entities.cli.app import cli
from tests.wire.foreign_repository import MONEY, ORDER, ForeignRepository
from tests.wire.messages.samples import number, old_type, tag, text

Run = Callable[..., Result]
INNER = text(1, "type.example/tests.wire.Inner")


def run(command: str, *arguments: str | Path, stdin: bytes = b"", code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["wire", command, *map(str, arguments)], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """A descriptor set with a proto2 message."""
    files = FileDescriptorSet()
    for file in (any_pb2.DESCRIPTOR, old_type().DESCRIPTOR.file):
        file.CopyToProto(files.file.add())
    path = tmp_path / "schema.binpb"
    path.write_bytes(files.SerializeToString())
    return path


def test_a_folder_of_protos(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")
    for name, content in (("order", ORDER), ("money", MONEY)):
        path = tmp_path / "proto" / "acme" / "v1" / f"{name}.proto"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    (recorded / "Order.good.binpb").write_bytes(text(1, "o") + text(2, text(1, "EUR") + number(2, 5)))
    (recorded / "acme.v1.Money.bad.binpb").write_bytes(text(1, b"\xff"))
    result = run("check", recorded, "--schema", tmp_path / "proto", code=1)
    assert "Order.good.binpb: acme.v1.Order: clean, canonical\n" in result.stdout
    assert "acme.v1.Money: 1 error" in result.stdout
    assert "The contract's rules" not in result.stdout
    (recorded / "other.binpb").write_bytes(b"")
    assert (
        "its type is unknown; name it <Message>.<anything>.binpb"
        in run("check", recorded, "--schema", tmp_path / "proto", code=2).stderr
    )


def test_a_module() -> None:
    result = run("check", "--schema", "google.protobuf.descriptor_pb2", "--type", "UninterpretedOption.NamePart", code=1)
    assert result.stdout.splitlines() == [
        "-: google.protobuf.UninterpretedOption.NamePart: 2 errors, canonical",
        "  error at byte 0: name_part is required and absent; write it [schema/required]",
        "  error at byte 0: is_extension is required and absent; write it [schema/required]",
    ]


def test_a_message_of_another_schema_needs_no_schema_option_if_its_type_is_loaded() -> None:
    name = descriptor_pb2.UninterpretedOption.NamePart.DESCRIPTOR.full_name
    assert "schema/required" in run("check", "--type", name, code=1).stdout
    result = run("check", "--type", "google.protobuf.FieldMask", "--input", "json", stdin=b'{"paths":["a"]}', code=1)
    assert "the message must be a string, not an object [json/value]" in result.stdout
    assert (
        "clean"
        in run("check", "--type", "google.protobuf.Timestamp", "--input", "json", stdin=b'"2024-05-01T00:00:00Z"').stdout
    )


def test_what_merges_and_what_is_overwritten(schema: Path) -> None:
    data = text(2, text(1, "a")) + text(2, text(2, "b")) + text(4, "a") + text(5, "b")
    result = run("check", "--schema", schema, "--type", "Old", stdin=data)
    assert "inner occurs again, and readers merge it with the one before" in result.stdout
    assert "right replaces left: both are of the oneof choice, and readers keep the last" in result.stdout


def test_groups_and_extensions_are_known(schema: Path) -> None:
    data = tag(6, 3) + number(1, 5) + tag(6, 4) + text(100, "x") + tag(101, 3) + number(1, 5) + tag(101, 4)
    # Runtimes differ in their order of extensions.
    assert re.search(r": clean(, canonical)?\n", run("check", "--schema", schema, "--type", "Old", stdin=data).stdout)
    shown = run("inspect", "--schema", schema, "--type", "Old", stdin=data).stdout
    assert "pair: Pair" in shown
    assert '[tests.wire.more]: string = "x"' in shown
    assert "a: int32 = 5" in shown


def test_the_payload_of_an_any(schema: Path) -> None:
    good = text(3, INNER + text(2, text(1, "a") + text(2, "b")))
    assert "clean, canonical" in run("check", "--schema", schema, "--type", "Old", stdin=good).stdout
    shown = run("inspect", "--schema", schema, "--type", "Old", stdin=good).stdout
    assert "value: tests.wire.Inner  [the payload]" in shown
    assert 'note: string = "b"' in shown
    late = text(3, text(2, text(1, "a") + number(9, 1)) + INNER)
    result = run("check", "--schema", schema, "--type", "Old", stdin=late)
    assert "any.value.#9 (Inner, field 9) is not in the schema" in result.stdout


def test_json_of_every_kind(schema: Path) -> None:
    def check(value: object, code: int = 0) -> str:
        return run(
            "check", "--schema", schema, "--type", "Old", "--input", "json", stdin=json.dumps(value).encode(), code=code
        ).stdout

    good = {"text": "a", "pair": [{"a": "5"}], "[tests.wire.more]": "x", "any": {"@type": "a/tests.wire.Inner", "id": "1"}}
    assert "clean" in check(good)
    assert "inner.id is required and absent" in check({"inner": {"note": "x"}}, 1)
    assert "and left are both of choice" in check({"left": "a", "right": "b"}, 1)
    assert "any.colour is not a field of tests.wire.Inner" in check({"any": {"@type": "a/tests.wire.Inner", "colour": 1}}, 1)
    assert "pair[0].a must be -2147483648 to 2147483647" in check({"pair": [{"a": 2**31}]}, 1)


@pytest.mark.parametrize(
    ("arguments", "text_of_error"),
    [
        (["--schema", "nosuch.module", "--type", "X"], "cannot read the schema nosuch.module"),
        (["--schema", "no/such/file", "--type", "X"], "there is no such file. Valid: a folder of .proto files"),
        (["--schema", "{schema}", "--type", "Nothing"], "no message type is named 'Nothing' in {schema}"),
        (["--schema", "{schema}", "--type", "old"], "similar: tests.wire.Old"),
        (["--schema", "{schema}"], "its type is unknown"),
        (["--schema", "{garbage}", "--type", "X"], "it is neither a FileDescriptorSet nor a buf image"),
    ],
)
def test_every_bad_schema_is_a_clear_error(schema: Path, tmp_path: Path, arguments: list[str], text_of_error: str) -> None:
    garbage = tmp_path / "garbage.binpb"
    garbage.write_bytes(b"\x0e\xff")
    given = [each.format(schema=schema, garbage=garbage) for each in arguments]
    for command in ("check",) if len(given) == 2 else ("check", "inspect"):
        assert text_of_error.format(schema=schema) in run(command, *given, code=2).stderr


def test_a_descriptor_set_is_not_taken_for_a_message(schema: Path) -> None:
    assert "it is a descriptor set or a buf image, not a message" in run("check", schema, code=2).stderr


def test_a_folder_of_golden_vectors_is_checked_beside_its_manifest(tmp_path: Path) -> None:
    run("vectors", tmp_path)
    result = CliRunner().invoke(cli, ["wire", "check", str(tmp_path)])
    assert "manifest" not in result.output
    assert "GatewayEndpointTag.full.json: GatewayEndpointTag: clean" in result.output


@pytest.mark.parametrize("command", ["check", "inspect"])
def test_protobufs_text_format_is_not_taken_for_bytes(tmp_path: Path, command: str) -> None:
    path = tmp_path / "GatewayEndpointTag.txtpb"
    path.write_text('key: "k"', encoding="utf-8")
    assert "it is in protobuf's text format, which is not read; convert it" in run(command, path, code=2).stderr


def hooks() -> dict[str, list[str]]:
    """Return the entry of each hook of pre-commit, with its default arguments."""
    text = (Path(__file__).resolve().parents[3] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for hook in re.split(r"^- id: ", text, flags=re.MULTILINE)[1:]:
        entry, arguments = (re.search(rf"^  {key}: (.*)$", hook, re.MULTILINE) for key in ("entry", "args"))
        assert entry is not None
        given = [] if arguments is None else arguments[1].strip("[]").split(", ")
        found[hook.splitlines()[0]] = [*entry[1].split(), *given]
    return found


def test_the_hook_of_pre_commit_does_not_guess(tmp_path: Path) -> None:
    entry = hooks()["gateway-entities-wire-check"]
    assert entry[:3] == ["gateway-entities", "wire", "check"]
    other = tmp_path / "somebody.else.binpb"
    other.write_bytes(text(1, "e-1"))
    assert "its type is unknown" in run("check", *entry[3:], other, code=2).stderr
    named = tmp_path / "GatewayEndpointTag.binpb"
    named.write_bytes(text(1, "k"))
    run("check", *entry[3:], named)


def test_the_hook_of_pre_commit_compares_with_the_last_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")
    repository = ForeignRepository(tmp_path)
    monkeypatch.chdir(tmp_path)
    entry = hooks()["gateway-entities-wire-compare"]
    assert entry[:3] == ["gateway-entities", "wire", "compare"]
    run("compare", *entry[3:], "proto")
    repository.replace("proto/acme/v1/order.proto", "int32 quantity = 4;", "string quantity = 4;")
    repository.git("add", "--all")
    assert "compatibility: NONE" in run("compare", *entry[3:], "proto", code=1).stdout
