"""A language of the interop matrix: what its testee needs, how it is built, and what it serves.

Each language has one module in ``tests/interop/languages`` with ``LANGUAGE = Language(...)``; that is all its registration.
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
OPERATIONS = frozenset({"decode", "to_json", "from_json", "digest", "call"})
SCHEMES = ("grpc", "http", "http+json")

_VERSION = re.compile(r"\d+(?:\.\d+)+|\d+")


class BuildError(Exception):
    """A testee could not be built. Its text is what the build printed."""


@dataclass(frozen=True)
class Tool:
    """A program that a language needs.

    Attributes:
        program: its name, found on the PATH or beside this Python.
        install: how to install it, in a few words: a package, a command.
        minimum: the oldest version that will do, such as ``(1, 24)``. Empty for any.
        version: the arguments that make it print its version.
    """

    program: str
    install: str
    minimum: tuple[int, ...] = ()
    version: tuple[str, ...] = ("--version",)

    def missing(self) -> str | None:
        """Return what is missing and how to install it, or None when the program is there and new enough."""
        # A virtual environment that is not activated has its programs beside its Python.
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
        needs: the programs that must be there.
        build: makes the testee in a folder of its own, kept between runs, and returns the command that runs it. When
            nothing has changed it is quick. Raises BuildError.
        operations: the operations it serves, of OPERATIONS.
        targets: the kinds of target that its calls reach, of SCHEMES.
        environment: variables that the testee runs with, besides those of this process.
        origins: the origins, such as ``http://127.0.0.1:40080``, that the server must let in for the calls of a browser.
    """

    name: str
    needs: tuple[Tool, ...]
    build: Callable[[Path], list[str]]
    operations: frozenset[str] = OPERATIONS
    targets: tuple[str, ...] = SCHEMES
    environment: Mapping[str, str] = field(default_factory=dict)
    origins: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return what this machine lacks, each with how to install it."""
        return [text for tool in self.needs if (text := tool.missing())]

    def command(self) -> list[str]:
        """Build the testee, and return the command that runs it. Raises BuildError."""
        cache = CACHE / self.name
        cache.mkdir(parents=True, exist_ok=True)
        with building():
            return self.build(cache)


@contextmanager
def building() -> Generator[None]:
    """Keep other processes from building at the same time: they share the folders, and a build uses all cores."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run one step of a build in a folder, and return what it printed. Raises BuildError when it fails."""
    where = {**os.environ, **(environment or {})}
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=where, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise BuildError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def all_languages() -> dict[str, Language]:
    """Return every language, by name, in the order of their names."""
    modules = sorted(each.name for each in pkgutil.iter_modules(languages.__path__))
    found = [importlib.import_module(f"{languages.__name__}.{name}").LANGUAGE for name in modules]
    return {language.name: language for language in found}
