"""``gateway-entities wire check``: validate messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from google.protobuf.message import Message

from gateway_entities.cli.cells import printable, printable_lines
from gateway_entities.cli.wire.source import (
    Source,
    exit_with,
    import_option,
    input_option,
    not_checked,
    open_types,
    paths,
    read,
    require_type,
    schema_option,
    type_option,
)
from gateway_entities.wire.messages.guess import Guess, guess, guess_json
from gateway_entities.wire.messages.inputs import InputFormat, UnreadableError
from gateway_entities.wire.messages.output import Checked, Failed, to_json, to_sarif, to_text
from gateway_entities.wire.recorded import checked
from gateway_entities.wire.sources.image import is_image

_MOST_NAMES: Final = 5


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

    Exit codes: 0 no errors; 1 a message has an error, or with --strict a warning; 2 an input or the schema cannot be read, a
    type is unknown, or a usage error.
    """
    results: list[Checked] = []
    failures: list[Failed] = []
    try:
        types = open_types(schema, import_paths)
    except UnreadableError as error:
        click.echo(printable_lines(f"error: {error}"), err=True)
        exit_with(2)
    kind = require_type(types, type_name)
    guesses = types.of_contract and not no_guess
    skipped: list[str] = []
    for given in sources or ("-",):
        skipped += not_checked(given)
        try:
            files = paths(given)
        except UnreadableError as error:
            failures.append(Failed(given, str(error)))
            continue
        for path in files:
            try:
                results += _checked(read(path, form, types, kind), guesses=guesses)
            except UnreadableError as error:
                failures.append(Failed(path, str(error)))
    if format_ == "text":
        for each in results:
            for line in to_text(each):
                click.echo(printable(line))
        for failure in failures:
            click.echo(printable(f"error: {failure.source}: {failure.why}"), err=True)
        if skipped:
            names = ", ".join(skipped[:_MOST_NAMES]) + (", ..." if len(skipped) > _MOST_NAMES else "")
            click.echo(printable(f"not checked, as they have no suffix of messages: {names}"), err=True)
    else:
        click.echo(json.dumps((to_json if format_ == "json" else to_sarif)(results, failures, skipped), indent=2))
    bad = any(not each.report.ok or (strict and each.report.has("warning")) for each in results)
    exit_with(2 if failures else 1 if bad else 0)


def _checked(source: Source, *, guesses: bool) -> Iterator[Checked]:
    kind = source.kind
    if kind is None and source.form != "stream" and is_image(source.data):
        raise UnreadableError("it is a descriptor set or a buf image, not a message; wire compare reads it, and --schema")
    if kind is None and not guesses:
        raise UnreadableError("its type is unknown; name it <Message>.<anything>.binpb, or specify the type with --type")

    def type_of(data: bytes) -> tuple[type[Message] | str, tuple[str, ...]]:
        return (kind, ()) if kind is not None else _guessed(guess_json(data) if source.form == "json" else guess(data))

    return checked(source.name, source.data, source.form, type_of)


def _guessed(guesses: list[Guess]) -> tuple[str, tuple[str, ...]]:
    if not guesses:
        raise UnreadableError("the message type cannot be guessed; specify it with --type")
    best = guesses[0]
    rivals = [one.message_type for one in guesses[1:] if one.confidence >= best.confidence]
    also = (f"equally likely: {', '.join(rivals[:5])}",) if rivals else ()
    return best.message_type, (*best.reasons, *also)
