"""The hook of the package's build that compiles the native codec into the wheel, or in place for an editable install.

Without a C compiler the package is complete without it. ``GATEWAY_ENTITIES_NATIVE=require`` makes that an error, ``off``
builds without it.
"""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path(__file__).resolve().parent


def _module(name: str) -> Any:
    """Return a module beside this one, run by itself. The package as a whole needs what an isolated build does not have."""
    return SimpleNamespace(**runpy.run_path(str(FOLDER / f"{name}.py")))


class NativeCodecHook(BuildHookInterface[BuilderConfig]):
    """Compiles the native codec when a wheel is built."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the codec and add it to the wheel.

        Args:
            version: ``editable`` or ``standard``.
            build_data: the files and the tags of the wheel, which change.

        Raises:
            RuntimeError: the codec is required and cannot be built.
        """
        mode, compiler = _module("mode"), _module("compile")
        name = compiler.file_name()
        if version == "editable":
            output = FOLDER / name
            # It may be that of older sources.
            output.unlink(missing_ok=True)
        else:
            self._folder = tempfile.TemporaryDirectory()
            output = Path(self._folder.name, name)
        if not _is_built(mode, compiler, output):
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        if version != "editable":
            build_data["force_include"][str(output)] = f"gateway_entities/entities/_native/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - the interface's.
        """Remove what was compiled beside the wheel."""
        if self._folder is not None:
            self._folder.cleanup()


def _is_built(mode: Any, compiler: Any, output: Path) -> bool:
    wanted = mode.mode()
    if wanted == mode.OFF:
        return False
    try:
        compiler.compile_codec(output)
    except compiler.CompileError as error:
        if wanted == mode.REQUIRE:
            raise RuntimeError(f"{mode.VARIABLE}=require, but the native codec cannot be built: {error}") from None
        return False
    return True
