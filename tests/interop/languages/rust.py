"""Rust: prost's structs, prost-reflect's JSON, and tonic's clients."""

from __future__ import annotations

from pathlib import Path

from tests.interop.descriptors import descriptors
from tests.interop.language import ROOT, Language, Tool, run

SOURCE = ROOT / "tests" / "interop" / "rust"


def build(cache: Path) -> list[str]:
    """Build the testee with cargo, with the versions of Cargo.lock.

    A compiler of protos in Rust would take longer to build than all else, so the build script gets the contract compiled.
    """
    environment = {"TESTEE_DESCRIPTORS": str(descriptors(cache))}
    run(["cargo", "build", "--locked", "--jobs", "2", "--target-dir", cache], SOURCE, environment)
    return [str(cache / "debug" / "testee")]


LANGUAGE = Language(
    name="rust",
    needs=(Tool("cargo", "rustup toolchain install stable", minimum=(1, 88)),),
    build=build,
    targets=("grpc",),
)
