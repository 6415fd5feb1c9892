"""The contract and the testee protocol as compiled descriptors, for languages whose compiler of protos is slow or old."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from tests.interop.language import ROOT, BuildError, run

FOLDERS = (ROOT / "proto", ROOT / "tests" / "interop" / "proto")
STATUS = "google/rpc/status.proto"
"""The details of gRPC's errors."""


def descriptors(cache: Path) -> Path:
    """Return the file of descriptors in a folder, which is written only if they have changed. Raises BuildError."""
    fresh, kept = cache / "fresh.binpb", cache / "descriptors.binpb"
    paths = [*map(str, FOLDERS), str(_status_folder())]
    files = [str(path.relative_to(folder)) for folder in FOLDERS for path in sorted(folder.rglob("*.proto"))]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", "--include_imports", f"--descriptor_set_out={fresh}"]
    run([*protoc, *(f"--proto_path={path}" for path in paths), *files, STATUS], ROOT)
    # Builds go by its time.
    if not kept.exists() or kept.read_bytes() != fresh.read_bytes():
        fresh.replace(kept)
    return kept


def _status_folder() -> Path:
    found = find_spec("google.rpc")
    for folder in (found.submodule_search_locations if found else None) or ():
        if (Path(folder) / "status.proto").is_file():
            return Path(folder).parents[1]
    raise BuildError(f"{STATUS} is missing: pip install googleapis-common-protos")
