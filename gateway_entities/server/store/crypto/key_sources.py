"""Sources of key-encryption keys: files, environment variables and commands.

A source may hold several keys. Errors never contain its content.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from gateway_entities.errors import Code, GatewayError
from gateway_entities.files import NotRegularError, access_problem, open_regular, sync_folder
from gateway_entities.server.store.crypto.keyring import Key, KeyRing, generate_key, malformed, parse_keys

_FILE_MODE: Final = 0o600
_MAX_SIZE: Final = 1 << 16
_HOW_TO_CREATE: Final = "create one with: gateway-entities keys generate FILE"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file: a regular and private file, see :func:`gateway_entities.files.access_problem`.

    Attributes:
        path: the file.
    """

    path: Path

    @property
    def origin(self) -> str:
        """Description for messages."""
        return f"the key file {self.path}"

    def read(self) -> list[Key]:
        """Return its keys.

        Raises:
            GatewayError: FAILED_PRECONDITION; the file is missing, unreadable, not a regular file, accessible to others, of
                another user, or malformed.
        """
        path = self.path
        try:
            with open_regular(path) as file:
                status = os.fstat(file.fileno())
                content = file.read(_MAX_SIZE)
            problem = access_problem(path, status)
        except FileNotFoundError as error:
            raise _file(f"The key file {path} does not exist; use an existing one, or {_HOW_TO_CREATE}") from error
        except NotRegularError:
            raise _file(
                f"The key file {path} is not a regular file; for the output of a command use --key-command"
            ) from None
        except OSError as error:
            raise _file(f"The key file {path} cannot be read: {error.strerror}") from error
        if problem is not None:
            raise _file(
                f"The key file {path} {problem} - and if others may have read it, replace the credentials that it protects"
            )
        return parse_keys(content, self.origin)

    def create(self, name: str | None = None) -> Key:
        """Create the file with a random key, mode 0600 and fsync. It must not exist.

        Args:
            name: the key's name; None for none.

        Raises:
            GatewayError: FAILED_PRECONDITION (the file cannot be created) or INVALID_ARGUMENT (the name is malformed).
        """
        _, line = generate_key(name)
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(line)
                file.flush()
                os.fsync(descriptor)
            sync_folder(self.path.parent)
        except OSError as error:
            raise _file(f"The key file {self.path} cannot be created: {error.strerror}") from error
        # Read again, so that the key has the file as its origin.
        return self.read()[0]


@dataclass(frozen=True, slots=True)
class KeyVariable:
    """An environment variable. Its content is readable by the process's user and by root.

    Attributes:
        name: its name.
    """

    name: str

    @property
    def origin(self) -> str:
        """Description for messages."""
        return f"the environment variable {self.name}"

    def read(self) -> list[Key]:
        """Return its keys.

        Raises:
            GatewayError: FAILED_PRECONDITION; it is not set or malformed.
        """
        content = os.environb.get(os.fsencode(self.name))
        if content is None:
            raise malformed(self.origin, "it is not set")
        return parse_keys(content, self.origin)


@dataclass(frozen=True, slots=True)
class KeyCommand:
    """A command that prints keys, such as the client of a secret manager. It runs without a shell.

    Attributes:
        command: the program and its arguments, quoted as in a shell.
        timeout: its timeout, in seconds.
    """

    command: str
    timeout: float = 30.0

    @property
    def origin(self) -> str:
        """Description for messages: the program without its arguments, which may contain a credential."""
        words = self._words()
        return f"the key command {words[0]}" if words else "the key command"

    def read(self) -> list[Key]:
        """Run it, and return its keys.

        Raises:
            GatewayError: INVALID_ARGUMENT (no command) or FAILED_PRECONDITION (it cannot be run, fails, times out, or its
                output is malformed).
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
                # The whole group, because a child process may hold the pipe open.
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
            f"{self.origin[0].upper()}{self.origin[1:]} {how}; its output is not shown, so run it yourself to see the cause",
            reason="KEY_COMMAND",
        )


KeySource: TypeAlias = KeyFile | KeyVariable | KeyCommand
"""A source of keys."""


def read_keys(sources: Iterable[KeySource]) -> KeyRing | None:
    """Read the keys of all sources; None without sources.

    Raises:
        GatewayError: as ``read`` of the sources; FAILED_PRECONDITION if two different keys have the same name.
    """
    keys = [key for source in sources for key in source.read()]
    return KeyRing(keys) if keys else None


def _file(message: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, message, reason="KEY_FILE")
