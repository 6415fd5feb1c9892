"""Resource use of a process and its children, from Linux's /proc."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

IS_KNOWN = Path("/proc/self/smaps_rollup").exists()
"""Whether the system has this interface."""


def tree(pid: int) -> Iterator[int]:
    """Yield a process and its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from tree(int(child))


def memory_of(pid: int, kind: str) -> float:
    """Return MiB of one process: ``Rss``, or ``Pss`` with its share of shared pages only."""
    found = re.search(rf"^{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def processor_seconds(pid: int) -> float:
    """Return the processor seconds of a process and its children."""
    ticks = 0
    for each in tree(pid):
        # The 12th and 13th words after the name, which may contain any characters.
        words = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")
