"""``gateway-entities wire check``: input formats, output formats and exit codes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway_entities.cli.app import cli
from gateway_entities.wire import RULES
from tests.messages import varint
from tests.wire.messages.samples import CANARY, ENDPOINT, SECRET, number, text

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run the command; its output must not show the secret."""

    def run(*arguments: str | Path, stdin: bytes = b"", code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["wire", "check", *map(str, arguments)], input=stdin)
        assert result.exit_code == code, result.output
        assert CANARY not in result.output
        return result

    return run


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("binary", ENDPOINT),
        ("hex", ENDPOINT.hex(" ").encode()),
        ("hex", b"0x" + ENDPOINT.hex().upper().encode() + b"\n"),
        ("base64", base64.encodebytes(ENDPOINT)),
        ("base64", base64.urlsafe_b64encode(ENDPOINT).rstrip(b"=")),
        ("stream", (varint(len(ENDPOINT)) + ENDPOINT) * 3),
    ],
)
def test_every_input_format(run: Run, form: str, data: bytes) -> None:
    assert "GatewayEndpoint: clean, canonical" in run("--input", form, "--type", "GatewayEndpoint", stdin=data).stdout
    assert "the type is a guess: 9 of" not in run("--input", form, stdin=data).stdout


@pytest.mark.parametrize(
    ("form", "kind", "text"),
    [
        ("hex", "GatewayEndpoint", ENDPOINT.hex()),
        ("base64", "GatewayEndpoint", base64.b64encode(ENDPOINT).decode()),
    ],
)
def test_a_byte_order_mark_is_no_part_of_a_text(run: Run, form: str, kind: str, text: str) -> None:
    arguments = ("--input", form, "--type", kind)
    assert run(*arguments, stdin=text.encode("utf-8-sig")).stdout == run(*arguments, stdin=text.encode()).stdout
    refused = run(*arguments, stdin=text.encode("utf-16"), code=2)
    assert "it is UTF-16 or binary, not UTF-8 text; save it as UTF-8" in refused.output


@pytest.mark.parametrize("data", [b"", b" ", b'\xef\xbb\xbf{"key": "k"}'])
def test_json_is_as_strict_as_its_parsers(run: Run, data: bytes) -> None:
    result = run("--input", "json", "--type", "GatewayEndpointTag", stdin=data, code=1)
    assert "[json/syntax]" in result.stdout


@pytest.mark.parametrize(
    "data",
    [
        {"secretName": "n", "secretValue": {"api_key": CANARY}},
        {"secret_name": "n", "secret_value": [{"key": "api_key", "value": CANARY}]},
    ],
)
def test_json_of_both_dialects(run: Run, data: object) -> None:
    text_of_json = json.dumps(data).encode()
    result = run("--input", "json", "--type", "mlflow.CreateGatewaySecret", stdin=text_of_json)
    assert result.stdout == "-: CreateGatewaySecretRequest: clean\n"
    assert "a guess" in run("--input", "json", stdin=text_of_json).stdout


def test_exit_codes(run: Run) -> None:
    warned = text(1, "k") + number(99, 1)
    run("--type", "GatewayEndpointTag", stdin=warned)
    run("--type", "GatewayEndpointTag", "--strict", stdin=warned, code=1)
    run("--type", "GatewayEndpointTag", "--strict", stdin=text(1, "k"))
    run("--type", "GatewayEndpointTag", stdin=b"\x0a", code=1)
    assert "does not exist" not in run("--type", "Nothing", code=2).stdout
    assert "No such file" in run("missing.binpb", code=2).stderr
    assert "not hexadecimal" in run("--input", "hex", stdin=b"xyz", code=2).stderr
    assert "not base64" in run("--input", "base64", stdin=b"a", code=2).stderr
    assert "specify it with --type" in run(stdin=b"", code=2).stderr


