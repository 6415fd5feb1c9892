"""The files of Unix sockets that servers listen on."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

from gateway_entities.server.address import Address, address_unavailable

MODE: Final = 0o600
"""The mode of a socket file: only its owner, and root, may connect."""

_CONNECT_TIMEOUT_S: Final = 1.0


class SocketFile:
    """The file of one Unix socket: a stale one is replaced, and what is left of this one is removed."""

    def __init__(self, address: Address, protocol: str) -> None:
        """Name the file; nothing is created.

        Args:
            address: the address of a Unix socket.
            protocol: the protocol, for errors.
        """
        self._address = address
        self._protocol = protocol
        self._identity: tuple[int, int, int] | None = None

    @contextmanager
    def claimed(self) -> Generator[str]:
        """Yield the path, at which there is no file, to a block that binds a socket to it and listens.

        A private file beside it, which stays, is locked for the duration of the block, so that two servers cannot both find
        that no server listens. The block makes the socket's file private.

        Raises:
            GatewayError: UNAVAILABLE if a server listens there or starts to, another file has the path, or the folder cannot
                be used.
        """
        path = self._address.path
        try:
            # Nobody else can open it. The folder itself could be locked by every user who may read it.
            lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
        except OSError as error:
            raise self._unavailable(f"{path}.lock: {error.strerror}") from None
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._unavailable("another server starts to listen on it") from None
            self._remove_stale(path)
            try:
                yield path
                status = os.lstat(path)
            except OSError as error:
                raise self._unavailable(error.strerror or str(error)) from None
            self._identity = _identity(status)
        finally:
            os.close(lock)

    def remove(self) -> None:
        """Remove the file, unless it is another server's by now."""
        if self._identity is None:
            return
        with suppress(OSError):
            status = os.lstat(self._address.path)
            if _identity(status) == self._identity:
                os.unlink(self._address.path)

    def _remove_stale(self, path: str) -> None:
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            # Nothing is there, or the bind fails and says why.
            return
        if not stat.S_ISSOCK(mode):
            raise self._unavailable("another file has this path")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_CONNECT_TIMEOUT_S)
            try:
                client.connect(path)
            except ConnectionRefusedError:
                with suppress(OSError):
                    os.unlink(path)
                return
            except PermissionError:
                raise self._unavailable("its file belongs to another user; remove it, or choose another path") from None
            except OSError:
                # A server whose queue is full.
                pass
        raise self._unavailable("a server listens on it already; stop that one, or choose another path")

    def _unavailable(self, why: str) -> Exception:
        return address_unavailable(self._address, self._protocol, why)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    # The number of a removed file is used again. An operator may change the mode, but nothing changes this time.
    return status.st_dev, status.st_ino, status.st_mtime_ns


def bind_privately(path: str, backlog: int) -> socket.socket:
    """Return a socket that listens at a path, to which only the owner may connect."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(path)
        # Before it listens nothing can connect.
        os.chmod(path, MODE)
        listener.listen(backlog)
    except BaseException:
        listener.close()
        raise
    return listener


@contextmanager
def private_umask() -> Generator[None]:
    """Let files, those of other threads too, have no mode for others while a library binds a Unix socket."""
    before = os.umask(0o777 & ~MODE)
    try:
        yield
    finally:
        os.umask(before)
