"""File descriptors of the process: its limit, and a reserve for the moment when others have used it up."""

from __future__ import annotations

import contextlib
import os
import resource
from typing import Final

_ENOUGH: Final = 65_536
"""Descriptors that no server needs more of; some programs make an array of the limit."""


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files (RLIMIT_NOFILE) to the hard one. For programs only: the process is theirs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # Some systems refuse what they report as the hard limit.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def descriptor_limit() -> int:
    """Return how many descriptors the process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _ENOUGH if soft == resource.RLIM_INFINITY else soft


class DescriptorReserve:
    """Descriptors that are open only to be closed when a more important one is needed."""

    def __init__(self, size: int) -> None:
        """Open the reserve.

        Args:
            size: the number of descriptors.
        """
        self._size = size
        self._open: list[int] = []
        self.refill()

    def refill(self) -> None:
        """Open what is missing, as far as the limit allows."""
        with contextlib.suppress(OSError):
            while len(self._open) < self._size:
                self._open.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))

    def release(self) -> bool:
        """Close one descriptor, so that another can be opened; return whether there was one."""
        if not self._open:
            return False
        os.close(self._open.pop())
        return True

    def close(self) -> None:
        """Close all."""
        while self.release():
            pass
