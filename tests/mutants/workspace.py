"""A copy of the repository in a temporary folder, in which tests run with one file changed."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mutants import tracer
from tests.mutants.rooms import ROOT
from tests.mutants.trace import Trace

_MARK = "GATEWAY_ENTITIES_MUTANT"
# Modification times, one for each write: Python takes compiled code for the source's if time in seconds and size are equal.
_times = itertools.count(1_000_000_000)


class Run(NamedTuple):
    """How a run of tests ended.

    Attributes:
        outcome: ``passed``, ``failed``, ``hung`` or ``broken``, when pytest found no test.
        seconds: how long it took.
        detail: the test that failed, or the last line of the output.
        trace: which lines each test has run; empty if the run was not traced.
    """

    outcome: str
    seconds: float
    detail: str
    trace: Trace


class Workspace:
    """The copy. ``workspace`` creates it."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._root = root
        self._tree = folder / "r"
        self._temporary = folder / "t"
        self._mark = uuid.uuid4().hex
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL's server runs as another user, and looks for its files below.
        folder.chmod(0o711)
        for file in _files(root):
            target = self._tree / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / file, target)

    def write(self, file: str, data: bytes) -> None:
        """Write a file of the copy."""
        path = self._tree / file
        path.write_bytes(data)
        moment = next(_times)
        os.utime(path, (moment, moment))

    def restore(self, file: str) -> None:
        """Give a file the content that it has in the repository."""
        self.write(file, (self._root / file).read_bytes())

    def run(self, tests: Sequence[str], *, bound: float, seed: int, traced: bool = False) -> Run:
        """Run tests until the first fails.

        Args:
            tests: their paths, in the order in which they run.
            bound: seconds after which all processes of the run are killed.
            seed: the seed of the tests' generators.
            traced: whether the run tells which lines each test has run.
        """
        # Short: the paths of Unix sockets below have at most 107 bytes.
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(mode=0o711)
        output = self._temporary / "output"
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider"]
        command += ["--tb=line", "--no-header", f"--hypothesis-seed={seed}", *tests]
        trace, environment = self._temporary / "trace", self._environment(seed)
        if traced:
            command += ["-p", "tests.mutants.tracer"]
            environment[tracer.VARIABLE] = str(trace)
        start = time.monotonic()
        with output.open("wb") as log:
            self._process = process = subprocess.Popen(
                command,
                cwd=self._tree,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            status = process.wait(bound)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            self.kill()
            self._process = None
        seconds = time.monotonic() - start
        text = output.read_text(errors="replace")
        shutil.rmtree(self._tree / ".hypothesis", ignore_errors=True)
        outcome = {None: "hung", 0: "passed", 5: "broken"}.get(status, "failed")
        found = Trace(**json.loads(trace.read_bytes())) if trace.exists() else Trace.empty()
        return Run(outcome, seconds, _detail(text), found)

    def kill(self) -> None:
        """Kill the processes of the run, those in sessions of their own included."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pid in self._descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _descendants(self) -> Iterator[int]:
        mark = f"{_MARK}={self._mark}".encode()
        for environment in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in environment.read_bytes().split(b"\0"):
                    yield int(environment.parent.name)

    def _environment(self, seed: int) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GATEWAY_ENTITIES_"))}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        return {
            **kept,
            "PYTHONPATH": f"{self._tree}:{self._tree}/gen/python",
            "TMPDIR": str(self._temporary),
            "GATEWAY_ENTITIES_TEST_PROFILE": "variants",
            "GATEWAY_ENTITIES_TEST_SEED": str(seed),
            # Starting it for each change would take most of the time.
            "GATEWAY_ENTITIES_TEST_MLFLOW": "off",
            _MARK: self._mark,
        }


@contextlib.contextmanager
def workspace(root: Path = ROOT) -> Iterator[Workspace]:
    """Create a copy; it is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        opened = Workspace(Path(folder), root)
        try:
            yield opened
        finally:
            opened.kill()


def _files(root: Path) -> list[str]:
    """Return what git tracks or would track; all files where there is no repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=False)
    if listed.returncode:
        return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return [file for file in os.fsdecode(listed.stdout).split("\0") if file and (root / file).is_file()]


def _detail(text: str) -> str:
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", text, re.MULTILINE)
    lines = text.strip().splitlines()
    return failed[1] if failed else lines[-1] if lines else ""
