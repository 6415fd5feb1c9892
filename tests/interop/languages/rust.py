"""Rust: prost's structs, prost-reflect's JSON, and tonic's clients."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.interop.language import ROOT, Language, Tool, run

SOURCE = ROOT / "tests" / "interop" / "rust"
FOLDERS = (ROOT / "proto", ROOT / "tests" / "interop" / "proto")


def build(cache: Path) -> list[str]:
    """Build the testee with cargo, with the versions of Cargo.lock.

    A compiler of protos in Rust would take longer to build than all else, so the build script gets the contract compiled.
    """
    fresh, descriptors = cache / "fresh.binpb", cache / "descriptors.binpb"
    files = [path for folder in FOLDERS for path in sorted(folder.rglob("*.proto"))]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", "--include_imports", f"--descriptor_set_out={fresh}"]
    run([*protoc, *(f"--proto_path={folder}" for folder in FOLDERS), *files], ROOT)
    # Cargo goes by its time.
    if not descriptors.exists() or descriptors.read_bytes() != fresh.read_bytes():
        fresh.replace(descriptors)
    environment = {"TESTEE_DESCRIPTORS": str(descriptors)}
    run(["cargo", "build", "--locked", "--jobs", "2", "--target-dir", cache], SOURCE, environment)
    return [str(cache / "debug" / "testee")]


LANGUAGE = Language(
    name="rust",
    needs=(Tool("cargo", "rustup toolchain install stable", minimum=(1, 88)),),
    build=build,
    targets=("grpc",),
)
