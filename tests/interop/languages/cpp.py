"""C++: protobuf's classes, json_util, and gRPC's generic stub, from Debian's packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tests.interop.language import ROOT, BuildError, Language, Tool, run

SOURCE = ROOT / "tests" / "interop" / "cpp"


def build(cache: Path) -> list[str]:
    """Build the testee with cmake. The folder of the ``google/rpc`` protos is that of googleapis-common-protos."""
    run(["cmake", "-S", SOURCE, "-B", cache, f"-DRPC_PROTO={_rpc_protos()}"], SOURCE)
    run(["cmake", "--build", cache, "--parallel", "2"], SOURCE)
    return [str(cache / "testee")]


def _rpc_protos() -> Path:
    found = find_spec("google.rpc")
    for folder in (found.submodule_search_locations if found else None) or ():
        if (Path(folder) / "status.proto").is_file():
            return Path(folder).parents[1]
    raise BuildError("google/rpc/status.proto is missing: pip install googleapis-common-protos")


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
