"""The official Connect conformance runner: built once, at one version, and run against our programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.interop.language import CACHE, ROOT, Tool, building

MODULE = "connectrpc.com/conformance"
VERSION = "v1.0.7"
# From 1.21 on, Go downloads the newer toolchain that the module requires.
GO = Tool("go", "apt install golang-go, or Go 1.21 or later from its own site", (1, 21), ("version",))

_HERE = Path(__file__).parent
_SECONDS = 110


class Kit(NamedTuple):
    """Requirements of a run.

    Attributes:
        program: the runner.
        stubs: the folder with the Python modules of the suite's messages.
    """

    program: Path
    stubs: Path


def prepare(stubs: Path) -> Kit:
    """Build the runner, unless it is cached, and compile the suite's protos into ``stubs``.

    The stubs are not cached: they must match the installed protobuf.
    """
    folder = CACHE / f"connectconformance-{VERSION}"
    with building():
        if not (folder / "ready").exists():
            _build(folder)
    protos = folder / "proto"
    # Without suite.proto, which is for authors of cases.
    names = ("config", "service", "client_compat", "server_compat")
    sources = [f"connectrpc/conformance/v1/{name}.proto" for name in names]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={protos}", f"--python_out={stubs}", *sources]
    subprocess.run(command, check=True)
    return Kit(folder / "bin" / "connectconformance", stubs)


def _build(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    package = f"{MODULE}/cmd/connectconformance@{VERSION}"
    environment = {**os.environ, "GOBIN": str(folder / "bin")}
    subprocess.run(["go", "install", "-p=2", package], cwd=folder, env=environment, check=True)
    download = ["go", "mod", "download", "-json", f"{MODULE}@{VERSION}"]
    found = json.loads(subprocess.run(download, cwd=folder, capture_output=True, check=True).stdout)
    shutil.copytree(Path(found["Dir"]) / "proto", folder / "proto")
    (folder / "ready").touch()


def run(kit: Kit, mode: str, *program: str) -> tuple[bool, str]:
    """Run all cases of the mode's configuration.

    Args:
        kit: what ``prepare`` returned.
        mode: ``client`` or ``server``; also the name of the configuration.
        program: the module under test, and its arguments.

    Returns:
        Whether all cases passed, and the runner's output: every failure, and the counts.
    """
    command = [str(kit.program), "--mode", mode, "--conf", str(_HERE / f"{mode}.yaml"), "--", sys.executable, "-m", *program]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(kit.stubs)])}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return done.returncode == 0, done.stdout
