"""The last-known-good file: the state of a mirror, from which a gateway starts while its server is away.

It has a line with the format, the SHA-256 of what follows, and one encoded WatchGatewayResponse: a snapshot with its resume
token. It never has the value of a secret.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway_entities.errors import Code, GatewayError, WireError
from gateway_entities.files import NotRegularError, access_problem, open_regular, sync_folder
from gateway_entities.mirror.core import MirrorCore

_FORMAT: Final = b"gateway-entities mirror 1\n"
_DIGEST_BYTES: Final = 32
_MAX_BYTES: Final = 2 * 1024 * 1024 * 1024
"""Maximum size of a file, which is protobuf's of a message."""


def save_mirror(core: MirrorCore, path: Path) -> None:
    """Write the state of a mirror into a file, of mode 0600, in one step. For the thread that applies updates.

    A crash leaves the former file or the new one.

    Raises:
        GatewayError: UNAVAILABLE; it cannot be written.
    """
    snapshot = core.snapshot()
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(b"".join((_FORMAT, sha256(snapshot).digest(), snapshot)))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise GatewayError(
            Code.UNAVAILABLE, f"the mirror file {path} cannot be written: {error.strerror}", reason="MIRROR_FILE"
        ) from error


def load_mirror(path: Path) -> MirrorCore | None:
    """Return a mirror with the state of a file; None if there is no file.

    Raises:
        GatewayError: FAILED_PRECONDITION (it is not a regular file, others can read or change it, or it has another format),
            DATA_LOSS (it is damaged) or UNAVAILABLE (it cannot be read); reason MIRROR_FILE.
    """
    try:
        with open_regular(path) as file:
            problem = access_problem(path, os.fstat(file.fileno()))
            content = b"" if problem else file.read(_MAX_BYTES)
    except FileNotFoundError:
        return None
    except NotRegularError:
        raise _error(Code.FAILED_PRECONDITION, path, "is not a regular file; name another one") from None
    except OSError as error:
        raise _error(Code.UNAVAILABLE, path, f"cannot be read: {error.strerror}") from error
    if problem:
        # It decides where the gateway sends its requests.
        raise _error(Code.FAILED_PRECONDITION, path, problem)
    if not content:
        raise _error(Code.DATA_LOSS, path, "is empty; delete it")
    start = len(_FORMAT) + _DIGEST_BYTES
    digest, snapshot = content[len(_FORMAT) : start], content[start:]
    if not content.startswith(_FORMAT):
        raise _error(Code.FAILED_PRECONDITION, path, "is not a mirror file of this version; delete it")
    if sha256(snapshot).digest() != digest:
        raise _error(Code.DATA_LOSS, path, "is damaged; delete it")
    core = MirrorCore()
    try:
        update = core.apply(snapshot)
    except WireError as error:
        raise _error(Code.DATA_LOSS, path, "has a resource that this version cannot read; delete it") from error
    except GatewayError:
        update = None
    if update is None or not update.is_snapshot or not update.state.store_id:
        raise _error(Code.DATA_LOSS, path, "has no whole configuration; delete it")
    return core


def _error(code: Code, path: Path, problem: str) -> GatewayError:
    return GatewayError(code, f"the mirror file {path} {problem}", reason="MIRROR_FILE")
