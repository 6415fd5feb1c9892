"""Where the bytes come from that a wire command reads: files, folders and standard input, in any form."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import click

from gateway_entities.wire.messages.inputs import FORMS, Form, UnreadableError, from_base64, from_hex
from gateway_entities.wire.messages.layout import message_type_named

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

input_option: Final[Decorator] = click.option(
    "--input",
    "form",
    type=click.Choice(["binary", "hex", "base64", "stream", "json"]),
    help="The form of the input. By default the end of a file's name says it; otherwise it is binary.",
)
type_option: Final[Decorator] = click.option(
    "--type",
    "type_name",
    metavar="NAME",
    help="The type of the messages: GatewayEndpoint, gatewayentities.v1.GatewayEndpoint, or MLflow's CreateGatewayEndpoint. "
    "The default is the start of the file's name (GatewayEndpoint.full.binpb), or else a guess.",
)


class Source(NamedTuple):
    """One input, read.

    Attributes:
        name: its path, or ``-`` for standard input.
        form: the form it came in.
        data: its bytes, for the forms that are text already decoded; for JSON the text.
        type_name: the type that it is said to be; None when nothing says.
    """

    name: str
    form: Form
    data: bytes
    type_name: str | None


def paths(given: tuple[str, ...]) -> Iterator[str]:
    """Yield the files that were named, and of the folders that were named, every file with a known ending, by name."""
    for path in given or ("-",):
        if path != "-" and Path(path).is_dir():
            yield from (str(each) for each in sorted(Path(path).rglob("*")) if each.suffix in FORMS and each.is_file())
        else:
            yield path


def read(path: str, form: Form | None, type_name: str | None) -> Source:
    """Read one input.

    Raises:
        UnreadableError: it cannot be read, or is not of its form.
    """
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from None
    form = form or FORMS.get(Path(path).suffix, "binary")
    if form == "hex":
        data = from_hex(data)
    elif form == "base64":
        data = from_base64(data)
    return Source(path, form, data, type_name or _named_by_file(path))


def known_type(name: str | None) -> str | None:
    """Return the name of a type, as it was given.

    Raises:
        click.UsageError: no type has this name.
    """
    if name is not None:
        try:
            message_type_named(name)
        except LookupError as error:
            raise click.UsageError(f"{error.args[0]}.") from None
    return name


def leave(code: int) -> NoReturn:
    """End the command with an exit code."""
    click.get_current_context().exit(code)


def _named_by_file(path: str) -> str | None:
    name = Path(path).name.split(".", 1)[0]
    try:
        message_type_named(name)
    except LookupError:
        return None
    return name
