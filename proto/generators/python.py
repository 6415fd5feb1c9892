"""Python: messages and services, with type stubs for both."""

from __future__ import annotations

from pathlib import Path

from generators.compilers import protoc, sources

PACKAGE_INIT = '"""Generated from proto/ by proto/generate.py. Do not edit."""\n'


def generate(target: Path) -> None:
    """Write the messages, the services and the type stubs of both below target, an empty folder."""
    protoc(
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
    )
    for folder in {target / parent for source in sources() for parent in Path(source).parents} - {target}:
        (folder / "__init__.py").write_text(PACKAGE_INIT)
        (folder / "py.typed").touch()
