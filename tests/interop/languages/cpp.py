"""C++: protobuf's classes, json_util, and gRPC's generic stub, from Debian's packages."""

from __future__ import annotations

from pathlib import Path

from tests.interop.descriptors import descriptors
from tests.interop.language import ROOT, Language, Tool, run

SOURCE = ROOT / "tests" / "interop" / "cpp"


def build(cache: Path) -> list[str]:
    """Build the testee with cmake.

    The contract comes compiled: Debian's protoc does not know the option ``debug_redact``.
    """
    run(["cmake", "-S", SOURCE, "-B", cache, f"-DDESCRIPTORS={descriptors(cache)}"], SOURCE)
    run(["cmake", "--build", cache, "--parallel", "2"], SOURCE)
    return [str(cache / "testee")]


_DEBIAN = (
    "apt-get install g++ cmake pkg-config protobuf-compiler protobuf-compiler-grpc libgrpc++-dev libprotobuf-dev libssl-dev"
)

LANGUAGE = Language(
    name="cpp",
    needs=(
        Tool("g++", _DEBIAN, minimum=(9,)),
        Tool("cmake", _DEBIAN, minimum=(3, 18)),
        Tool("protoc", _DEBIAN),
        # The program stands for the libraries: it prints the version of libgrpc++-dev.
        Tool("pkg-config", _DEBIAN, minimum=(1, 40), version=("--modversion", "grpc++")),
    ),
    build=build,
    targets=("grpc",),
)
