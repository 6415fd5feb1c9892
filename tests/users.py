"""Other users of this machine, for tests that run as root: files of theirs, and this process in their place."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

USER, GROUP, STRANGER = 1001, 2000, 1002

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away: run the tests as root")


@contextlib.contextmanager
def as_user(user: int = USER, *groups: int) -> Iterator[None]:
    """Be another user, with a group of the same number and supplementary groups. For the whole process."""
    own = os.getgroups()
    os.setgroups(groups)
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(own)


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user can read. Those of pytest are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def secret_volume(
    folder: Path, contents: dict[str, bytes], *, owner: int = 0, group: int = GROUP, mode: int = 0o440
) -> None:
    """Fill a folder as Kubernetes does with a Secret: each name links into ``..data``, which links to a dated folder."""
    dated = folder / f"..2026_01_31_12_00_00.{len(list(folder.iterdir()))}"
    dated.mkdir()
    for name, content in contents.items():
        (dated / name).write_bytes(content)
        (dated / name).chmod(mode)
        os.chown(dated / name, owner, group)
    # A renewal replaces the link, so that all files change together.
    (folder / "..data_tmp").symlink_to(dated.name)
    (folder / "..data_tmp").rename(folder / "..data")
    for name in contents:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
