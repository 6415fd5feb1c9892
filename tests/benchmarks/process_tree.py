"""A process and its children: what they have used, as Linux tells it in /proc."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

IS_KNOWN = Path("/proc/self/smaps_rollup").exists()
"""Whether this system tells it."""


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all that came of it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from tree(int(child))


def memory_of(pid: int, kind: str) -> float:
    """Return MiB of one process: ``Rss`` for all that it has, ``Pss`` with its part only of what others have too."""
    found = re.search(rf"^{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def processor_seconds(pid: int) -> float:
    """Return what a process and its children have used of a processor."""
    ticks = 0
    for each in tree(pid):
        # After the name, which may have any signs in it, the twelfth and thirteenth words.
        words = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")
