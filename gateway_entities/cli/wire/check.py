"""``gateway-entities wire check``: validate messages."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from gateway_entities.cli.output import printable
from gateway_entities.cli.wire.source import Source, exit_with, input_option, paths, read, require_type, type_option
from gateway_entities.wire.messages.check import check as check_bytes
from gateway_entities.wire.messages.guess import Guess, guess, guess_json
from gateway_entities.wire.messages.inputs import InputFormat, InputMessage, UnreadableError, check_json, from_stream
from gateway_entities.wire.messages.output import Checked, Failed, to_json, to_sarif, to_text


@click.command()
@click.argument("sources", metavar="[PATH]...", nargs=-1)
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
@click.option("--strict", is_flag=True, help="Exit with code 1 for warnings too.")
def check(sources: tuple[str, ...], type_name: str | None, form: InputFormat | None, format_: str, strict: bool) -> None:
    """Validate messages in files, folders or standard input (-, the default), and report all findings.

    Secret values are never shown.
    """
    results: list[Checked] = []
    failures: list[Failed] = []
    require_type(type_name)
    for path in paths(sources):
        try:
            results += _checked(read(path, form, type_name))
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


def _checked(source: Source) -> Iterator[Checked]:
    if source.form == "json":
        name, reasons = _type(source.type_name, guess_json(source.data) if source.type_name is None else [])
        yield Checked(source.name, None, 0, check_json(source.data, name), reasons)
        return
    stream = source.form == "stream"
    for position, part in enumerate(from_stream(source.data) if stream else [InputMessage(0, source.data)]):
        if part.finding is not None and not part.data and source.type_name is None:
            raise UnreadableError(f"{part.finding.message} (byte {part.offset})")
        name, reasons = _type(source.type_name, guess(part.data) if source.type_name is None else [])
        report = check_bytes(part.data, name)
        if part.finding is not None:
            # Its offset is in the stream; those of a report are relative to the message.
            report.findings.insert(0, part.finding._replace(offset=(part.finding.offset or 0) - part.offset))
        yield Checked(source.name, position if stream else None, part.offset, report, reasons)


def _type(named: str | None, guesses: list[Guess]) -> tuple[str, tuple[str, ...]]:
    if named is not None:
        return named, ()
    if not guesses:
        raise UnreadableError("the message type cannot be guessed; specify it with --type")
    best = guesses[0]
    rivals = [one.message_type for one in guesses[1:] if one.confidence >= best.confidence]
    also = (f"equally likely: {', '.join(rivals[:5])}",) if rivals else ()
    return best.message_type, (*best.reasons, *also)
