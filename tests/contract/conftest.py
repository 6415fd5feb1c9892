"""Fixtures: the compilers and the compiled contract."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from generators.compilers import protoc

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def buf(tool: Callable[[str, str], Path]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs buf in a folder; without buf the test is skipped."""
    program = tool("buf", "npm install -g @bufbuild/buf")

    def run(*arguments: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, FileDescriptorProto]:
    """Return our proto files by name, with their comments, which the stubs do not have."""
    image = tmp_path_factory.mktemp("contract") / "contract.binpb"
    protoc("--include_source_info", f"--descriptor_set_out={image}")
    return {file.name: file for file in FileDescriptorSet.FromString(image.read_bytes()).file}
