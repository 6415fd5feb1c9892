"""``gateway-entities wire compare``: compatibility of two schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli.cells import printable, printable_lines
from gateway_entities.cli.table import table
from gateway_entities.cli.wire.source import import_option
from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    from gateway_entities.wire.reviews.review import Policy, Review, Reviewed
    from gateway_entities.wire.schemas.report import Witness, WitnessReading
    from gateway_entities.wire.sources.files import SchemaFiles

_WIDEST: Final = 400
_FILE = click.Path(path_type=Path, dir_okay=False)
_LEVELS: Final = ("binary", "json", "rules", "meaning", "calls")


@click.command()
@click.argument("sources", metavar="OLD NEW | [PATH]...", nargs=-1)
@click.option("--against", metavar="REF", help="Compare PATH (default: .) with itself at this branch, tag or commit of git.")
@click.option("--merge-base", is_flag=True, help="With --against: compare with the merge base of REF and HEAD.")
@import_option
@click.option("--only", metavar="REGEX", help="Compare only messages with a matching full name, and those they contain.")
@click.option(
    "--rename",
    "renames",
    metavar="REGEX NAME",
    nargs=2,
    multiple=True,
    help=r"Old messages that match REGEX are NAME in the new schema; \1 is a group. Repeatable.",
)
@click.option(
    "--level",
    "levels",
    multiple=True,
    type=click.Choice(_LEVELS),
    help="Fail on this level alone. Repeatable. Default: all.",
)
@click.option(
    "--direction",
    type=click.Choice(["backward", "forward", "full"]),
    default="full",
    show_default=True,
    help="The compatibility that must hold: backward (new readers, old data), forward (old readers, new data), or both.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["break", "note", "never"]),
    default="break",
    show_default=True,
    help="Exit with 1 for breaks, for compatible changes too, or never.",
)
@click.option(
    "--unstable",
    type=click.Choice(["fail", "report"]),
    default="fail",
    show_default=True,
    help="Whether breaks in packages such as v1alpha1 and v1beta1 fail, or are reported only.",
)
@click.option("--ignore", "ignore_file", metavar="FILE", type=_FILE, help="TOML file of accepted breaks.")
@click.option("--old-limits", metavar="FILE", type=_FILE, help="Field limits of the old schema, as JSON.")
@click.option("--new-limits", metavar="FILE", type=_FILE, help="Field limits of the new schema, as JSON.")
@click.option(
    "--save-limits", metavar="FILE", type=_FILE, help="Write the new schema's limits to this file, for a later --old-limits."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github", "junit", "markdown"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    *,
    sources: tuple[str, ...],
    against: str | None,
    merge_base: bool,
    import_paths: tuple[Path, ...],
    only: str | None,
    renames: tuple[tuple[str, str], ...],
    old_limits: Path | None,
    new_limits: Path | None,
    save_limits: Path | None,
    ignore_file: Path | None,
    form: str,
    **policy: Any,
) -> None:
    """Check the compatibility of two schemas, with a minimal message for each break.

    OLD and NEW are each a folder of .proto files or a single one (needs grpcio-tools), a workspace of buf, a file with a
    FileDescriptorSet or a buf image (binary, JSON or gzip), an importable Python module such as gatewayentities.v1, or
    mlflow (the installed one). With --against, one or several folders or files are compared with a commit.

    Prints the compatibility as in schema registries: BACKWARD (upgrade readers first: new ones read old data), FORWARD
    (upgrade writers first: old readers read new data), FULL (any order) or NONE.

    Exit codes: 0 nothing fails; 1 a break, by --level, --direction, --fail-on and --ignore; 2 a schema or another file
    cannot be read, nothing was compared, or a usage error.
    """
    from gateway_entities.wire.reviews.ignores import read_ignores
    from gateway_entities.wire.reviews.review import review
    from gateway_entities.wire.schemas.compare import compare as compare_schemas
    from gateway_entities.wire.schemas.limits import limits_json, read_limits
    from gateway_entities.wire.schemas.model.load import schema_of
    from gateway_entities.wire.sources.repository import repository_paths

    try:
        ignores = [] if ignore_file is None else read_ignores(ignore_file)
        files = _read(sources, against, import_paths, merge_base=merge_base)
        schemas = [schema_of(each) for each in files]
        for i, file in enumerate((old_limits, new_limits)):
            if file is not None:
                schemas[i] = schemas[i].with_limits(read_limits(file))
        if save_limits is not None:
            save_limits.write_text(limits_json(schemas[1].limits or {}))
        result = compare_schemas(schemas[0], schemas[1], only=only, renames=renames)
        if "rules" in policy["levels"] and not result.rules_compared:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                "--level rules compares the limits of fields, and those of both schemas are not known: give --old-limits "
                "and --new-limits, which --save-limits writes",
            )
        if set(policy["levels"]) == {"calls"} and not result.calls_compared:
            raise GatewayError(
                Code.FAILED_PRECONDITION, "--level calls compares services, and neither schema has one that was selected"
            )
    except (GatewayError, OSError) as error:
        text = error.message if isinstance(error, GatewayError) else str(error)
        click.echo(printable_lines(f"error: {text}"), err=True)
        ctx.exit(2)
    # Readers of the other formats look for files from the top of the repository, wherever this was run.
    old_paths, new_paths = (each.paths if form in ("text", "json") else repository_paths(each.paths) for each in files)
    reviewed = review(
        result,
        _policy(**policy),
        ignores,
        today=datetime.now(UTC).date(),
        old_paths=old_paths,
        new_paths=new_paths,
    )
    click.echo(_formatted(reviewed, form))
    ctx.exit(1 if reviewed.failed else 0)


def _read(
    sources: Sequence[str], against: str | None, import_paths: Sequence[Path], *, merge_base: bool
) -> tuple[SchemaFiles, SchemaFiles]:
    from gateway_entities.wire.sources.git import find_commit
    from gateway_entities.wire.sources.read import read_commit, read_schema, read_schemas

    if against is None:
        if merge_base:
            raise click.UsageError("--merge-base needs --against.")
        if len(sources) != 2:
            raise click.UsageError("Name two schemas, OLD and NEW; or one or more paths with --against REF.")
        return read_schema(sources[0], import_paths), read_schema(sources[1], import_paths)
    paths = [Path(source) for source in sources or (".",)]
    if missing := [path for path in paths if not path.exists()]:
        raise GatewayError(Code.INVALID_ARGUMENT, f"{missing[0]}: there is no such file or folder")
    commit = find_commit(paths[0], against, merge_base=merge_base)
    return read_commit(commit, paths, import_paths), read_schemas(paths, import_paths)


def _policy(*, levels: tuple[str, ...], direction: str, fail_on: str, unstable: str) -> Policy:
    from gateway_entities.wire.reviews.ignores import DIRECTIONS
    from gateway_entities.wire.reviews.review import FailOn, Policy
    from gateway_entities.wire.schemas.report import DifferenceLevel, Direction

    return Policy(
        levels=[level for level in DifferenceLevel if level.value in (levels or _LEVELS)],
        directions=list(Direction) if direction == "full" else [DIRECTIONS[direction]],
        fail_on=FailOn(fail_on),
        unstable_fails=unstable == "fail",
    )


def _formatted(result: Review, form: str) -> str:
    from gateway_entities import __version__
    from gateway_entities.wire.reviews.github import to_github
    from gateway_entities.wire.reviews.junit import to_junit
    from gateway_entities.wire.reviews.markdown import to_markdown
    from gateway_entities.wire.reviews.sarif import to_sarif

    if form == "json":
        return json.dumps(as_data(result), indent=2)
    if form == "sarif":
        return json.dumps(to_sarif(result, __version__), indent=2)
    if form == "junit":
        return to_junit(result).rstrip("\n")
    lines = {"github": to_github, "markdown": to_markdown, "text": _lines}[form]
    return "\n".join(lines(result))


def as_data(result: Review) -> dict[str, Any]:
    """Return a comparison as a JSON object, with bytes in hexadecimal."""
    from gateway_entities.wire.reviews.review import remarks
    from gateway_entities.wire.schemas.report import DifferenceLevel, Direction

    comparison = result.comparison
    return {
        "old": comparison.old,
        "new": comparison.new,
        "compatible": comparison.compatible,
        "failed": result.failed,
        "advice": result.compatibility.name.lower(),
        "verdicts": {d.name.lower(): {v.value: result.status(d, v) for v in DifferenceLevel} for d in Direction},
        "breaks": [_difference(each) for each in result.breaks],
        "notes": [_difference(each) for each in result.notes],
        "compared": comparison.compared,
        "compared_enums": comparison.compared_enums,
        "compared_services": comparison.compared_services,
        "only_old": list(comparison.only_old),
        "only_new": list(comparison.only_new),
        "remarks": remarks(result),
    }


def _difference(each: Reviewed) -> dict[str, Any]:
    difference = each.difference
    witness = difference.witness
    document: dict[str, Any] = {
        "rule": difference.rule,
        "direction": difference.direction.name.lower(),
        "level": difference.level.value,
        "kind": difference.kind.value,
        "element": difference.element.value,
        "subject": difference.subject,
        "number": difference.number,
        "message_type": difference.message_type,
        "message": difference.message,
        "unstable": difference.unstable,
        "fails": each.fails,
        "old_place": each.old._asdict() if each.old is not None else None,
        "new_place": each.new._asdict() if each.new is not None else None,
    }
    if each.ignored is not None:
        document["ignored"] = {"reason": each.ignored.reason, "expires": each.ignored.expires.isoformat()}
    if witness is not None:
        shown = {"message_type": witness.message_type, "hex": witness.data.hex(), "json": witness.json}
        document["witness"] = {**shown, "old": witness.old._asdict(), "new": witness.new._asdict()}
    return document


def _lines(result: Review) -> Iterator[str]:
    from gateway_entities.wire.reviews.review import remarks, summary
    from gateway_entities.wire.schemas.report import DifferenceLevel, Direction

    yield f"old: {printable(result.comparison.old)}"
    yield f"new: {printable(result.comparison.new)}"
    yield summary(result)
    rows = [[d.value, *(result.status(d, level) for level in DifferenceLevel)] for d in Direction]
    yield table(["", *(level.value for level in DifferenceLevel)], rows)
    yield f"compatibility{result.levels}: {result.compatibility.value}"
    for each in result.breaks:
        yield ""
        yield _headline("BREAK" if each.fails else "break", each)
        yield from _place_lines(each)
        if each.difference.witness is not None:
            yield from _witness_lines(each.difference.witness)
    if result.notes:
        yield ""
    yield from (_headline("note", each) for each in result.notes)
    yield from (f"remark: {printable(text)}" for text in remarks(result))


def _headline(word: str, each: Reviewed) -> str:
    difference = each.difference
    number = f" ({difference.number})" if difference.number else ""
    where = f"{difference.level.value}, {difference.direction.value}"
    unstable = " (unstable package)" if difference.unstable else ""
    return printable(f"{word} [{where}] {difference.subject}{number} {difference.message}{unstable} [{difference.rule}]")


def _place_lines(each: Reviewed) -> Iterator[str]:
    if each.where is not None:
        old = f"  (old: {each.old})" if each.old is not None and each.new is not None and each.old != each.new else ""
        yield printable(f"  at         {each.where}{old}")
    if each.ignored is not None:
        yield printable(f"  ignored    until {each.ignored.expires}: {each.ignored.reason}")


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
