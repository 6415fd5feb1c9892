"""``gateway-entities wire check``: validate messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
from google.protobuf.message import Message

from gateway_entities.cli.output import printable
from gateway_entities.cli.wire.source import (
    Source,
    exit_with,
    import_option,
    input_option,
    open_types,
    paths,
    read,
    require_type,
    schema_option,
    type_option,
)
from gateway_entities.wire.messages.check import check as check_bytes
from gateway_entities.wire.messages.guess import Guess, guess, guess_json
from gateway_entities.wire.messages.inputs import InputFormat, InputMessage, UnreadableError, check_json, from_stream
from gateway_entities.wire.messages.output import Checked, Failed, to_json, to_sarif, to_text
from gateway_entities.wire.sources.image import is_image


@click.command()
@click.argument("sources", metavar="[PATH]...", nargs=-1)
@schema_option
@import_option
@type_option
@input_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@click.option("--no-guess", is_flag=True, help="Refuse a message whose type is not given, instead of guessing it.")
@click.option("--strict", is_flag=True, help="Exit with code 1 for warnings too.")
def check(
    sources: tuple[str, ...],
    *,
    schema: str | None,
    import_paths: tuple[Path, ...],
    type_name: str | None,
    form: InputFormat | None,
    format_: str,
    no_guess: bool,
    strict: bool,
) -> None:
    """Validate messages in files, folders or standard input (-, the default), and report all findings.

    Secret values are never shown.
    """
    results: list[Checked] = []
    failures: list[Failed] = []
    try:
        types = open_types(schema, import_paths)
    except UnreadableError as error:
        click.echo(printable(f"error: {error}"), err=True)
        exit_with(2)
    kind = require_type(types, type_name)
    guesses = types.of_contract and not no_guess
    for path in paths(sources):
        try:
            results += _checked(read(path, form, types, kind), guesses=guesses)
        except UnreadableError as error:
            failures.append(Failed(path, str(error)))
    if not results and not failures:
        failures.append(Failed(", ".join(sources), "it contains no file with a known suffix"))
    if format_ == "text":
        for each in results:
            for line in to_text(each):
                click.echo(printable(line))
        for failure in failures:
            click.echo(printable(f"error: {failure.source}: {failure.why}"), err=True)
    else:
        click.echo(json.dumps((to_json if format_ == "json" else to_sarif)(results, failures), indent=2))
    bad = any(not each.report.ok or (strict and each.report.has("warning")) for each in results)
    exit_with(2 if failures else 1 if bad else 0)


def _checked(source: Source, *, guesses: bool) -> Iterator[Checked]:
    kind = source.kind
    if kind is None and source.form == "binary" and is_image(source.data):
        raise UnreadableError("it is a descriptor set or a buf image, not a message; wire compare reads it, and --schema")
    if kind is None and not guesses:
        raise UnreadableError("its type is unknown; name it <Message>.<anything>.binpb, or specify the type with --type")
    if source.form == "json":
        found, reasons = _type(kind, guess_json(source.data) if kind is None else [])
        yield Checked(source.name, None, 0, check_json(source.data, found), reasons)
        return
    stream = source.form == "stream"
    for position, part in enumerate(from_stream(source.data) if stream else [InputMessage(0, source.data)]):
        if part.finding is not None and not part.data and kind is None:
            raise UnreadableError(f"{part.finding.message} (byte {part.offset})")
        found, reasons = _type(kind, guess(part.data) if kind is None else [])
        report = check_bytes(part.data, found)
        if part.finding is not None:
            # Its offset is in the stream; those of a report are relative to the message.
            report.findings.insert(0, part.finding._replace(offset=(part.finding.offset or 0) - part.offset))
        yield Checked(source.name, position if stream else None, part.offset, report, reasons)


def _type(named: type[Message] | None, guesses: list[Guess]) -> tuple[type[Message] | str, tuple[str, ...]]:
    if named is not None:
        return named, ()
    if not guesses:
        raise UnreadableError("the message type cannot be guessed; specify it with --type")
    best = guesses[0]
    rivals = [one.message_type for one in guesses[1:] if one.confidence >= best.confidence]
    also = (f"equally likely: {', '.join(rivals[:5])}",) if rivals else ()
    return best.message_type, (*best.reasons, *also)
