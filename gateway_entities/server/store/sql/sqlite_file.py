"""The file of a SQLite store: its creation, its mode, and whether it is still the file that was opened."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from gateway_entities.errors import Code, GatewayError

_FILE_MODE: Final = 0o600
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_EFFECTIVE: Final = os.access in os.supports_effective_ids
_MAGIC: Final = b"SQLite format 3\0"

# Parameters of SQLite's file URIs, https://sqlite.org/c3ref/open.html.
_READ_WRITE: Final = "mode=rw"
_READ_ONLY: Final = "mode=ro"
_IMMUTABLE: Final = "immutable=1"


class SqliteFile:
    """The file of one store. Thread-safe after ``prepare``.

    Attributes:
        path: its absolute path.
        key_file: the default key file beside it.
        wal: its write-ahead log, which exists while the store is open, and after a crash.
        access: how SQLite opens it, the parameter of its URI.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key_file = path.with_name(path.name + ".key")
        self.wal = path.with_name(path.name + "-wal")
        self._index = path.with_name(path.name + "-shm")
        self.access = _READ_WRITE
        # As text, because each write looks them up.
        self._name = str(path)
        self._wal_name = str(self.wal)
        self._identity: tuple[int, int] | None = None
        self._unchanging: tuple[int, int] | None = None

    def prepare(self, *, create: bool, new: bool) -> None:
        """Check that the file is accessible, and empty or a SQLite database; from now on only this file is the store's.

        Without ``create``, a file that cannot be written, on read-only media, is opened for reading.

        Args:
            create: create a missing file, with mode 0600.
            new: create it even beside the key file or the write-ahead log of an earlier store.

        Raises:
            GatewayError: FAILED_PRECONDITION; the message has the cause without the path.
        """
        if not self.path.parent.is_dir():
            raise unusable(f"the folder {self.path.parent} does not exist; create it first")
        # Looked for first: another process that creates a store creates its file before these.
        leftovers = [each for each in (self.key_file, self.wal) if os.path.lexists(each)]
        if not os.path.lexists(self.path):
            if not create:
                raise unusable("it does not exist")
            if leftovers and not new:
                raise _lost(leftovers)
            self._create()
        self._identity = self._check()
        if not self._can_be_written():
            if create:
                raise unusable(f"it cannot be written to, or its folder {self.path.parent} cannot")
            self.access = self._reading_access()

    @property
    def is_read_only(self) -> bool:
        """Whether it is opened for reading only."""
        return self.access != _READ_WRITE

    def require_same(self) -> None:
        """Check that the file at the path is the one that was prepared: open connections continue to use that one.

        Raises:
            GatewayError: UNAVAILABLE with reason STORE_REPLACED; it was moved, deleted or replaced.
        """
        try:
            status = os.stat(self._name)
        except OSError:
            raise _replaced("The store's file is missing") from None
        if self._identity not in {None, (status.st_dev, status.st_ino)}:
            raise _replaced(
                "The store's file was replaced while it was open; nothing is written to either file. Restart the server to "
                "use the new one"
            )

    def require_unchanged(self) -> None:
        """Check that a file that was opened as one that nothing changes has not changed, so that what was read is one state.

        Raises:
            GatewayError: UNAVAILABLE with reason STORE_CHANGED; a server uses it.
        """
        if self.access == _IMMUTABLE and (_is_there(self.wal) or self._unchanging != _version(self.path)):
            raise GatewayError(
                Code.UNAVAILABLE,
                "The store was changed while it was read, as read-only media without a write-ahead log: a server has begun "
                "to use it. Try again",
                reason="STORE_CHANGED",
            )

    def require_size(self, pages: int, page_bytes: int) -> None:
        """Check that the file is large enough for its pages: those that it lacks are in the write-ahead log.

        Args:
            pages: the number of pages that SQLite counts, in a transaction that has begun.
            page_bytes: their size.

        Raises:
            GatewayError: UNAVAILABLE with reason STORE_REPLACED; it was truncated, or overwritten by a smaller one.
        """
        try:
            size = os.stat(self._name).st_size
            # The page at 1 GiB is in neither.
            if page_bytes <= size and (pages - 1) * page_bytes <= size:
                return
            lacking = size < page_bytes or size + os.stat(self._wal_name).st_size < (pages - 1) * page_bytes
        except OSError:
            raise _replaced("The store's file, or its write-ahead log, is missing") from None
        if lacking:
            raise _replaced(
                f"The store's file has {size} bytes, fewer than its {pages} pages need: it was truncated or overwritten "
                "while it was open. Stop the server, and restore a backup"
            )

    def require_no_leftover(self) -> None:
        """Check that no write-ahead log is there without the file that it belongs to.

        Raises:
            GatewayError: FAILED_PRECONDITION; there is one, with changes of a store that SQLite would discard.
        """
        if os.path.lexists(self.wal) and not os.path.lexists(self.path):
            raise unusable(
                f"it does not exist, but its write-ahead log {self.wal} does: a server may still use the deleted file, or "
                "has crashed. Stop the server, and move the log away"
            )

    def _can_be_written(self) -> bool:
        # SQLite writes through the log and its index, and creates missing ones.
        parts = (self.path, self.wal, self._index)
        return _is_writable(self.path) and (_is_writable(self.path.parent) or all(_is_writable(each) for each in parts))

    def _reading_access(self) -> str:
        """Return how it can be read, which SQLite does through the log and its index if there are any."""
        if _is_writable(self.path.parent):
            return _READ_ONLY
        if not _is_there(self.wal) and not _is_there(self._index):
            # No process uses it: each has a log, which may be empty, and its index.
            self._unchanging = _version(self.path)
            return _IMMUTABLE
        if all(os.access(each, os.R_OK, effective_ids=_EFFECTIVE) for each in (self.wal, self._index)):
            return _READ_ONLY
        raise unusable(
            f"its folder cannot be written to, and of its write-ahead log {self.wal} and the log's index {self._index} one "
            "is missing or cannot be read. Copy the file and its log to another folder, and use the copy"
        )

    def _create(self) -> None:
        try:
            # SQLite creates its -wal and -shm files with the same mode.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE))
        except FileExistsError:
            # Another process creates the same store.
            pass
        except OSError as error:
            raise unusable(f"it cannot be created: {error.strerror}") from error

    def _check(self) -> tuple[int, int]:
        try:
            status = self.path.stat()
            if stat.S_ISDIR(status.st_mode):
                raise unusable("it is a folder")
            # Opening a FIFO would wait for its other end.
            if not stat.S_ISREG(status.st_mode):
                raise unusable("it is not a regular file")
            with self.path.open("rb") as file:
                start = file.read(len(_MAGIC))
        except OSError as error:
            raise unusable(f"it cannot be read: {error.strerror}") from error
        # SQLite treats any short file as an empty database and overwrites it.
        if start not in {b"", _MAGIC}:
            raise unusable("it is not a SQLite database")
        _require_unshared(self.path, status)
        with contextlib.suppress(FileNotFoundError):
            _require_unshared(self.wal, self.wal.stat())
        return status.st_dev, status.st_ino


def unusable(cause: str) -> GatewayError:
    """Return FAILED_PRECONDITION for a file that cannot be a store's."""
    return GatewayError(Code.FAILED_PRECONDITION, cause, reason="STORE_FILE")


def _is_there(path: Path) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise unusable(f"{path} cannot be looked for: {error.strerror}") from error
    return True


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=_EFFECTIVE)


def _require_unshared(path: Path, status: os.stat_result) -> None:
    # Who can write to it can add a token, or the address of a provider that gets the secrets.
    if status.st_mode & _WRITABLE_BY_OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise unusable(f"others can write to {path} (mode {mode:04o}); run: chmod 600 {path} - and check its tokens")


def _lost(leftovers: list[Path]) -> GatewayError:
    found = " and ".join(map(str, leftovers))
    return unusable(
        f"it does not exist, but {found} of an earlier store {'do' if leftovers[1:] else 'does'}. "
        "Put the file back, restore a backup (gateway-entities db restore), or create an empty store with --new-store"
    )


def _replaced(message: str) -> GatewayError:
    return GatewayError(Code.UNAVAILABLE, message, reason="STORE_REPLACED")
