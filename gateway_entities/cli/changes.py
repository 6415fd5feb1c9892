"""``gateway-entities changes``: the change log."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli.cells import cell, printable, short_id, time_text
from gateway_entities.cli.options import names
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.options.form import Form, form_options
from gateway_entities.cli.options.moment import TIME
from gateway_entities.cli.output import document_text
from gateway_entities.cli.spending.balance import amount_text
from gateway_entities.cli.table import cut, terminal_width

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayChange, GatewayChangeEffect, GatewayFieldDifference, GatewaySpendAdjustment

_PAGE_SIZE: Final = 1000
_POLL_S: Final = 1.0
_NOUNS: Final = ("secret", "model_definition", "endpoint", "binding", "budget_policy", "guardrail", "guardrail_config")


def check_since(since: int | None, last: int | None) -> None:
    """Check that a revision of --since exists; ``last`` is the last one.

    Raises:
        UsageError: it does not.
    """
    if since is not None and last is not None and since > last:
        raise click.UsageError(f"--since: revision {since} does not exist yet, the last one is {last}.")


@click.command()
@click.option(
    "--since", metavar="REVISION", type=click.IntRange(min=0), help="Only changes after this revision. Default: all."
)
@click.option("--until", metavar="REVISION", type=click.IntRange(min=1), help="Only changes up to this revision.")
@click.option("--after", "changed_since", metavar="TIME", type=TIME, help="Only changes at or after this time.")
@click.option("--before", "changed_before", metavar="TIME", type=TIME, help="Only changes before this time.")
@click.option("--actor", metavar="NAME", help="Only changes of this actor.")
@click.option("--noun", type=click.Choice(_NOUNS), help="Only changes of such a resource.")
@click.option(
    "--name",
    metavar="NAME",
    shell_complete=names.completed(names.everything),
    help="Only changes of the resource of this name.",
)
@click.option("--limit", metavar="NUMBER", type=click.IntRange(min=1), help="Only the last changes, so many.")
@click.option("--follow", is_flag=True, help="Then wait for further changes, until interrupted.")
@connection_options
@form_options
def changes(
    connect: Callable[[], GatewayClient],
    *,
    since: int | None,
    until: int | None,
    limit: int | None,
    follow: bool,
    form: Form,
    **filters: Any,
) -> None:
    """List changes of the configuration, oldest first. The alias log does the same.

    For each change: revision, time, actor and RPC; then each resource with its name, its id, its new etag and its fields
    before and after. -o name has the revisions only. JSON has the etags before, too; with --follow it is a line for each
    change. Secret values are never shown.
    """
    with connect() as client:
        if limit is None:
            listed = client.list_changes(since_revision=since, until_revision=until, **filters)
            check_since(since, listed.revision)
            found: Sequence[GatewayChange] = list(listed)
        else:
            newest = client.iter_changes(
                since_revision=since,
                until_revision=until,
                newest_first=True,
                page_size=min(limit, _PAGE_SIZE),
                **filters,
            )
            found = list(itertools.islice(newest, limit))[::-1]
        if not follow:
            _show(found, form)
            return
        _follow(found, form)
        last = max((change.revision for change in found), default=since or 0)
        while True:
            time.sleep(_POLL_S)
            found = client.list_changes(since_revision=last, **filters)
            _follow(found, form)
            last = max((change.revision for change in found), default=last)


def _show(found: Sequence[GatewayChange], form: Form) -> None:
    if form in {"json", "yaml"}:
        click.echo(document_text([change.to_dict() for change in found], form))
    elif found or form == "name":
        _follow(found, form)
    else:
        click.echo("(none)")


def _follow(found: Sequence[GatewayChange], form: Form) -> None:
    """Print changes so that others may follow."""
    width = terminal_width() if form == "table" else None
    for change in found:
        if form == "json":
            click.echo(document_text(change.to_dict(), form, indent=None))
        elif form == "yaml":
            click.echo(f"---\n{document_text(change.to_dict(), form)}")
        elif form == "name":
            click.echo(str(change.revision))
        else:
            click.echo("\n".join(_lines(change, width=width, brief=form == "table")))


def _lines(change: GatewayChange, *, width: int | None, brief: bool) -> list[str]:
    """Return a change as lines: the change itself, then each resource with its fields. Etags are whole."""
    actor = printable(change.actor) if change.actor is not None else "-"
    lines = [f"{change.revision}  {time_text(change.changed_at)}  {actor}  {printable(change.rpc)}"]
    for effect in (change.change, *change.effects):
        lines.append(_resource(effect, brief=brief))
        differences = [f"        {printable(_difference(each))}" for each in effect.fields]
        lines += differences if width is None else [cut(each, width) for each in differences]
    if change.spend_adjustment is not None:
        # Whole: its reason is what it is there for.
        lines.append(f"        {printable(_adjustment(change.spend_adjustment))}")
    return lines


def _adjustment(adjustment: GatewaySpendAdjustment) -> str:
    before, after = amount_text(adjustment.before_nanos), amount_text(adjustment.after_nanos)
    window = f"{time_text(adjustment.window_start_ms)} to {time_text(adjustment.window_end_ms)}"
    unit = cell("budget_unit", adjustment.budget_unit)
    return f"recorded: {before} -> {after} {unit}, {window}: {adjustment.reason}"


def _resource(effect: GatewayChangeEffect, *, brief: bool) -> str:
    verb = "+" if effect.etag_before is None else "-" if effect.etag_after is None else "~"
    name = "" if effect.name is None else f" {effect.name}"
    identifier = short_id(effect.id) if brief else effect.id
    return printable(f"    {verb} {effect.noun}{name}  {identifier}  {effect.etag_after or 'removed'}")


def _difference(difference: GatewayFieldDifference) -> str:
    if difference.before is None and difference.after is None:
        return f"{difference.path}: (secret)"
    before, after = ("-" if text is None else text for text in (difference.before, difference.after))
    return f"{difference.path}: {before} -> {after}"
