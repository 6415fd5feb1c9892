"""The pytest plugin, configured as in another repository and run in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_entities import GatewayEndpointTag

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


def run(repository: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(repository)]
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
