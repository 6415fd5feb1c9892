"""Paths as the server of a repository has them: relative to the top folder of the work tree, not to the current folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def repository_path(path: str) -> str:
    """Return the path of a file relative to the top folder of its work tree of git; outside of any, the path as it is."""
    # Links are not followed: the repository has them as they are.
    absolute = Path(os.path.abspath(path))
    top = next((each for each in absolute.parents if (each / ".git").exists()), None)
    return path if top is None else absolute.relative_to(top).as_posix()


def repository_paths(paths: Mapping[str, str]) -> dict[str, str]:
    """Return the paths on disk of a schema's files, by file name, relative to the top folders of their work trees."""
    return {name: repository_path(path) for name, path in paths.items()}
