"""A pytest plugin that writes which tests run each line of the package, to the file in ``MUTANTS_TRACE``.

What runs in other processes is not seen.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

import coverage
import pytest

from tests.mutants.rooms import PACKAGE

VARIABLE: Final = "MUTANTS_TRACE"


class _Tracer:
    def __init__(self, root: Path, target: Path) -> None:
        self._root = root
        self._target = target
        self._seconds: dict[str, float] = {}
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{root}/{PACKAGE}/*"], messages=False
        )
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._coverage.switch_context(item.nodeid)
        start = time.monotonic()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid] = time.monotonic() - start
            self._coverage.switch_context("")

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        data = self._coverage.get_data()
        # The quickest first.
        names = sorted(self._seconds, key=self._seconds.__getitem__)
        numbers = {name: number for number, name in enumerate(names)}
        lines: dict[str, dict[int, list[int]]] = {}
        for path in data.measured_files():
            by_line = data.contexts_by_lineno(path)
            lines[Path(path).relative_to(self._root).as_posix()] = {
                line: sorted(numbers[name] for name in found if name in numbers) for line, found in by_line.items()
            }
        self._target.write_text(json.dumps({"tests": names, "lines": lines}))


def pytest_configure(config: pytest.Config) -> None:
    """Begin to trace."""
    config.pluginmanager.register(_Tracer(config.rootpath, Path(os.environ[VARIABLE])))
