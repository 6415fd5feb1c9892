"""TypeScript and JavaScript: an npm package of ES modules with their types, which needs no build step of its users."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from generators.compilers import PROTO, kept, program, protoc, sources

# The newest that runs on Node.js 20. The stubs need a @bufbuild/protobuf that is no older than their generator, so
# proto/packages/ts/package.json asks for this version or a later one.
PLUGIN = ("@bufbuild/protoc-gen-es@2.13.0", "@bufbuild/protobuf@2.13.0")
PACKAGE = PROTO / "packages" / "ts"
INDEX_HEAD = "// Generated from proto/ by proto/generate.py. Do not edit.\n"


def generate(target: Path) -> None:
    """Write the package below target, an empty folder: messages, services, their types, and an index for each proto package.

    Raises:
        MissingToolError: there is no Node.js here.
    """
    options = "target=js+dts,import_extension=js"
    protoc(f"--es_out={target}", f"--es_opt={options}", plugins=plugin() / "node_modules" / ".bin")
    for folder in {Path(source).parent for source in sources()}:
        modules = sorted(path.name for path in (target / folder).glob("*_pb.js"))
        index = INDEX_HEAD + "".join(f'export * from "./{name}";\n' for name in modules)
        for name in ("index.js", "index.d.ts"):
            (target / folder / name).write_text(index)
    shutil.copytree(PACKAGE, target, dirs_exist_ok=True)


def plugin() -> Path:
    """Return the folder in which protoc's plug-in is installed."""
    program("node", "install Node.js 20 or newer")
    npm = program("npm", "install npm, which comes with Node.js")

    def make(folder: Path) -> None:
        quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        subprocess.run([npm, "install", "--prefix", str(folder), *quiet, *PLUGIN], check=True)

    return kept("ts", PLUGIN, make)
