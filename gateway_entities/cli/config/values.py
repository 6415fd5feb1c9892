"""Values of secrets, read from where ``value_from`` says. No error contains any part of a value."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from gateway_entities.cli.config.nodes import Problem
from gateway_entities.cli.config.reading import ValueSource
from gateway_entities.cli.config.source import Loaded, Problems
from gateway_entities.cli.config.variables import OWN
from gateway_entities.files import NotRegularError, open_regular
from gateway_entities.text import decode_text

MAX_VALUE_BYTES: Final = 64 * 1024
"""Maximum size of one value in bytes."""
COMMAND_TIMEOUT_S: Final = 30.0
"""Seconds after which a command is stopped."""


def resolve(loaded: Loaded, *, allow_command: bool, allow_folders: Sequence[str] = ()) -> dict[str, dict[str, str]]:
    """Return the values of the secrets that name a source, by secret and key.

    Args:
        loaded: the configuration.
        allow_command: whether commands may run.
        allow_folders: folders whose files may be read, besides those below the configuration's own.

    Raises:
        Problems: every source that has no value. If there is one, no command has been run.
    """
    found: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    # Commands last, so that none of them runs for nothing.
    for source in sorted(loaded.reading.sources, key=lambda each: each.kind == "command"):
        if source.kind == "command" and problems:
            break
        try:
            found.setdefault(source.secret, {})[source.key] = _value(
                source, loaded.folders[source.mark.file], allow_command=allow_command, allow_folders=allow_folders
            )
        except ValueError as error:
            problems.append(Problem(source.mark, f"the value {source.key} of secret {source.secret} {error}"))
    if problems:
        raise Problems(problems)
    return found


def _value(source: ValueSource, root: Path, *, allow_command: bool, allow_folders: Iterable[str]) -> str:
    if source.kind == "env":
        return _checked(_variable(str(source.argument), os.environ))
    if source.kind == "file":
        base = Path.cwd() if source.mark.file == "-" else Path(source.mark.file).parent
        return _checked(_file(base / str(source.argument), [root, *map(Path, allow_folders)]))
    if not allow_command:
        raise ValueError("is the output of a command, which runs only with --allow-command")
    return _checked(_output(list(source.argument), root))


def _variable(name: str, environment: Mapping[str, str]) -> bytes:
    if name.startswith(OWN):
        raise ValueError(f"is the variable {name}, which is this program's own")
    text = environment.get(name)
    if text is None:
        raise ValueError(f"is the variable {name}, which is not set in the environment")
    return text.encode(errors="surrogateescape")


def _file(path: Path, folders: Sequence[Path]) -> bytes:
    # With all links followed: a link below the folder may lead out of it.
    try:
        real = Path(os.path.realpath(path))
    except ValueError:
        raise ValueError(f"is the file {path}, which is not a valid path") from None
    if not any(real.is_relative_to(os.path.realpath(folder)) for folder in folders):
        raise ValueError(f"is the file {path}, which is not below the folder of the configuration; see --allow-folder")
    try:
        with open_regular(real, os.O_NOFOLLOW) as file:
            return file.read(MAX_VALUE_BYTES + 1)
    except NotRegularError:
        raise ValueError(f"is {path}, which is not a regular file") from None
    except OSError as error:
        raise ValueError(f"is the file {path}, which cannot be read: {error.strerror}") from None


def _output(command: Sequence[str], folder: Path) -> bytes:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(OWN)}
    try:
        process = subprocess.Popen(  # noqa: S603 - the operator allowed it; there is no shell.
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
    except (OSError, ValueError) as error:
        raise ValueError(
            f"is the output of {command[0]}, which cannot be run: {getattr(error, 'strerror', error)}"
        ) from None
    try:
        output = _read_to_end(process, command[0])
        process.wait(timeout=COMMAND_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise _too_slow(command[0]) from None
    finally:
        # Its own children too: they have the session.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None  # noqa: S101 - it is a pipe.
        process.stdout.close()
    if process.returncode:
        raise ValueError(f"is the output of {command[0]}, which ended with exit code {process.returncode}")
    return output


def _read_to_end(process: subprocess.Popen[bytes], program: str) -> bytes:
    assert process.stdout is not None  # noqa: S101 - it is a pipe.
    deadline = time.monotonic() + COMMAND_TIMEOUT_S
    output = b""
    while True:
        ready, _, _ = select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            raise _too_slow(program)
        part = os.read(process.stdout.fileno(), 1 << 16)
        output += part
        _refuse_large(output)
        if not part:
            return output


def _too_slow(program: str) -> ValueError:
    return ValueError(f"is the output of {program}, which ran longer than {COMMAND_TIMEOUT_S:.0f} seconds")


def _refuse_large(data: bytes) -> None:
    if len(data) > MAX_VALUE_BYTES:
        raise ValueError(f"is larger than {MAX_VALUE_BYTES} bytes")


def _checked(data: bytes) -> str:
    """Return a value without its final line break."""
    _refuse_large(data)
    text = decode_text(data).removesuffix("\n").removesuffix("\r")
    if not text:
        raise ValueError("is empty")
    return text
