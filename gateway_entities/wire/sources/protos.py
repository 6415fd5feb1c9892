"""Compilation of .proto files with protoc, from grpcio-tools or from buf."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway_entities.errors import Code, GatewayError
from gateway_entities.wire.sources.errors import unreadable
from gateway_entities.wire.sources.files import SchemaFiles
from gateway_entities.wire.sources.image import read_image
from gateway_entities.wire.sources.workspace import Workspace, read_workspace

COMPILE_TIMEOUT_S: Final = 300
"""The time that a compiler has, in seconds."""
_MAX_ERROR: Final = 4000
_SKIPPED: Final = {"node_modules", "__pycache__"}
# What the libraries of protoc log, and not protoc itself.
_LOG: Final = re.compile(r"^(?:WARNING: All log messages|[IWEF]\d{4} )[^\n]*\n?", re.MULTILINE)
_MISSING: Final = (
    "compiling .proto files needs grpcio-tools; pip install grpcio-tools installs it. Or compile them elsewhere "
    "(protoc --include_imports --include_source_info --descriptor_set_out, buf build -o) and name the resulting file"
)


def compile_protos(
    sources: Sequence[Path], import_paths: Sequence[Path] = (), *, name: str = "", shown: Path | None = None
) -> SchemaFiles:
    """Compile folders of .proto files, workspaces of buf and single files into one schema.

    A workspace is compiled by buf if that is on the search path, everything else by protoc, whose imports are relative to
    ``import_paths`` and to each folder.

    Args:
        sources: the folders and files.
        import_paths: further folders that imports are relative to.
        name: their name for display; by default their paths.
        shown: the folder that paths in the result are relative to; the working directory by default.

    Raises:
        GatewayError: INVALID_ARGUMENT if they cannot be compiled; FAILED_PRECONDITION if there is no compiler.
    """
    name = name or ", ".join(map(str, sources))
    if len(sources) == 1 and sources[0].is_dir() and not import_paths:
        try:
            workspace = read_workspace(sources[0])
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable(name, f"its buf.yaml cannot be read: {error}") from error
        if workspace is not None:
            return _compile_workspace(name, sources[0], workspace, shown)
    roots = [*import_paths, *(source if source.is_dir() else source.parent for source in sources)]
    files = [path for source in sources for path in (protos_below(source) if source.is_dir() else [source])]
    return _compile(name, roots, files, shown)


def _compile_workspace(name: str, folder: Path, workspace: Workspace, shown: Path | None) -> SchemaFiles:
    if shutil.which("buf") is not None:
        return _build(name, folder, workspace.roots, shown)
    for root in workspace.roots:
        if not root.is_dir():
            raise unreadable(name, f"its buf.yaml names {root.name}, which is not a folder")
    files = [path for root in workspace.roots for path in protos_below(root)]
    files = [path for path in files if not any(path.is_relative_to(each) for each in workspace.excluded)]
    try:
        return _compile(name, workspace.roots, files, shown)
    except GatewayError as error:
        if not workspace.dependencies:
            raise
        needed = f"it depends on {', '.join(workspace.dependencies)}, which only buf fetches; install buf, or name its image"
        raise GatewayError(error.code, f"{error.message}\n{needed}", reason=error.reason) from error


def _build(name: str, folder: Path, roots: Sequence[Path], shown: Path | None) -> SchemaFiles:
    """Compile with buf."""
    with tempfile.TemporaryDirectory() as temporary:
        target = Path(temporary) / "image.binpb"
        _run(name, ["buf", "build", str(folder.resolve()), "--output", str(target)], temporary, shown)
        read = read_image(target)
    return SchemaFiles(name, read.files, read.own, _paths(read.files, roots, shown))


def _compile(name: str, roots: Sequence[Path], files: Sequence[Path], shown: Path | None) -> SchemaFiles:
    if not files:
        raise unreadable(name, "it contains no .proto file")
    roots = list(dict.fromkeys(root.resolve() for root in roots))
    for root in roots:
        if not root.is_dir():
            raise unreadable(name, f"the import path {root} is not a folder")
        if os.pathsep in str(root):
            raise unreadable(name, f"protoc splits paths at {os.pathsep!r}, which {root} has; name a folder without it")
    found = list(dict.fromkeys(file.resolve() for file in files))
    with tempfile.TemporaryDirectory() as temporary:
        target = Path(temporary) / "schema.binpb"
        if importlib.util.find_spec("grpc_tools") is None:
            raise GatewayError(Code.FAILED_PRECONDITION, f"{name}: {_MISSING}")
        # In a child process: the compiler always writes to standard error. Its arguments may be too many for one command.
        arguments = [*(f"--proto_path={root}" for root in roots), "--include_imports", "--include_source_info"]
        arguments += [f"--descriptor_set_out={target}", *map(str, found)]
        argument_file = Path(temporary) / "arguments"
        argument_file.write_text("\n".join(arguments), encoding="utf-8")
        _run(name, [sys.executable, "-m", "grpc_tools.protoc", f"@{argument_file}"], str(roots[0]), shown)
        compiled = FileDescriptorSet.FromString(target.read_bytes())
    own = [next(path.relative_to(root).as_posix() for root in roots if path.is_relative_to(root)) for path in found]
    return SchemaFiles(name, compiled, tuple(own), _paths(compiled, roots, shown))


def _run(name: str, command: list[str], folder: str, shown: Path | None) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the compilers that are installed; no shell is involved.
            command, capture_output=True, cwd=folder, check=False, timeout=COMPILE_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise unreadable(name, f"the compiler was not done within {COMPILE_TIMEOUT_S} s") from None
    if done.returncode != 0:
        text = (done.stderr or done.stdout).decode(errors="replace").strip()
        text = _LOG.sub("", text).strip()
        text = text.replace(f"{(shown or Path.cwd()).resolve()}{os.sep}", "")
        hint = ""
        if "File not found" in text or "Import" in text:
            hint = "\nImports are relative to the folder; name other folders that they are relative to with -I"
        raise unreadable(name, text[:_MAX_ERROR] + hint)


def protos_below(folder: Path) -> list[Path]:
    """Return the .proto files in a folder, without those in hidden folders and those of installed packages."""
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".") and each not in _SKIPPED]
        yield from (Path(place) / name for name in names if name.endswith(".proto"))


def _paths(files: FileDescriptorSet, roots: Sequence[Path], shown: Path | None) -> dict[str, str]:
    base = (shown or Path.cwd()).resolve()
    found: dict[str, str] = {}
    for file in files.file:
        for root in roots:
            path = root.resolve() / file.name
            if path.is_file():
                found[file.name] = (path.relative_to(base) if path.is_relative_to(base) else path).as_posix()
                break
    return found
