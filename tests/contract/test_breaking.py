"""buf's rules hold, and a breaking change is detected."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BASELINE = ROOT / "proto" / "baseline.binpb"

Run: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]
Edits: TypeAlias = dict[str, str]

# Changes: the file, the old and new text, and the rule that must fail.
BREAKING: dict[str, tuple[str, Edits, str]] = {
    "a type, in the same encoding": ("budget", {"optional int32 value": "optional int64 value"}, "FIELD_SAME_TYPE"),
    "a type, in another encoding": (
        "secret",
        {"optional string secret_id = 1;": "optional bool secret_id = 1;"},
        "FIELD_SAME_TYPE",
    ),
    "a field removed": ("endpoint", {"  optional string experiment_id = 11;\n": ""}, "FIELD_NO_DELETE"),
    "a field removed, its name not reserved": (
        "endpoint",
        {"  optional string experiment_id = 11;\n": "  reserved 11;\n"},
        "FIELD_NO_DELETE_UNLESS_NAME_RESERVED",
    ),
    "a field renamed": ("endpoint", {"string experiment_id = 11;": "string experiment = 11;"}, "FIELD_SAME_NAME"),
    "a field renumbered": ("endpoint", {"string experiment_id = 11;": "string experiment_id = 13;"}, "FIELD_NO_DELETE"),
    "a JSON name": ("endpoint", {"experiment_id = 11;": 'experiment_id = 11 [json_name = "exp"];'}, "FIELD_SAME_JSON_NAME"),
    "a list made single": ("endpoint", {"repeated GatewayEndpointTag tags": "GatewayEndpointTag tags"}, "CARDINALITY"),
    "a retired number freed": ("endpoint", {"  reserved 4;\n": ""}, "RESERVED_MESSAGE_NO_DELETE"),
    "an enum value renamed": ("endpoint", {"  SEQUENTIAL = 1;": "  IN_ORDER = 1;"}, "ENUM_VALUE_SAME_NAME"),
    "an enum value removed": ("endpoint", {"  SEQUENTIAL = 1;\n": ""}, "ENUM_VALUE_NO_DELETE"),
    "an enum renamed": (
        "endpoint",
        {"enum FallbackStrategy {": "enum Strategy {", "optional FallbackStrategy ": "optional Strategy "},
        "PACKAGE_ENUM_NO_DELETE",
    ),
    "an RPC renamed": ("binding", {"rpc DeleteGatewayEndpointBinding(": "rpc Unbind("}, "RPC_NO_DELETE"),
    "an RPC's response": (
        "binding",
        {"returns (DeleteGatewayEndpointBindingResponse)": "returns (GatewayEndpointBinding)"},
        "RPC_SAME_RESPONSE_TYPE",
    ),
    "an RPC no longer safe to repeat": (
        "binding",
        {"option idempotency_level = NO_SIDE_EFFECTS;": ""},
        "RPC_SAME_IDEMPOTENCY_LEVEL",
    ),
    "a service renamed": ("binding", {"service BindingService {": "service LinkService {"}, "PACKAGE_SERVICE_NO_DELETE"),
    "a message renamed": (
        "binding",
        {"DeleteGatewayEndpointBindingResponse": "Nothing"},
        "PACKAGE_MESSAGE_NO_DELETE",
    ),
}
COMPATIBLE: dict[str, tuple[str, Edits]] = {
    "a field": (
        "secret",
        {"message DeleteGatewaySecretResponse {": "message DeleteGatewaySecretResponse {\n  optional string note = 1007;\n"},
    ),
    "an enum value": ("endpoint", {"  SEQUENTIAL = 1;": "  SEQUENTIAL = 1;\n  AT_RANDOM = 2;"}),
    "a message": (
        "secret",
        {"message DeleteGatewaySecretResponse {": "message Another {}\nmessage DeleteGatewaySecretResponse {"},
    ),
    "a comment": ("binding", {"// GatewayEndpointBinding records that": "// A GatewayEndpointBinding records that"}),
    "a removed field, both its name and number reserved": (
        "binding",
        {"  optional string display_name = 10;\n": '  reserved 10;\n  reserved "display_name";\n'},
    ),
}


@pytest.fixture
def compare(tmp_path: Path, buf: Run) -> Run:
    """Return a function that edits a copy of the contract and compares the copy with the baseline."""
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    shutil.copy(ROOT / "buf.yaml", tmp_path)

    def run(noun: str, edits: Edits) -> subprocess.CompletedProcess[str]:
        source = tmp_path / "proto" / "gatewayentities" / "v1" / f"{noun}.proto"
        text = source.read_text()
        for old, new in edits.items():
            assert old in text
            text = text.replace(old, new)
        source.write_text(text)
        return buf("breaking", "--against", BASELINE, "--error-format", "json", folder=tmp_path)

    return run


def test_the_protos_pass_lint(buf: Run) -> None:
    result = buf("lint")
    assert result.returncode == 0, result.stdout + result.stderr


def test_nothing_breaks_the_baseline(buf: Run) -> None:
    result = buf("breaking", "--against", BASELINE)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("noun", "edits", "rule"), BREAKING.values(), ids=BREAKING)
def test_a_breaking_change_is_caught(compare: Run, noun: str, edits: Edits, rule: str) -> None:
    result = compare(noun, edits)
    assert result.returncode != 0
    assert rule in result.stdout, result.stdout + result.stderr


def test_a_package_renamed_is_caught(compare: Run, tmp_path: Path) -> None:
    for source in tmp_path.glob("proto/gatewayentities/v1/*.proto"):
        source.write_text(source.read_text().replace("package gatewayentities.v1;", "package gatewayentities.v1.x;"))
    result = compare("binding", {})
    assert result.returncode != 0
    assert "FILE_SAME_PACKAGE" in result.stdout, result.stdout + result.stderr


@pytest.mark.parametrize(("noun", "edits"), COMPATIBLE.values(), ids=COMPATIBLE)
def test_a_compatible_change_passes(compare: Run, noun: str, edits: Edits) -> None:
    result = compare(noun, edits)
    assert result.returncode == 0, result.stdout + result.stderr
