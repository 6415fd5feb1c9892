"""``gateway-entities wire inspect``."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from gateway_entities.cli.app import cli
from tests.messages import varint
from tests.wire.messages.samples import CANARY, ENDPOINT, SECRET, text


def run(*arguments: str, stdin: bytes, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["wire", "inspect", *arguments], input=stdin)
    assert result.exit_code == code, result.output
    assert CANARY not in result.output
    return result


def test_columns() -> None:
    lines = run("--type", "GatewayEndpoint", stdin=ENDPOINT).stdout.splitlines()
    assert lines[0] == '       0..5            1  endpoint_id: string = "e-1"'
    assert "model_mappings: GatewayEndpointModelMapping" in lines[4]


@pytest.mark.parametrize("arguments", [(), ("--type", "GatewayEndpoint"), ("--type", "CreateGatewaySecret")])
def test_json_lines_cover_the_input(arguments: tuple[str, ...]) -> None:
    for data in (ENDPOINT, SECRET, SECRET[:-2] + b"\xff"):
        result = CliRunner().invoke(cli, ["wire", "inspect", *arguments, "--json"], input=data)
        assert CANARY not in result.output
        pieces = [json.loads(line) for line in result.stdout.splitlines()]
        assert result.exit_code == any(piece["type"] == "unreadable" for piece in pieces)
        assert b"".join(data[piece["start"] : piece["end"]] for piece in pieces) == data


def test_a_stream_and_its_broken_end() -> None:
    stream = varint(3) + text(1, "k") + b"\x09ab"
    result = run("--input", "stream", "--type", "GatewayEndpointTag", stdin=stream, code=1)
    assert "message 0, 3 bytes from byte 1" in result.stdout
    assert "2 of its 9 bytes" in result.stderr


def test_bytes_that_are_no_message_are_shown_and_exit_with_1() -> None:
    assert "unreadable" in run(stdin=b"\x0a\x09short", code=1).stdout
    stream = varint(1) + b"\xff" + varint(3) + text(1, "k")
    assert "message 1, 3 bytes" in run("--input", "stream", stdin=stream, code=1).stdout


def test_vectors_that_cannot_be_written_exit_with_2() -> None:
    result = CliRunner().invoke(cli, ["wire", "vectors", "/dev/null/golden"])
    assert result.exit_code == 2
    assert result.stderr.startswith(("error: /dev/null/golden: ", "Usage:"))


def test_unreadable_input() -> None:
    assert "not hexadecimal" in run("--input", "hex", stdin=b"zz", code=2).stderr
    assert "JSON" in run("--input", "json", stdin=b"{}", code=2).stderr
    assert "no message type" in run("--type", "Nothing", stdin=b"", code=2).stderr
