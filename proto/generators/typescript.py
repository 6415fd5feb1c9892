"""TypeScript and JavaScript: an npm package of ES modules with their types, usable without a build step."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from generators.compilers import PROTO, cached_folder, program, protoc, sources

# The newest for Node.js 20. The stubs need a @bufbuild/protobuf of the generator's version or later, as
# proto/packages/ts/package.json requires.
PLUGIN = ("@bufbuild/protoc-gen-es@2.13.0", "@bufbuild/protobuf@2.13.0")
PACKAGE = PROTO / "packages" / "ts"
INDEX_HEAD = "// Generated from proto/ by proto/generate.py. Do not edit.\n"


def generate(target: Path) -> None:
    """Write the package below target, an empty folder: messages, services, their types, and an index for each proto package.

    Raises:
        MissingToolError: Node.js is not installed.
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
    """Return the folder with protoc's plug-in."""
    program("node", "install Node.js 20 or newer")
    npm = program("npm", "install npm, which comes with Node.js")

    def make(folder: Path) -> None:
        quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        subprocess.run([npm, "install", "--prefix", str(folder), *quiet, *PLUGIN], check=True)

    return cached_folder("ts", PLUGIN, make)
