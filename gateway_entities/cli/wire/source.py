"""Input of the wire commands: files, folders and standard input, in every input format."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import click
from google.protobuf.message import Message

from gateway_entities.errors import GatewayError
from gateway_entities.wire.messages.inputs import INPUT_FORMATS, TEXT_FORMAT, InputFormat, UnreadableError
from gateway_entities.wire.messages.types import NamedTypes, named_types
from gateway_entities.wire.recorded import content, is_recorded, unrecorded

MAX_INPUT_BYTES: Final = 2**31 - 1
"""The size of one input, in bytes: protobuf's limit of one message."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

input_option: Final[Decorator] = click.option(
    "--input",
    "form",
    type=click.Choice(["binary", "hex", "base64", "stream", "json"]),
    help="Input format. Default: by file suffix, else binary.",
)
schema_option: Final[Decorator] = click.option(
    "--schema",
    metavar="SCHEMA",
    help="Schema of the messages: a folder of .proto files, a workspace of buf, a descriptor set, a buf image, or a Python "
    "module. Default: the contract of this package.",
)
import_option: Final[Decorator] = click.option(
    "-I",
    "import_paths",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A further folder that imports of .proto files are relative to. Repeatable.",
)
type_option: Final[Decorator] = click.option(
    "--type",
    "type_name",
    metavar="NAME",
    help="Message type, such as GatewayEndpoint, gatewayentities.v1.GatewayEndpoint, or MLflow's CreateGatewayEndpoint. "
    "Default: the start of the file name (GatewayEndpoint.full.binpb), else a guess, which only the contract has.",
)


class Source(NamedTuple):
    """The content of one input.

    Attributes:
        name: its path, or ``-`` for standard input.
        form: its input format.
        data: its bytes, with hex and base64 decoded; for JSON the text.
        kind: the type from the option or the file name; None if neither gives one.
    """

    name: str
    form: InputFormat
    data: bytes
    kind: type[Message] | None


def open_types(schema: str | None, import_paths: tuple[Path, ...]) -> NamedTypes:
    """Return the message types of a schema; those of the contract for None.

    Raises:
        UnreadableError: it cannot be read.
    """
    try:
        return named_types(schema, import_paths)
    except GatewayError as error:
        raise UnreadableError(error.message) from None


def require_type(types: NamedTypes, name: str | None) -> type[Message] | None:
    """Return the type of this name; None for None.

    Raises:
        click.UsageError: no type has this name.
    """
    try:
        return None if name is None else types.named(name)
    except LookupError as error:
        raise click.UsageError(f"{error.args[0]}.") from None


def paths(given: str) -> list[str]:
    """Return a given file, or all files with a suffix of messages in a given folder, sorted by path.

    The manifest of a folder of golden vectors is no message, and left out.

    Raises:
        UnreadableError: the folder has no such file.
    """
    if given == "-" or not Path(given).is_dir():
        return [given]
    if found := [str(each) for each in sorted(Path(given).rglob("*")) if is_recorded(each)]:
        return found
    raise UnreadableError(f"it contains no file with a suffix of messages: {', '.join(sorted(INPUT_FORMATS))}")


def not_checked(given: str) -> list[str]:
    """Return the files in a given folder that have no suffix of messages."""
    return list(map(str, unrecorded(Path(given)))) if given != "-" and Path(given).is_dir() else []


def read(path: str, form: InputFormat | None, types: NamedTypes, kind: type[Message] | None) -> Source:
    """Read one input.

    Args:
        path: the file; ``-`` for standard input.
        form: its format; None for that of its suffix.
        types: the message types.
        kind: its type; None for that of its name.

    Raises:
        UnreadableError: it cannot be read, or does not have its format.
    """
    if form is None and Path(path).suffix in TEXT_FORMAT:
        raise UnreadableError("it is in protobuf's text format, which is not read; convert it, such as with protoc --encode")
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_INPUT_BYTES + 1)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from None
    if len(data) > MAX_INPUT_BYTES:
        raise UnreadableError(f"it has more than {MAX_INPUT_BYTES} bytes, the most that protobuf reads")
    form = form or INPUT_FORMATS.get(Path(path).suffix, "binary")
    return Source(path, form, content(data, form), kind or types.of_file(path))


def exit_with(code: int) -> NoReturn:
    """End the command with an exit code."""
    click.get_current_context().exit(code)