def test_a_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "GatewayEndpoint.full.binpb").write_bytes(ENDPOINT)
    (tmp_path / "inner" / "GatewayEndpointTag.bad.hex").write_text(text(1, "").hex())
    (tmp_path / "inner" / "notes.txt").write_text("not a message")
    result = run(tmp_path, code=1)
    assert "notes.txt" not in result.stdout
    assert f"not checked, as they have no suffix of messages: {tmp_path / 'inner' / 'notes.txt'}" in result.stderr
    assert json.loads(run(tmp_path, "--format", "json", code=1).stdout)["not_checked"] == [
        str(tmp_path / "inner" / "notes.txt")
    ]
    notifications = json.loads(run(tmp_path, "--format", "sarif", code=1).stdout)["runs"][0]["invocations"][0]
    assert [each["level"] for each in notifications["toolExecutionNotifications"]] == ["note"]
    assert "GatewayEndpoint.full.binpb: GatewayEndpoint: clean, canonical" in result.stdout
    assert "error at byte 0: key must be 1 to 250 characters, has 0 [rules/length]" in result.stdout
    (tmp_path / "broken.hex").write_text("0")
    assert "broken.hex" in run(tmp_path, code=2).stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "broken.hex").unlink()
    for arguments in ([empty], [tmp_path, empty]):
        assert f"error: {empty}: it contains no file with a suffix of messages" in run(*arguments, code=2).stderr


def test_a_stream_without_a_message_is_no_success(run: Run, tmp_path: Path) -> None:
    (tmp_path / "GatewayEndpointTag.none.stream").write_bytes(b"")
    assert "it is a stream without a message" in run(tmp_path / "GatewayEndpointTag.none.stream", code=2).stderr


def test_a_descriptor_set_in_json_is_no_message(run: Run, tmp_path: Path) -> None:
    (tmp_path / "image.json").write_text('{"file": [{"name": "a.proto", "messageType": [{"name": "A"}]}]}')
    assert "it is a descriptor set or a buf image" in run(tmp_path / "image.json", code=2).stderr


def test_offsets_in_a_stream_are_those_of_the_file(run: Run) -> None:
    good, bad = text(1, "k"), text(1, "k") + b"\x0e"
    stream = varint(len(good)) + good + varint(len(bad)) + bad + b"\x09ab"
    result = json.loads(
        run("--input", "stream", "--type", "GatewayEndpointTag", "--format", "json", stdin=stream, code=1).stdout
    )
    assert [(m["position"], m["offset"]) for m in result["messages"]] == [(0, 1), (1, 5), (2, 10)]
    found = [(f["rule"], f["offset"]) for m in result["messages"] for f in m["findings"]]
    assert ("wire/wire-type", 8) in found
    assert ("stream/truncated", 9) in found


def test_json_output(run: Run) -> None:
    stdin = ENDPOINT + number(99, 1) * 60 + b"\x18"
    result = json.loads(run("--format", "json", "--type", "GatewayEndpoint", stdin=stdin, code=1).stdout)
    (message,) = result["messages"]
    assert (message["message_type"], message["ok"], message["canonical"]) == ("GatewayEndpoint", False, False)
    assert message["more"] == {"wire/unknown-field": 10}
    assert message["findings"][-1] == {
        "severity": "error",
        "rule": "wire/truncated",
        "path": "",
        "offset": len(stdin) - 1,
        "message": message["findings"][-1]["message"],
    }


def test_sarif_output(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "GatewayEndpoint.a b.binpb"
    path.write_bytes(ENDPOINT + number(99, 1) * 60 + b"\x18")
    log = json.loads(run(path, tmp_path / "gone.binpb", "--format", "sarif", code=2).stdout)
    assert log["version"] == "2.1.0"
    (sarif,) = log["runs"]
    rules = [rule["id"] for rule in sarif["tool"]["driver"]["rules"]]
    assert set(rules) == {"wire/unknown-field", "wire/truncated"}
    for result in sarif["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] == RULES[result["ruleId"]].severity
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"].endswith("GatewayEndpoint.a%20b.binpb")
        assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("GatewayEndpoint")
    offsets = [r["locations"][0]["physicalLocation"].get("region", {}).get("byteOffset") for r in sarif["results"]]
    assert len(ENDPOINT) in offsets
    (invocation,) = sarif["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "gone.binpb" in invocation["toolExecutionNotifications"][0]["message"]["text"]


@pytest.mark.parametrize("output", ["text", "json", "sarif"])
def test_no_output_shows_a_secret(run: Run, output: str) -> None:
    for stdin in (SECRET, SECRET[:-1], SECRET * 2, SECRET + b"\x0e"):
        result = CliRunner().invoke(cli, ["wire", "check", "--format", output], input=stdin)
        assert CANARY not in result.output
