"""Configuration files and folders."""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from gateway_entities.cli.cells import printable
from gateway_entities.cli.config.nodes import (
    MAX_FILE_BYTES,
    MAX_ITEMS,
    Allowance,
    DocumentError,
    ListNode,
    MappingNode,
    Mark,
    Node,
    Problem,
    documents,
)
from gateway_entities.cli.config.reading import Reading, read
from gateway_entities.cli.config.variables import replace
from gateway_entities.entities import GatewayConfiguration
from gateway_entities.errors import FieldViolation, GatewayError
from gateway_entities.text import decode_text

DEFAULT: Final = "gateway.yaml"
"""The file that is read if none is given."""
MAX_FILES: Final = 1000
"""Maximum number of files."""
MAX_SHOWN: Final = 100
"""Maximum number of problems that are printed."""

_SUFFIXES: Final = (".yaml", ".yml", ".json")


class Problems(click.ClickException):
    """Prints problems with their positions, one per line. Exit code 1."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self._problems = problems

    def show(self, file: object = None) -> None:  # noqa: ARG002 - click's signature.
        """Print the problems."""
        # Wherever several lists say the same of one place, once is enough.
        lines = list(dict.fromkeys(f"{each.mark}: {each.description}" for each in self._problems))
        for line in lines[:MAX_SHOWN]:
            click.echo(printable(line), err=True)
        if len(lines) > MAX_SHOWN:
            click.echo(f"... and {len(lines) - MAX_SHOWN} more", err=True)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration with the files that it comes from.

    Attributes:
        configuration: the configuration.
        reading: its positions and the sources of its secret values.
        folders: the folder below which a file may name files, by file.
    """

    configuration: GatewayConfiguration
    reading: Reading
    folders: Mapping[str, Path]

    def explain(self, error: GatewayError) -> Exception:
        """Return the error of a call with the positions of what it names in the files."""
        placed = [each for each in error.field_violations if each.field.startswith("configuration.")]
        if not placed:
            return error
        others = [FieldViolation(each.field, each.description) for each in error.field_violations if each not in placed]
        return Problems([*self.reading.locate(placed), *self.reading.locate(others)])


def load(paths: Sequence[str], environment: Mapping[str, str] | None = None) -> Loaded:
    """Return the configuration of files and folders.

    Args:
        paths: files, folders, or ``-`` for standard input; none means ``gateway.yaml``.
        environment: the variables; None means those of the process.

    Raises:
        Problems: all that is wrong with them.
        UsageError: a path cannot be read.
    """
    nodes: list[Node] = []
    problems: list[Problem] = []
    folders: dict[str, Path] = {}
    sizes, allowance = Counter[str](), Allowance()
    for number, (name, folder) in enumerate(files(paths or (DEFAULT,))):
        if number >= MAX_FILES:
            raise click.UsageError(f"There are more than {MAX_FILES} files.")
        folders[name] = folder
        try:
            found = documents(name, _text(name), allowance)
        except DocumentError as error:
            problems.append(error.problem)
            continue
        for node in found:
            _refuse_many(node, sizes)
            replaced, faults = replace(node, os.environ if environment is None else environment)
            problems += faults
            nodes.append(replaced)
    if problems:
        raise Problems(problems)
    reading = read(nodes)
    if reading.problems:
        raise Problems(reading.problems)
    return Loaded(GatewayConfiguration.from_proto(reading.message), reading, folders)


def _refuse_many(node: Node, sizes: Counter[str]) -> None:
    """Stop where the lists of several files have too many items together: each file has been read within its limits."""
    for key, item in node.entries.items() if isinstance(node, MappingNode) else ():
        if isinstance(item, ListNode):
            sizes[key] += len(item.items)
            if sizes[key] > MAX_ITEMS:
                raise Problems([Problem(item.mark, f"is beyond the limit of {MAX_ITEMS} {key} in all files")])


def read_documents(name: str) -> tuple[str, list[Node]]:
    """Return the text of a file and its documents, as they are written.

    Raises:
        Problems: it cannot be read.
        UsageError: it cannot be opened.
    """
    try:
        text = _text(name)
        return text, documents(name, text)
    except DocumentError as error:
        raise Problems([error.problem]) from None


def files(paths: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield each file with the folder below which it may name files.

    Raises:
        UsageError: a folder has no files, or one that is not a regular file below it.
    """
    for path in paths:
        if path == "-":
            yield path, Path.cwd()
        elif Path(path).is_dir():
            # Links are followed only where they are given.
            found = sorted(
                os.path.join(folder, name)
                for folder, folders, names in os.walk(path)
                if not folders.__setitem__(slice(None), [each for each in folders if not each.startswith(".")])
                for name in names
                if name.endswith(_SUFFIXES) and not name.startswith(".")
            )
            if not found:
                raise click.UsageError(f"{path} has no files that end in {', '.join(_SUFFIXES)}.")
            for each in found:
                _require_below(each, path)
                yield each, Path(path)
        else:
            yield path, Path(path).parent


def _require_below(name: str, folder: str) -> None:
    # A repository can hold links to files of the operator that plans it.
    real = Path(os.path.realpath(name))
    if not real.is_relative_to(os.path.realpath(folder)):
        raise click.UsageError(f"{name} is a link to a file that is not below {folder}.")
    if real.exists() and not real.is_file():
        raise click.UsageError(f"{name} is not a regular file.")


def _text(name: str) -> str:
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
                    raise click.UsageError(f"{name} is a folder.")
                data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise click.UsageError(f"Cannot read {name}: {error.strerror}.") from None
    if len(data) > MAX_FILE_BYTES:
        raise DocumentError(Mark(name, 1, 1), f"is larger than {MAX_FILE_BYTES} bytes")
    try:
        return decode_text(data)
    except ValueError as error:
        raise DocumentError(Mark(name, 1, 1), str(error)) from None
