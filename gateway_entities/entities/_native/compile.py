"""Compilation of the native codec: by the build of the package, or in place when this module is run.

Nothing is imported that an isolated build does not have.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
FLAGS: Final = ("-std=c11", "-O2", "-fPIC", "-fvisibility=hidden", "-DNDEBUG", "-Wall", "-Wextra")

OLDEST: Final = (3, 11)
NEWEST: Final = (3, 13)
"""The Pythons that the codec was tested with."""


class CompileError(Exception):
    """There is no codec, for the reason that the error says."""


def file_name() -> str:
    """Return the name of the compiled module for this Python."""
    return f"_codec{sysconfig.get_config_var('EXT_SUFFIX')}"


def digest() -> str:
    """Return the digest of the sources, which the compiled module has as ``SOURCES``."""
    sources = sorted([*FOLDER.glob("*.c"), *FOLDER.glob("*.h")])
    return sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def compile_codec(output: Path, flags: Sequence[str] = FLAGS) -> None:
    """Compile the codec with this machine's C compiler: ``CC``, or the one that this Python was built with.

    Raises:
        CompileError: the codec is not for this Python, there is no compiler, no Python.h, or the compiler failed.
    """
    if not _is_supported():
        raise CompileError(f"the codec has not been tested with {sys.implementation.name} {sys.version.split()[0]}")
    compiler = _compiler()
    headers = sorted({sysconfig.get_path(name) for name in ("include", "platinclude")})
    if not any(Path(folder, "Python.h").is_file() for folder in headers):
        raise CompileError(f"there is no Python.h in {headers[0]}: install the development files of Python")
    sources = sorted(path.name for path in FOLDER.glob("*.c"))
    include = [f"-I{folder}" for folder in headers]
    command = [*compiler, *flags, f'-DSOURCES="{digest()}"', *include, *sources, *_linking(), "-o", str(output)]
    # In its folder, so that no path of this machine gets into the module.
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)  # noqa: S603 - CC is the caller's.
    if done.returncode:
        raise CompileError(f"{shlex.join(command)} failed:\n{done.stderr}")


def _is_supported() -> bool:
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    return sys.implementation.name == "cpython" and OLDEST <= sys.version_info[:2] <= NEWEST


def _compiler() -> list[str]:
    candidates = (os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc")
    for candidate in candidates:
        if candidate and shutil.which(shlex.split(candidate)[0]):
            return shlex.split(candidate)
    raise CompileError("there is no C compiler: install one, or name it in CC")


def _linking() -> list[str]:
    if os.name == "nt":
        raise CompileError("the codec has not been tested on Windows")
    return ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]


if __name__ == "__main__":
    try:
        compile_codec(FOLDER / file_name())
    except CompileError as problem:
        sys.exit(str(problem))
