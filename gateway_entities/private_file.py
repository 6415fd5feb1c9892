"""Whether a file with a secret is private: an encryption key, a TLS key or a token."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


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
