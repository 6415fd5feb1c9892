#!/usr/bin/env python3
"""Compile proto/ into gen/: the one codegen command.

    python proto/generate.py            write gen/ anew
    python proto/generate.py --check    write nothing; exit 1 and name each stale, missing or extra file

The compilers run in a virtual environment of their own, with exact versions: the version of the generator is the lowest
protobuf version that every importer of the stubs may have, so it must not follow what happens to be installed. The
environment is kept in .cache/ and made again when a version below changes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GEN = ROOT / "gen"
# grpcio-tools 1.76 writes code for protobuf 6.31.1 and later; a newer one would shut importers with that version out. The
# protobuf here only runs the plug-ins.
REQUIREMENTS = ("grpcio-tools==1.76.0", "protobuf==6.33.6", "setuptools==80.9.0", "mypy-protobuf==5.1.0")
PACKAGE_INIT = '"""Generated from proto/ by proto/generate.py. Do not edit."""\n'


def compiler_environment() -> Path:
    """Return the bin folder of the compilers' environment, making the environment if there is none for these versions."""
    digest = hashlib.sha256("\n".join((*REQUIREMENTS, sys.version)).encode()).hexdigest()[:12]
    folder = ROOT / ".cache" / f"codegen-{digest}"
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")
    ready = folder / "ready"
    if not ready.exists():
        print(f"installing {' '.join(REQUIREMENTS)}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        subprocess.run([binaries / "python", "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
        ready.touch()
    return binaries


def generate_python(binaries: Path, sources: list[str], target: Path) -> None:
    """Write the messages, the services and the type stubs of both below target."""
    target.mkdir(parents=True)
    subprocess.run(
        [
            binaries / "python",
            "-m",
            "grpc_tools.protoc",
            f"--proto_path={PROTO}",
            f"--python_out={target}",
            f"--grpc_python_out={target}",
            f"--mypy_out=quiet:{target}",
            f"--mypy_grpc_out=quiet:{target}",
            *sources,
        ],
        check=True,
        # protoc finds its plug-ins on the search path.
        env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
    )
    for folder in {target / parent for source in sources for parent in Path(source).parents} - {target}:
        (folder / "__init__.py").write_text(PACKAGE_INIT)
        (folder / "py.typed").touch()


def contents(folder: Path) -> dict[str, bytes]:
    """Map each file below folder, by its path there, to its bytes. What running the code leaves behind does not count."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def main() -> int:
    """Generate, or compare."""
    parser = argparse.ArgumentParser(description="Compile proto/ into gen/.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if gen/ is not what proto/ gives")
    arguments = parser.parse_args()
    sources = sorted(path.relative_to(PROTO).as_posix() for path in PROTO.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "gen"
        try:
            generate_python(compiler_environment(), sources, fresh / "python")
        except subprocess.CalledProcessError as error:
            # The compiler has already said what is wrong, and where.
            return error.returncode
        if not arguments.check:
            shutil.rmtree(GEN, ignore_errors=True)
            shutil.copytree(fresh, GEN)
            return 0
        wanted, found = contents(fresh), contents(GEN)
    faults = [
        *(f"missing: gen/{name}" for name in sorted(wanted.keys() - found.keys())),
        *(f"extra: gen/{name}" for name in sorted(found.keys() - wanted.keys())),
        *(f"stale: gen/{name}" for name in sorted(wanted.keys() & found.keys()) if wanted[name] != found[name]),
    ]
    for fault in faults:
        print(fault)
    if faults:
        print("run: python proto/generate.py")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
