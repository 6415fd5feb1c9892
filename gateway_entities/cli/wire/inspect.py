"""``gateway-entities wire inspect``: what bytes say, byte for byte."""

from __future__ import annotations

import json

import click

from gateway_entities.cli.output import printable
from gateway_entities.cli.wire.source import input_option, known_type, leave, read, type_option
from gateway_entities.wire.messages.inputs import Form, Part, UnreadableError, from_stream
from gateway_entities.wire.messages.inspect import inspect as inspect_bytes
from gateway_entities.wire.messages.inspect import render


@click.command()
@click.argument("source", metavar="[PATH]", default="-")
@type_option
@input_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, instead of columns.")
def inspect(source: str, type_name: str | None, form: Form | None, as_json: bool) -> None:
    """Show what a message holds, piece by piece: bytes from and to, field number, name, type and value.

    The pieces follow one another without a gap. Without a type, what they hold is a guess, and is marked as one. Values of
    secrets are never shown.
    """
    known_type(type_name)
    try:
        read_source = read(source, form, type_name)
        if read_source.form == "json":
            raise UnreadableError("JSON needs no inspection: it shows what it says")
    except UnreadableError as error:
        click.echo(printable(f"error: {source}: {error}"), err=True)
        leave(2)
    stream = read_source.form == "stream"
    for position, part in enumerate(from_stream(read_source.data) if stream else [Part(0, read_source.data)]):
        if stream and not as_json:
            click.echo(f"message {position}, {len(part.data)} bytes from byte {part.offset}")
        pieces = inspect_bytes(part.data, read_source.type_name)
        if as_json:
            for piece in pieces:
                click.echo(json.dumps({"message": position, **piece._asdict()}))
        else:
            for line in render(pieces):
                click.echo(printable(line))
        if part.finding is not None:
            click.echo(f"error: {part.finding.message}", err=True)
            leave(1)
