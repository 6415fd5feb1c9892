"""Reading of schemas from everything that can be named on a command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway_entities.wire.sources.errors import unreadable
from gateway_entities.wire.sources.files import SchemaFiles
from gateway_entities.wire.sources.git import Commit, repository_of, submodules
from gateway_entities.wire.sources.image import read_image
from gateway_entities.wire.sources.module import import_schema, read_module
from gateway_entities.wire.sources.protos import compile_protos, protos_below

FORMS: Final = (
    "a folder of .proto files, a workspace of buf, one .proto file, a file with a FileDescriptorSet or a buf image "
    "(binary, JSON or gzip), an importable Python module such as gatewayentities.v1, or mlflow"
)
"""What can be read, for error texts."""


def read_schema(source: str | Path, import_paths: Sequence[Path] = ()) -> SchemaFiles:
    """Read a schema.

    Args:
        source: one of FORMS. Existing files and folders take precedence over modules.
        import_paths: further folders that the imports of .proto files are relative to.

    Raises:
        GatewayError: INVALID_ARGUMENT if it cannot be read; FAILED_PRECONDITION if a compiler is needed and missing.
    """
    path = Path(source)
    if path.is_dir() or (path.is_file() and path.suffix == ".proto"):
        return compile_protos([path], import_paths)
    if path.is_file():
        return read_image(path)
    return read_module(str(source), import_schema(str(source), FORMS))


def read_schemas(sources: Sequence[Path], import_paths: Sequence[Path] = ()) -> SchemaFiles:
    """Read files and folders of .proto files as one schema, or one image.

    Raises:
        GatewayError: INVALID_ARGUMENT if they cannot be read; FAILED_PRECONDITION if a compiler is needed and missing.
    """
    if len(sources) == 1:
        return read_schema(sources[0], import_paths)
    return compile_protos(sources, import_paths)


def read_commit(commit: Commit, sources: Sequence[Path], import_paths: Sequence[Path] = ()) -> SchemaFiles:
    """Read the same files and folders as they were in a commit. The result says which of them it does not have.

    Args:
        commit: the commit.
        sources: the files and folders as they are in the work tree.
        import_paths: as for ``read_schema``; those in the repository are the commit's.

    Raises:
        GatewayError: INVALID_ARGUMENT if they cannot be read, or are of another repository.
    """
    name = commit.name if list(sources) == [Path()] else f"{', '.join(map(str, sources))} at {commit.name}"
    absolute = [source.resolve() for source in sources]
    for path, source in zip(absolute, sources, strict=True):
        if not path.is_relative_to(commit.root):
            raise unreadable(str(source), f"it is not in the repository {commit.root}, so {commit.name} has none of it")
        if (other := repository_of(path if path.is_dir() else path.parent)) != commit.root:
            text = f"it is in a repository of its own, {other}, such as a submodule; compare it in a run of its own"
            raise unreadable(str(source), text)
    with commit.checkout(absolute) as tree:

        def in_tree(path: Path) -> Path:
            return tree / path.relative_to(commit.root) if path.is_relative_to(commit.root) else path

        old = [in_tree(path) for path in absolute]
        absent = tuple(
            f"{_named(source)} is not in {commit.name}, so all that it has is new."
            for path, source in zip(old, sources, strict=True)
            if not _is_there(path)
        )
        absent += tuple(
            f"{_shown(each)} is a submodule, and {commit.name} has none of its files; compare it in a run of its own."
            for each in submodules(commit.root)
            if any(each.is_relative_to(path) for path in absolute) and _is_there(each)
        )
        old = [path for path in old if _is_there(path)]
        if not old:
            return SchemaFiles(name, FileDescriptorSet(), (), absent=absent)
        paths = [path if (path := in_tree(each.resolve())).is_dir() else each for each in import_paths]
        if len(old) == 1 and old[0].is_file() and old[0].suffix != ".proto":
            read = read_image(old[0], name=name)
        else:
            read = compile_protos(old, paths, name=name, shown=tree)
        places = {file: _shown(commit.root / path) for file, path in read.paths.items()}
        return SchemaFiles(name, read.files, read.own, places, absent=absent)


def _is_there(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and bool(protos_below(path)))


def _named(source: Path) -> str:
    return "the current folder" if source == Path() else _shown(source) if source.is_absolute() else str(source)


def _shown(path: Path) -> str:
    """Return a path in the work tree, relative to the working directory where it is below that."""
    here = Path.cwd().resolve()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
