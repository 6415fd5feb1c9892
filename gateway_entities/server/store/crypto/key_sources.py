"""Where key-encryption keys come from: files, environment variables and the output of commands.

Each source may hold several keys. Reading one never shows what it holds, in no error either.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.keyring import Key, KeyRing, generate_key, malformed, parse_keys

_FILE_MODE: Final = 0o600
_LONGEST: Final = 1 << 16
_HOW_TO_MAKE: Final = "make one with: gateway-entities keys generate FILE"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file that only its owner can use.

    Attributes:
        path: the file.
    """

    path: Path

    @property
    def origin(self) -> str:
        """What messages call it."""
        return f"the key file {self.path}"

    def read(self) -> list[Key]:
        """Return its keys.

        Raises:
            GatewayError: FAILED_PRECONDITION when the file is missing, cannot be read, can be used by others than its owner,
                or does not hold keys. The message says what to do.
        """
        path = self.path
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                content = file.read(_LONGEST) if stat.S_ISREG(status.st_mode) else b""
        except FileNotFoundError as error:
            raise _file(f"The key file {path} does not exist; name an existing one, or {_HOW_TO_MAKE}") from error
        except OSError as error:
            raise _file(f"The key file {path} cannot be read: {error.strerror}") from error
        if (mode := stat.S_IMODE(status.st_mode)) & 0o077:
            raise _file(
                f"The key file {path} can be used by others than its owner (mode {mode:04o}); run: chmod 600 {path} - and "
                "if others may have read it, replace the credentials that it protects"
            )
        return parse_keys(content, self.origin)

    def create(self, name: str | None = None) -> Key:
        """Make the file, which must not exist yet, with a random key in it.

        The file has mode 0600 from its first byte, and is on disk when this returns.

        Args:
            name: what to call the key; None for no name.

        Raises:
            GatewayError: FAILED_PRECONDITION when the file cannot be made, INVALID_ARGUMENT for a name of another form.
        """
        _, line = generate_key(name)
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(line)
                file.flush()
                os.fsync(descriptor)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise _file(f"The key file {self.path} cannot be made: {error.strerror}") from error
        # Without the line, and told by its file.
        return self.read()[0]


@dataclass(frozen=True, slots=True)
class KeyVariable:
    """A variable of this process's environment, which its owner and the administrator can read while it runs.

    Attributes:
        name: what it is called.
    """

    name: str

    @property
    def origin(self) -> str:
        """What messages call it."""
        return f"the environment variable {self.name}"

    def read(self) -> list[Key]:
        """Return its keys.

        Raises:
            GatewayError: FAILED_PRECONDITION when it is not set, or does not hold keys.
        """
        content = os.environb.get(os.fsencode(self.name))
        if content is None:
            raise malformed(self.origin, "it is not set")
        return parse_keys(content, self.origin)


@dataclass(frozen=True, slots=True)
class KeyCommand:
    """A command that prints keys, such as a call to a secret manager. No shell runs it, and what it prints is never shown.

    Attributes:
        command: the program and its arguments, quoted as in a shell.
        timeout: the longest that it may take, in seconds.
    """

    command: str
    timeout: float = 30.0

    @property
    def origin(self) -> str:
        """What messages call it: its program alone, because an argument may be a credential."""
        words = self._words()
        return f"the key command {words[0]}" if words else "the key command"

    def read(self) -> list[Key]:
        """Run it, and return its keys.

        Raises:
            GatewayError: INVALID_ARGUMENT when there is no command; FAILED_PRECONDITION when it cannot be run, fails, takes
                too long, or does not print keys.
        """
        words = self._words()
        if not words:
            raise GatewayError(
                Code.INVALID_ARGUMENT,
                "A key command is a program and its arguments, quoted as in a shell",
                reason="KEY_COMMAND",
            )
        try:
            process = subprocess.Popen(  # noqa: S603 - running it is what the operator asks for.
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise self._failed(f"cannot be run: {error.strerror}") from error
        with process:
            try:
                content, _ = process.communicate(timeout=self.timeout)
            except BaseException as error:
                # With whatever it has started itself, which may hold the pipe open.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise self._failed(f"has not ended within {self.timeout:g} seconds") from None
                raise
        if process.returncode != 0:
            raise self._failed(f"ended with exit code {process.returncode}")
        return parse_keys(content, self.origin)

    def _words(self) -> list[str]:
        try:
            return shlex.split(self.command)
        except ValueError:
            return []

    def _failed(self, how: str) -> GatewayError:
        return GatewayError(
            Code.FAILED_PRECONDITION,
            f"{self.origin[0].upper()}{self.origin[1:]} {how}; what it printed is not shown, so run it yourself to see why",
            reason="KEY_COMMAND",
        )


KeySource: TypeAlias = KeyFile | KeyVariable | KeyCommand
"""A place where keys are."""


def read_keys(sources: Iterable[KeySource]) -> KeyRing | None:
    """Read every key of every source; None if there is no source.

    Raises:
        GatewayError: what reading a source raises; FAILED_PRECONDITION when two different keys have one name.
    """
    keys = [key for source in sources for key in source.read()]
    return KeyRing(keys) if keys else None


def _sync_folder(folder: Path) -> None:
    # A new file's name is on disk only once its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _file(message: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, message, reason="KEY_FILE")
