"""Testee protocol of the interop tests: messages for the testees in Python, Go and TypeScript."""

from __future__ import annotations

from pathlib import Path

from generators import go, typescript
from generators.compilers import ROOT, protoc

INTEROP = ROOT / "tests" / "interop"
FILE = "testee.proto"


def generate(target: Path) -> None:
    """Write the messages below target, an empty folder, at their paths below tests/interop."""
    for name in ("proto", "go", "ts/src"):
        (target / name).mkdir(parents=True)
    folder = INTEROP / "proto"
    protoc(f"--python_out={target / 'proto'}", f"--mypy_out=quiet:{target / 'proto'}", root=folder, files=[FILE])
    module = "gateway_entities/tests/interop/go"
    protoc(f"--go_out=module={module}:{target / 'go'}", root=folder, files=[FILE], plugins=go.plugins())
    plugins = typescript.plugin() / "node_modules" / ".bin"
    protoc(
        f"--es_out={target / 'ts' / 'src'}",
        "--es_opt=target=ts,import_extension=js",
        root=folder,
        files=[FILE],
        plugins=plugins,
    )
