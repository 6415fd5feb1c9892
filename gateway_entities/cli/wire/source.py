"""Input of the wire commands: files, folders and standard input, in every input format."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import click

from gateway_entities.text import decode_text
from gateway_entities.wire.messages.inputs import INPUT_FORMATS, InputFormat, UnreadableError, from_base64, from_hex
from gateway_entities.wire.messages.layout import message_type_named

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

input_option: Final[Decorator] = click.option(
    "--input",
    "form",
    type=click.Choice(["binary", "hex", "base64", "stream", "json"]),
    help="Input format. Default: by file suffix, else binary.",
)
type_option: Final[Decorator] = click.option(
    "--type",
    "type_name",
    metavar="NAME",
    help="Message type, such as GatewayEndpoint, gatewayentities.v1.GatewayEndpoint, or MLflow's CreateGatewayEndpoint. "
    "Default: the start of the file name (GatewayEndpoint.full.binpb), else a guess.",
)


class Source(NamedTuple):
    """The content of one input.

    Attributes:
        name: its path, or ``-`` for standard input.
        form: its input format.
        data: its bytes, with hex and base64 decoded; for JSON the text.
        type_name: the type from the option or the file name; None if neither gives one.
    """

    name: str
    form: InputFormat
    data: bytes
    type_name: str | None


def paths(given: tuple[str, ...]) -> Iterator[str]:
    """Yield the given files, and all files with a known suffix in the given folders, sorted by path."""
    for path in given or ("-",):
        if path != "-" and Path(path).is_dir():
            files = (each for each in sorted(Path(path).rglob("*")) if each.suffix in INPUT_FORMATS and each.is_file())
            yield from map(str, files)
        else:
            yield path


def read(path: str, form: InputFormat | None, type_name: str | None) -> Source:
    """Read one input.

    Raises:
        UnreadableError: it cannot be read, or does not have its format.
    """
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from None
    form = form or INPUT_FORMATS.get(Path(path).suffix, "binary")
    if form in ("hex", "base64", "json"):
        try:
            data = decode_text(data).encode()
        except ValueError as error:
            raise UnreadableError(f"it {error}") from None
    if form == "hex":
        data = from_hex(data)
    elif form == "base64":
        data = from_base64(data)
    return Source(path, form, data, type_name or _type_from_file_name(path))


def require_type(name: str | None) -> None:
    """Check the name of a message type, unless it is None.

    Raises:
        click.UsageError: no type has this name.
    """
    if name is not None:
        try:
            message_type_named(name)
        except LookupError as error:
            raise click.UsageError(f"{error.args[0]}.") from None


def exit_with(code: int) -> NoReturn:
    """End the command with an exit code."""
    click.get_current_context().exit(code)


def _type_from_file_name(path: str) -> str | None:
    name = Path(path).name.split(".", 1)[0]
    try:
        message_type_named(name)
    except LookupError:
        return None
    return name
