"""Languages of the interop matrix: requirements, build and operations of a testee.

A module in ``tests/interop/languages`` with ``LANGUAGE = Language(...)`` registers a language.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.interop import languages

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "interop"
OPERATIONS = frozenset({"decode", "to_json", "from_json", "digest", "call", "stream"})
SCHEMES = ("grpc", "http", "http+json")

_VERSION = re.compile(r"\d+(?:\.\d+)+|\d+")


class BuildError(Exception):
    """A failed build of a testee. The text is the build's output."""


@dataclass(frozen=True)
class Tool:
    """A program that a language needs.

    Attributes:
        program: its name, on the PATH or in the folder of this Python.
        install: its installation: a package or a command.
        minimum: the oldest supported version, such as ``(1, 24)``. Empty for any.
        version: the arguments that print its version.
    """

    program: str
    install: str
    minimum: tuple[int, ...] = ()
    version: tuple[str, ...] = ("--version",)

    def missing(self) -> str | None:
        """Return a text with its installation if the program is missing or too old, otherwise None."""
        # The programs of an inactive virtual environment are in the folder of its Python.
        places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        found = shutil.which(self.program, path=places)
        if found is None:
            return f"{self.program} is not installed: {self.install}"
        if not self.minimum:
            return None
        done = subprocess.run([found, *self.version], capture_output=True, text=True, check=False)
        number = _VERSION.search(done.stdout + done.stderr)
        if number is None or tuple(map(int, number[0].split("."))) < self.minimum:
            wanted = ".".join(map(str, self.minimum))
            return f"{self.program} {number[0] if number else '(of no version)'} is older than {wanted}: {self.install}"
        return None


@dataclass(frozen=True)
class Language:
    """One column of the matrix.

    Attributes:
        name: the column's name, such as ``go``.
        needs: the required programs.
        build: builds the testee in its own cached folder and returns its command; quick without changes.
            Raises BuildError.
        operations: its operations, of OPERATIONS.
        targets: the target schemes of its calls and streams, of SCHEMES.
        environment: additional environment variables of the testee.
        origins: the origins of a browser's calls, such as ``http://127.0.0.1:40080``, which the server must allow.
    """

    name: str
    needs: tuple[Tool, ...]
    build: Callable[[Path], list[str]]
    operations: frozenset[str] = OPERATIONS
    targets: tuple[str, ...] = SCHEMES
    environment: Mapping[str, str] = field(default_factory=dict)
    origins: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return the missing programs, each with its installation."""
        return [text for tool in self.needs if (text := tool.missing())]

    def command(self) -> list[str]:
        """Build the testee and return its command. Raises BuildError."""
        cache = CACHE / self.name
        cache.mkdir(parents=True, exist_ok=True)
        with building():
            return self.build(cache)


@contextmanager
def building() -> Generator[None]:
    """Hold a lock between builds: processes share the folders, and a build uses all cores."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run one step of a build in a folder and return its output. Raises BuildError if it fails."""
    where = {**os.environ, **(environment or {})}
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=where, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise BuildError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def all_languages() -> dict[str, Language]:
    """Return every language by name, sorted."""
    modules = sorted(each.name for each in pkgutil.iter_modules(languages.__path__))
    found = [importlib.import_module(f"{languages.__name__}.{name}").LANGUAGE for name in modules]
    return {language.name: language for language in found}
