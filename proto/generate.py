#!/usr/bin/env python3
"""Write everything that is generated: code and documentation from proto/, and the blocking client from the asyncio one.

    python proto/generate.py                   write everything that is generated
    python proto/generate.py go ts             only these
    python proto/generate.py --check [NAME]    write nothing; exit 1 and name each stale, missing or extra file

The compilers have exact versions and are cached in .cache/. proto/generators/ has one module for each NAME. Maven
generates Java's code, by gen/java/pom.xml.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from generators import client, go, methods, python, reference, testee, typescript
from generators.compilers import ROOT, MissingToolError

GEN = ROOT / "gen"
PACKAGE = ROOT / "gateway_entities"


class Output(NamedTuple):
    """Generated files.

    Attributes:
        generate: writes them below an empty folder.
        folder: their committed folder.
        whole: whether the folder contains generated files only.
    """

    generate: Callable[[Path], None]
    folder: Path
    whole: bool = True


OUTPUTS = {
    "go": Output(go.generate, GEN / "go"),
    "python": Output(python.generate, GEN / "python"),
    "ts": Output(typescript.generate, GEN / "ts"),
    "docs": Output(reference.generate, ROOT / "docs" / "reference" / "protos"),
    "methods": Output(methods.generate, PACKAGE, whole=False),
    "client": Output(client.generate, PACKAGE / "client" / "_sync"),
    "testee": Output(testee.generate, testee.INTEROP, whole=False),
}
# Written by hand.
JAVA = "java"


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file below folder by relative path, without Python's caches."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def differences(output: Output, fresh: Path) -> list[str]:
    """List each file that differs from the newly generated one."""
    wanted = contents(fresh)
    if output.whole:
        found = contents(output.folder)
    else:
        found = {name: path.read_bytes() for name in wanted if (path := output.folder / name).is_file()}
    place = output.folder.relative_to(ROOT).as_posix()
    return [
        *(f"missing: {place}/{name}" for name in sorted(wanted.keys() - found.keys())),
        *(f"extra: {place}/{name}" for name in sorted(found.keys() - wanted.keys())),
        *(f"stale: {place}/{name}" for name in sorted(wanted.keys() & found.keys()) if wanted[name] != found[name]),
    ]


def main() -> int:
    """Generate, or compare."""
    parser = argparse.ArgumentParser(description="Write everything that is generated.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(OUTPUTS)}; all by default")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a generated file is out of date")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - OUTPUTS.keys():
        parser.error(f"no {', '.join(sorted(unknown))}; there are {', '.join(OUTPUTS)}")
    names = arguments.names or list(OUTPUTS)
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            target = Path(scratch) / name
            target.mkdir()
            try:
                OUTPUTS[name].generate(target)
            except subprocess.CalledProcessError as error:
                # The compiler has already printed the error.
                return error.returncode
            except MissingToolError as error:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
        if not arguments.check:
            # Written only after all compilers succeeded.
            for name in names:
                if OUTPUTS[name].whole:
                    shutil.rmtree(OUTPUTS[name].folder, ignore_errors=True)
                shutil.copytree(Path(scratch) / name, OUTPUTS[name].folder, dirs_exist_ok=True)
            return 0
        found = [each for name in names for each in differences(OUTPUTS[name], Path(scratch) / name)]
    if not arguments.names:
        expected = {JAVA, *(output.folder.name for output in OUTPUTS.values())}
        found += [f"extra: gen/{path.name}" for path in sorted(GEN.iterdir()) if path.name not in expected]
    for each in found:
        print(each)
    if found:
        print("run: python proto/generate.py")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
