"""Add up what test runs reported, and fail on a skip that nobody allowed.

    python3 .ci/skips.py ALLOWED REPORT.xml...

ALLOWED is the list of allowed skips, each REPORT a JUnit file of one run. Prints a line for each run, each fault, and last
``N passed, N failed, N skipped``. Exits with 1 if a test failed, a run ran none or left no report, a skip (or an expected
failure) is not allowed, or a line of the list is not needed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET


class Run(NamedTuple):
    """What one run reported."""

    passed: int
    failed: int
    skips: list[str]


def read(report: Path) -> Run:
    """Count the outcomes in a JUnit file. A test that fails twice, such as in its teardown as well, counts once."""
    passed, failed, skips = 0, 0, list[str]()
    for case in ET.parse(report).getroot().iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif skipped is not None:
            skips.append(f"{case.get('classname')}.{case.get('name')}: {skipped.text or skipped.get('message')}")
        else:
            passed += 1
    return Run(passed, failed, skips)


def allowed_skips(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each line of the list as its pattern and its reason."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, _, reason = line.partition("  # ")
            yield pattern.strip(), reason.strip()


def main(allowed: Path, reports: list[Path]) -> int:
    """Print the sum and the faults."""
    patterns = dict(allowed_skips(allowed))
    faults = [f"{allowed}: no reason given for {pattern}" for pattern, reason in patterns.items() if not reason]
    used: set[str] = set()
    passed = failed = skipped = 0
    for report in reports:
        if not report.is_file():
            faults.append(f"{report.stem}: it left no report")
            failed += 1
            continue
        run = read(report)
        print(f"{report.stem}: {run.passed} passed, {run.failed} failed, {len(run.skips)} skipped")
        if not run.passed:
            faults.append(f"{report.stem}: no test passed")
        for skip in run.skips:
            told = f"{report.stem}: {skip}"
            fitting = {pattern for pattern in patterns if re.search(pattern, told)}
            used |= fitting
            if not fitting:
                faults.append(f"skipped, and not allowed to be: {told}")
        passed, failed, skipped = passed + run.passed, failed + run.failed, skipped + len(run.skips)
    faults += [f"{allowed}: nothing needs {pattern}" for pattern in patterns if pattern not in used]
    for fault in faults:
        print(fault)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if faults or failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
