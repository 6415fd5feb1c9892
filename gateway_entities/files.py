"""Files: opened only if they are regular, private where they have a secret, and durable once their folder is."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class NotRegularError(OSError):
    """A path names something else than a regular file."""


@contextmanager
def open_regular(path: Path, flags: int = 0) -> Generator[BinaryIO]:
    """Open a file for reading if it is a regular one. A pipe would wait for a writer, and a device may act on being opened.

    Args:
        path: the file; symbolic links are followed.
        flags: more flags of ``os.open``.

    Raises:
        NotRegularError: it is something else.
        OSError: it cannot be opened.
    """
    _require_regular(path.stat())
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags), "rb") as file:
        # It may have been replaced meanwhile.
        _require_regular(os.fstat(file.fileno()))
        yield file


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotRegularError(None, "it is not a regular file")


def sync_folder(folder: Path) -> None:
    """Make a folder's new entries durable.

    Raises:
        OSError: they cannot be.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def access_problem(path: Path, status: os.stat_result) -> str | None:
    """Return why a file is not private, as a clause with the remedy; None if it is.

    The owner of a private file is this process's user, root, or the owner of the folder that the path names, who can replace
    it in any case. Its group and others have no access, with one exception: a file of root, while this process is another
    user's, may be readable by a group of this process. Kubernetes mounts secrets so (``root``, ``fsGroup``, mode 0440).
    PostgreSQL and libpq have the same rule for their keys. The modes of folders are not looked at.

    Args:
        path: the file, as given; symbolic links are followed.
        status: its status, from the descriptor that it is read from.
    """
    user, mode = os.geteuid(), stat.S_IMODE(status.st_mode)
    if status.st_uid not in {user, 0} and status.st_uid != path.parent.stat().st_uid:
        return f"belongs to user {status.st_uid}, who can read and change it; run: chown {user} {path}"
    if status.st_uid != 0 or user == 0:
        if not mode & _OTHERS:
            return None
        other_user = ", or run as another user if it is a mounted secret" if user == 0 else ""
        return f"is accessible to others (mode {mode:04o}); run: chmod 600 {path}{other_user}"
    readable = stat.S_IRGRP if status.st_gid in {os.getegid(), *os.getgroups()} else 0
    if mode & _OTHERS & ~readable:
        return (
            f"is accessible to others (mode {mode:04o}); a file of root may be readable by a group of this process, and "
            f"nothing more; run: chmod 440 {path}"
        )
    return None
