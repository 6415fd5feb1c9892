"""``gateway-entities wire inspect``: decode a message byte by byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from gateway_entities.cli.cells import printable, printable_lines
from gateway_entities.cli.wire.source import (
    exit_with,
    import_option,
    input_option,
    open_types,
    read,
    require_type,
    schema_option,
    type_option,
)
from gateway_entities.wire.messages.inputs import InputFormat, InputMessage, UnreadableError, from_stream
from gateway_entities.wire.messages.inspect import WirePiece, render
from gateway_entities.wire.messages.inspect import inspect as inspect_bytes


@click.command()
@click.argument("source", metavar="[PATH]", default="-")
@schema_option
@import_option
@type_option
@input_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line instead of columns.")
def inspect(
    source: str,
    *,
    schema: str | None,
    import_paths: tuple[Path, ...],
    type_name: str | None,
    form: InputFormat | None,
    as_json: bool,
) -> None:
    """Show every piece of a message: byte range, field number, name, type and value.

    The pieces cover the input without gaps. Without a type, their content is a guess and marked as one. Secret values are
    never shown.

    Exit codes: 0 everything was shown; 1 some bytes are not in the wire format; 2 the input or the schema cannot be read, or
    a usage error.
    """
    try:
        types = open_types(schema, import_paths)
        read_source = read(source, form, types, require_type(types, type_name))
        if read_source.form == "json":
            raise UnreadableError("JSON cannot be inspected, only binary messages")
    except UnreadableError as error:
        click.echo(printable_lines(f"error: {source}: {error}"), err=True)
        exit_with(2)
    unreadable: list[int] = []

    def watched(pieces: Iterator[WirePiece]) -> Iterator[WirePiece]:
        for piece in pieces:
            if piece.type == "unreadable" and not piece.number:
                unreadable.append(piece.start)
            yield piece

    stream = read_source.form == "stream"
    for position, part in enumerate(from_stream(read_source.data) if stream else [InputMessage(0, read_source.data)]):
        if stream and not as_json:
            click.echo(f"message {position}, {len(part.data)} bytes from byte {part.offset}")
        pieces = watched(inspect_bytes(part.data, read_source.kind))
        if as_json:
            for piece in pieces:
                click.echo(json.dumps({"message": position, **piece._asdict()}))
        else:
            for line in render(pieces):
                click.echo(printable(line))
        if part.finding is not None:
            click.echo(f"error: {part.finding.message}", err=True)
            unreadable.append(part.offset)
    exit_with(1 if unreadable else 0)
