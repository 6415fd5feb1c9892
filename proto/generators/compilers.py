"""Shared parts of the generators: the protos, the cache of compilers, and protoc."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROTO = Path(__file__).resolve().parent.parent
ROOT = PROTO.parent
# Its real path, which the programs of an environment hold, also in a copy of the tree that shares the cache.
CACHE = (ROOT / ".cache").resolve()
# grpcio-tools 1.76 writes code for protobuf 6.31.1 and later; a newer one would exclude importers with that version.
# The protobuf here only runs the plug-ins.
REQUIREMENTS = ("grpcio-tools==1.76.0", "protobuf==6.33.6", "setuptools==80.9.0", "mypy-protobuf==5.1.0")


class MissingToolError(Exception):
    """A generator's program is not installed. The text names it and how to install it."""


def sources() -> list[str]:
    """Return the paths of all proto files below proto/, sorted, as arguments of protoc."""
    return sorted(path.relative_to(PROTO).as_posix() for path in PROTO.rglob("*.proto"))


def program(name: str, how_to_install: str) -> str:
    """Return the path of a program.

    Raises:
        MissingToolError: it is not on the search path.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingToolError(f"{name} is not installed: {how_to_install}")
    return found


def cached_folder(name: str, versions: Sequence[str], make: Callable[[Path], None]) -> Path:
    """Return a cached folder that ``make`` filled for these versions, now or in an earlier run.

    Args:
        name: prefix of the folder's name.
        versions: cache key: another value gives a new folder.
        make: fills the folder, which exists and is empty.
    """
    digest = hashlib.sha256("\n".join(versions).encode()).hexdigest()[:12]
    folder = CACHE / f"codegen-{name}-{digest}"
    ready = folder / "ready"
    with _locked(folder.with_suffix(".lock")):
        if not ready.exists():
            print(f"installing {' '.join(versions)}", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            ready.touch()
    return folder


@contextmanager
def _locked(path: Path) -> Generator[None, None, None]:
    """Hold a lock between processes: two must not install into one folder at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def python_environment() -> Path:
    """Return the bin folder of a separate environment with protoc and Python's plug-ins, in exact versions.

    The generator's version is the lowest protobuf version that the stubs support, so it must not depend on what is
    installed.
    """
    return _environment("python", REQUIREMENTS)


def format_python(folder: Path) -> None:
    """Format the modules in a folder as the rest of the repository: sorted imports, wrapped lines."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [each for each in project["optional-dependencies"]["lint"] if each.startswith("ruff==")]
    ruff = _environment("ruff", requirements) / "ruff"
    settings: list[str | Path] = ["--quiet", "--no-cache", "--config", ROOT / "pyproject.toml", folder]
    for command in (["check", "--fix", "--select=I,RUF022"], ["format"]):
        # The folders of the settings are relative to the working directory.
        subprocess.run([ruff, *command, *settings], check=True, cwd=ROOT)


def _environment(name: str, requirements: Sequence[str]) -> Path:
    def make(folder: Path) -> None:
        # To install a pip takes longer than all else.
        has_pip = importlib.util.find_spec("pip") is not None
        venv.create(folder / "environment", with_pip=not has_pip)
        python = str(folder / "environment" / "bin" / "python")
        pip = [sys.executable, "-m", "pip", "--python", python] if has_pip else [python, "-m", "pip"]
        subprocess.run([*pip, "install", "--quiet", *requirements], check=True)

    return cached_folder(name, (*requirements, f"Python {sys.version.split()[0]}"), make) / "environment" / "bin"


def protoc(*options: str, plugins: Path | None = None, root: Path = PROTO, files: Sequence[str] = ()) -> None:
    """Compile proto files with the protoc of ``python_environment``.

    Args:
        options: protoc's options, such as ``--go_out=FOLDER``.
        plugins: another folder of plug-ins, beside those of Python.
        root: the folder that the paths of the files are relative to.
        files: the files; empty for all of proto/.

    Raises:
        CalledProcessError: a proto does not compile; protoc has printed the place.
    """
    binaries = python_environment()
    # protoc finds its plug-ins on the search path.
    path = os.pathsep.join([*([str(plugins)] if plugins else []), str(binaries), os.environ["PATH"]])
    command = [str(binaries / "python"), "-m", "grpc_tools.protoc", f"--proto_path={root}", *options, *(files or sources())]
    subprocess.run(command, check=True, env={**os.environ, "PATH": path})
