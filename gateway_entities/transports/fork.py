"""Forked children: objects that must not share their locks and connections with the parent process."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """An object with locks, or with resources that belong to one process."""

    def reset_after_fork(self) -> None:
        """Replace the locks, which other threads of the parent may hold, and drop the parent's resources.

        Called in the child, before its own code. It must not change what the parent sees: no shutdown of a connection, no
        change of an event loop's selector.
        """
        ...


_registered: WeakSet[ForkAware] = WeakSet()


def reset_in_children(resource: ForkAware) -> None:
    """Reset an object in every child that this process forks from now on, for as long as the object lives."""
    _registered.add(resource)


def _reset_all() -> None:
    for resource in list(_registered):
        resource.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
