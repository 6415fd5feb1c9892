"""``gateway-entities wire compare``: compatibility of two schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli.output import printable, table
from gateway_entities.errors import GatewayError

if TYPE_CHECKING:
    from gateway_entities.wire import Comparison, Difference, DifferenceLevel, Direction, Witness, WitnessReading

_WIDEST: Final = 400
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--only", metavar="REGEX", help="Compare only messages with a matching full name, and those they contain.")
@click.option(
    "--rename",
    "renames",
    metavar="REGEX NAME",
    nargs=2,
    multiple=True,
    help=r"Old messages that match REGEX are NAME in the new schema; \1 is a group. Repeatable.",
)
@click.option("--old-limits", metavar="FILE", type=_FILE, help="Field limits of the old schema, as JSON.")
@click.option("--new-limits", metavar="FILE", type=_FILE, help="Field limits of the new schema, as JSON.")
@click.option(
    "--save-limits", metavar="FILE", type=_FILE, help="Write the new schema's limits to this file, for a later --old-limits."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)
@click.pass_context
def compare(
    ctx: click.Context,
    *,
    old: str,
    new: str,
    only: str | None,
    renames: tuple[tuple[str, str], ...],
    old_limits: Path | None,
    new_limits: Path | None,
    save_limits: Path | None,
    form: str,
) -> None:
    """Check the compatibility of two schemas, with a minimal message for each break.

    OLD and NEW are each a folder of .proto files or a single one (needs grpcio-tools), a file with a FileDescriptorSet or a
    buf image, an importable Python module such as gatewayentities.v1, or mlflow (the installed one).

    Prints the compatibility as in schema registries: BACKWARD (upgrade readers first: new ones read old data), FORWARD
    (upgrade writers first: old readers read new data), FULL (any order) or NONE.

    Exit codes: 0 FULL; 1 anything breaks; 2 a schema cannot be read.
    """
    from gateway_entities.wire.schemas.compare import compare as compare_schemas
    from gateway_entities.wire.schemas.limits import limits_json, read_limits
    from gateway_entities.wire.schemas.schema import load

    try:
        schemas = [load(source) for source in (old, new)]
        for i, file in enumerate((old_limits, new_limits)):
            if file is not None:
                schemas[i] = schemas[i].with_limits(read_limits(file))
        if save_limits is not None:
            save_limits.write_text(limits_json(schemas[1].limits or {}))
        result = compare_schemas(schemas[0], schemas[1], only=only, renames=renames)
    except (GatewayError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        ctx.exit(2)
    click.echo(json.dumps(as_data(result), indent=2) if form == "json" else "\n".join(_lines(result)))
    ctx.exit(0 if result.compatible else 1)


def as_data(result: Comparison) -> dict[str, Any]:
    """Return a comparison as a JSON object, with bytes in hexadecimal."""
    from gateway_entities.wire.schemas.report import DifferenceLevel, Direction

    return {
        "old": result.old,
        "new": result.new,
        "compatible": result.compatible,
        "advice": result.compatibility.name.lower(),
        "verdicts": {d.name.lower(): {v.value: _status(result, d, v) for v in DifferenceLevel} for d in Direction},
        "breaks": [_difference(b) for b in result.breaks],
        "notes": [_difference(n) for n in result.notes],
        "compared": result.compared,
        "only_old": list(result.only_old),
        "only_new": list(result.only_new),
    }


def _status(result: Comparison, direction: Direction, level: DifferenceLevel) -> str:
    if level.value == "rules" and not result.rules_compared:
        return "not compared"
    return "breaks" if result.of(direction, level) else "ok"


def _difference(difference: Difference) -> dict[str, Any]:
    witness = difference.witness
    document: dict[str, Any] = {
        "direction": difference.direction.name.lower(),
        "level": difference.level.value,
        "kind": difference.kind.value,
        "subject": difference.subject,
        "number": difference.number,
        "message_type": difference.message_type,
        "message": difference.message,
    }
    if witness is not None:
        shown = {"message_type": witness.message_type, "hex": witness.data.hex(), "json": witness.json}
        document["witness"] = {**shown, "old": witness.old._asdict(), "new": witness.new._asdict()}
    return document


def _lines(result: Comparison) -> Iterator[str]:
    from gateway_entities.wire.schemas.report import DifferenceLevel, Direction

    yield f"old: {printable(result.old)}"
    yield f"new: {printable(result.new)}"
    yield f"{result.compared} messages compared; only old: {len(result.only_old)}; only new: {len(result.only_new)}"
    rows = [[d.value, *(_status(result, d, level) for level in DifferenceLevel)] for d in Direction]
    yield table(["", *(level.value for level in DifferenceLevel)], rows)
    yield f"compatibility: {result.compatibility.value}"
    for difference in result.breaks:
        yield ""
        yield _headline("BREAK", difference)
        if difference.witness is not None:
            yield from _witness_lines(difference.witness)
    if result.notes:
        yield ""
    yield from (_headline("note", note) for note in result.notes)


def _headline(word: str, difference: Difference) -> str:
    number = f" ({difference.number})" if difference.number else ""
    where = f"{difference.level.value}, {difference.direction.value}"
    return printable(f"{word} [{where}] {difference.subject}{number} {difference.message}")


def _witness_lines(witness: Witness) -> Iterator[str]:
    yield f"  witness    {witness.message_type}, {len(witness.data)} bytes"
    yield f"    hex      {_cut(witness.data.hex(' ')) or '(no bytes)'}"
    if witness.json is not None:
        yield f"    json     {_cut(printable(witness.json))}"
    for name, reading in (("old reads", witness.old), ("new reads", witness.new)):
        yield from (f"    {name}  {line}" for line in _reading_lines(reading))


def _reading_lines(reading: WitnessReading) -> Iterator[str]:
    if reading.fault is not None:
        yield f"rejected: {_cut(printable(reading.fault))}"
    if reading.text is not None:
        yield f"text {_cut(reading.text) or '(nothing)'}"
    if reading.json is not None:
        yield f"json {_cut(printable(reading.json))}"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
