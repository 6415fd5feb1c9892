"""TypeScript on Node.js: protobuf-es, grpc-js, connect-node."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tests.interop.language import ROOT, Language, Tool, run

SOURCES = ROOT / "tests" / "interop" / "ts"
STUBS = ROOT / "gen" / "ts"
NODE = Tool("node", "install Node.js 20 or newer", (20,))
NPM = Tool("npm", "install npm, which comes with Node.js")


def changed(stamp: Path, *inputs: Path) -> str | None:
    """Return the new content of the stamp for these input files or folders; None if it is current."""
    files = sorted(path for each in inputs for path in (each.rglob("*") if each.is_dir() else [each]) if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    now = digest.hexdigest()
    return None if stamp.exists() and stamp.read_text() == now else now


def compiled(cache: Path) -> Path:
    """Check the types, compile the testees for Node.js and for a page, and return the folder with the programs."""
    cache.mkdir(parents=True, exist_ok=True)
    programs = cache / "programs"
    if now := changed(cache / "installed", SOURCES / "package.json", STUBS):
        shutil.copy(SOURCES / "package.json", cache)
        # As users install the package: packed, not linked.
        shutil.rmtree(cache / "node_modules" / "gateway-entities", ignore_errors=True)
        run(["npm", "install", "--install-links", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", STUBS], cache)
        (cache / "installed").write_text(now)
    if now := changed(cache / "compiled", SOURCES, STUBS):
        shutil.rmtree(cache / "src", ignore_errors=True)
        shutil.copytree(SOURCES, cache, dirs_exist_ok=True)
        run(["npm", "exec", "--", "tsc"], cache)
        modules = ["src/node.ts", "src/browser.ts", "--bundle", "--platform=node", "--packages=external", "--format=esm"]
        run(["npm", "exec", "--", "esbuild", *modules, f"--outdir={programs}", "--target=node20"], cache)
        page = ["src/page.ts", "--bundle", "--format=iife", "--global-name=testee"]
        run(["npm", "exec", "--", "esbuild", *page, f"--outfile={programs / 'page.js'}", "--target=es2022"], cache)
        (cache / "compiled").write_text(now)
    return programs


def build(cache: Path) -> list[str]:
    return ["node", str(compiled(cache) / "node.js")]


LANGUAGE = Language("ts", (NODE, NPM), build)
