#!/usr/bin/env python3
"""Compile proto/ into gen/: the one codegen command.

    python proto/generate.py                     write gen/ anew, every language
    python proto/generate.py go java             only these
    python proto/generate.py --check [LANGUAGE]  write nothing; exit 1 and name each stale, missing or extra file

The compilers have exact versions and are kept in .cache/. proto/generators/ has one module a language.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from generators import go, java, python, typescript
from generators.compilers import ROOT, MissingToolError

GEN = ROOT / "gen"
GENERATORS = {"go": go.generate, "java": java.generate, "python": python.generate, "ts": typescript.generate}
# By Python that imports the code, and by Maven that packages it.
LEFT_BEHIND = {"__pycache__", "target"}


def contents(folder: Path) -> dict[str, bytes]:
    """Map each file below folder, by its path there, to its bytes. What running the code leaves behind does not count."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not LEFT_BEHIND.intersection(path.parts)
    }


def faults(language: str, fresh: Path) -> list[str]:
    """Name what differs between a language's folder in gen/ and what was generated now."""
    wanted, found = contents(fresh), contents(GEN / language)
    return [
        *(f"missing: gen/{language}/{name}" for name in sorted(wanted.keys() - found.keys())),
        *(f"extra: gen/{language}/{name}" for name in sorted(found.keys() - wanted.keys())),
        *(f"stale: gen/{language}/{name}" for name in sorted(wanted.keys() & found.keys()) if wanted[name] != found[name]),
    ]


def main() -> int:
    """Generate, or compare."""
    parser = argparse.ArgumentParser(description="Compile proto/ into gen/.")
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help=f"some of: {', '.join(GENERATORS)}; all by default")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if gen/ is not what proto/ gives")
    arguments = parser.parse_args()
    if unknown := set(arguments.languages) - GENERATORS.keys():
        parser.error(f"no language {', '.join(sorted(unknown))}; there are {', '.join(GENERATORS)}")
    languages = arguments.languages or list(GENERATORS)
    with tempfile.TemporaryDirectory() as scratch:
        for language in languages:
            target = Path(scratch) / language
            target.mkdir()
            try:
                GENERATORS[language](target)
            except subprocess.CalledProcessError as error:
                # The compiler has already said what is wrong, and where.
                return error.returncode
            except MissingToolError as error:
                print(f"{language}: {error}", file=sys.stderr)
                return 1
        if not arguments.check:
            # Only now: a compiler that fails leaves gen/ as it was.
            for language in languages:
                shutil.rmtree(GEN / language, ignore_errors=True)
                shutil.copytree(Path(scratch) / language, GEN / language)
            return 0
        found = [fault for language in languages for fault in faults(language, Path(scratch) / language)]
    if not arguments.languages:
        strangers = sorted(path.name for path in GEN.iterdir() if path.name not in GENERATORS)
        found += [f"extra: gen/{name}" for name in strangers]
    for fault in found:
        print(fault)
    if found:
        print("run: python proto/generate.py")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
