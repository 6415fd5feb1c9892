"""buf workspaces: which folders are roots of imports, by buf.yaml (v1, v1beta1, v2) and buf.work.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WORKSPACE_FILES: Final = ("buf.yaml", "buf.work.yaml")
"""The files that make a folder a workspace or a module of buf."""

_LINE: Final = re.compile(r"(?P<indent> *)(?P<dash>- +)?(?:(?P<key>[A-Za-z_]+):)?(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the files of buf say of the .proto files below a folder.

    Attributes:
        roots: the folders that imports are relative to.
        excluded: folders and files below them that do not belong to the schema.
        dependencies: the modules that buf would fetch.
    """

    roots: tuple[Path, ...]
    excluded: tuple[Path, ...] = ()
    dependencies: tuple[str, ...] = ()


def read_workspace(folder: Path) -> Workspace | None:
    """Return the workspace or module at a folder; None if it has no file of buf.

    Of the YAML it reads the lists of modules, folders, exclusions and dependencies, in the block style that buf writes.

    Raises:
        OSError: a file cannot be read.
        UnicodeDecodeError: a file is not text.
    """
    work = folder / "buf.work.yaml"
    if work.is_file():
        directories = [folder / value for path, value in _values(work) if path[:1] == ("directories",)]
        parts = [found for root in directories if (found := read_workspace(root)) is not None]
        hidden = tuple(each for part in parts for each in part.excluded)
        return Workspace(tuple(directories), hidden, tuple(each for part in parts for each in part.dependencies))
    file = folder / "buf.yaml"
    if not file.is_file():
        return None
    roots: list[Path] = []
    excluded: list[Path] = []
    dependencies: list[str] = []
    for path, value in _values(file):
        if path == ("modules", "path"):
            roots.append(folder / value)
        elif path in (("modules", "excludes"), ("build", "excludes")):
            excluded.append(folder / value)
        elif path == ("build", "roots"):
            roots.append(folder / value)
        elif path == ("deps",):
            dependencies.append(value)
    return Workspace(tuple(roots) or (folder,), tuple(excluded), tuple(dependencies))


def _values(file: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the scalars of a YAML file in block style, each with the keys above it."""
    open_: list[tuple[int, str]] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        text = re.sub(r"(^|\s)#.*$", "", line).rstrip()
        found = _LINE.fullmatch(text)
        if not text.strip() or found is None:
            continue
        indent = len(found["indent"]) + len(found["dash"] or "")
        key, value = found["key"], found["value"].strip().strip("\"'")
        # A list may be written without indentation below its key.
        limit = len(found["indent"]) + bool(found["dash"])
        open_ = [each for each in open_ if each[0] < limit or (found["dash"] and each[0] == limit - 1)]
        if key:
            open_ = [each for each in open_ if each[0] < indent]
            open_.append((indent, key))
        if value:
            yield tuple(each for _, each in open_), value
