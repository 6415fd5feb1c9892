"""The compilers, and the contract as they read it."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

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
    """Return our proto files, by name, with the comments that the compiled stubs no longer have."""
    script = ROOT / "proto" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", script)
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    image = tmp_path_factory.mktemp("contract") / "contract.binpb"
    sources = sorted(path.relative_to(generate.PROTO).as_posix() for path in generate.PROTO.rglob("*.proto"))
    python = generate.compiler_environment() / "python"
    options = [f"--proto_path={generate.PROTO}", "--include_source_info", f"--descriptor_set_out={image}"]
    subprocess.run([python, "-m", "grpc_tools.protoc", *options, *sources], check=True)
    return {file.name: file for file in FileDescriptorSet.FromString(image.read_bytes()).file}
