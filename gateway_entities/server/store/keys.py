"""The key file: one line, the base64 of the 32 bytes of the key-encryption key, for its owner's eyes only."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path
from typing import Final

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.encryption import KEY_BYTES

_FILE_MODE: Final = 0o600
_LONGEST_FILE: Final = 1024
_HOW_TO_MAKE: Final = "make one with: (umask 077 && head -c 32 /dev/urandom | base64 > FILE)"


def read_key(path: Path) -> bytes:
    """Read a key-encryption key.

    Args:
        path: the key file.

    Returns:
        The key, 32 bytes.

    Raises:
        GatewayError: FAILED_PRECONDITION when the file is missing, cannot be read, can be used by others than its owner, or
            does not hold a key. The message says what to do.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_LONGEST_FILE) if stat.S_ISREG(status.st_mode) else b""
    except FileNotFoundError as error:
        raise _refusal(f"The key file {path} does not exist; name an existing one, or {_HOW_TO_MAKE}") from error
    except OSError as error:
        raise _refusal(f"The key file {path} cannot be read: {error.strerror}") from error
    if stat.S_IMODE(status.st_mode) & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise _refusal(
            f"The key file {path} can be used by others than its owner (mode {mode:04o}); run: chmod 600 {path} - and if "
            "others may have read it, replace the credentials that it protects"
        )
    return _decode(path, content)


def create_key(path: Path) -> bytes:
    """Make a random key-encryption key and its file, which must not exist yet.

    The file has mode 0600 from its first byte, and is on disk when this returns.

    Raises:
        GatewayError: FAILED_PRECONDITION when the file cannot be made.
    """
    key = os.urandom(KEY_BYTES)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key) + b"\n")
            file.flush()
            os.fsync(descriptor)
        _sync_folder(path.parent)
    except OSError as error:
        raise _refusal(f"The key file {path} cannot be made: {error.strerror}") from error
    return key


def _decode(path: Path, content: bytes) -> bytes:
    try:
        key = base64.b64decode(content.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise _refusal(
            f"The key file {path} does not hold a key: one line with the base64 of {KEY_BYTES} bytes is expected. Restore "
            f"it from a backup; or, if the store holds no secrets yet, remove it and {_HOW_TO_MAKE}"
        )
    return key


def _sync_folder(folder: Path) -> None:
    # A new file's name is on disk only once its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refusal(message: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, message, reason="KEY_FILE")
