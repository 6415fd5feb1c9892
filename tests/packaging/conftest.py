"""Fixtures: the package, built from a clean copy and installed in new environments outside the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.profiles import PROFILE

ROOT = Path(__file__).resolve().parent.parent.parent
# Leftovers of work in the tree.
MADE_BY_MACHINES = (
    ".git",
    ".cache",
    ".venv*",
    "dist",
    "build",
    ".hypothesis",
    ".*_cache",
    "__pycache__",
    "*.sqlite*",
    "*.so",
)
# Installation takes long. The README's commands install in place themselves.
KINDS = ("wheel",) if PROFILE.share is None else ("wheel", "sdist", "editable")


class Built(NamedTuple):
    """The clean copy and its build results."""

    tree: Path
    wheel: Path
    sdist: Path


def run(*command: str | Path, folder: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run a command outside the repository's environment, and fail with its output."""
    ours = {"PYTHONPATH", "VIRTUAL_ENV", "MYPYPATH", "GATEWAY_ENTITIES_NATIVE"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    result = subprocess.run(command, cwd=folder, env={**environment, **changed}, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}"
    return result


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*MADE_BY_MACHINES))
    run(sys.executable, "-m", "hatchling", "build", "--directory", folder, folder=tree)
    return Built(tree, next(folder.glob("*.whl")), next(folder.glob("*.tar.gz")))


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the Python of each environment, by installation method."""
    folder = tmp_path_factory.mktemp("installed")

    def install(kind: str) -> Path:
        environment = folder / kind
        what = {"wheel": [built.wheel], "sdist": [built.sdist], "editable": ["--editable", built.tree]}[kind]
        # The tests' pip installs into the new environment, which then needs no pip.
        run(sys.executable, "-m", "venv", "--without-pip", environment, folder=folder)
        python = environment / "bin" / "python"
        run(sys.executable, "-m", "pip", "--quiet", "--python", python, "install", *what, folder=folder)
        return python

    with ThreadPoolExecutor() as threads:
        return dict(zip(KINDS, threads.map(install, KINDS), strict=True))
