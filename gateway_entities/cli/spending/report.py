"""``gateway-entities spend list``: reports of spending by day, endpoint and user."""

from __future__ import annotations

import csv
import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.cells import printable, time_text
from gateway_entities.cli.options import names
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.options.form import form_options
from gateway_entities.cli.options.moment import TIME
from gateway_entities.cli.output import document_text
from gateway_entities.cli.spending import plot as drawing
from gateway_entities.cli.spending.balance import amount_text
from gateway_entities.cli.spending.target import endpoint_names
from gateway_entities.cli.table import table, terminal_width

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewaySpendTotal

_PARTS: Final = ("day", "endpoint", "user")
_FORMS_HELP: Final = (
    "Form of the output: table fits the terminal; wide has the ids too and cuts nothing; json and yaml have nano-units; csv "
    "has units; name is the key of each row. Default: table."
)
_SUFFIXES: Final = (".svg", ".png")


def _picture(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001 - click's signature.
    if value is not None and not value.endswith(_SUFFIXES):
        raise click.BadParameter(f"{value} must end with .svg or .png.")
    return value


@click.command("list")
@click.option(
    "--by", "parts", type=click.Choice(_PARTS), multiple=True, help="Part of the key of a row. Repeatable. Default: all."
)
@click.option("--since", "since_ms", metavar="TIME", type=TIME, help="Only days that start at or after this time.")
@click.option("--until", "until_ms", metavar="TIME", type=TIME, help="Only days that start before this time.")
@click.option(
    "--endpoint",
    "key",
    metavar="ENDPOINT",
    shell_complete=names.completed(names.endpoints),
    help="Only spending on this endpoint. A deleted one is known by its id.",
)
@click.option("--user", metavar="NAME", help='Only spending of this user; "" for spending without one.')
@click.option("--plot", metavar="FILE", callback=_picture, help="Also draw it into this file, .svg or .png. Extra: plot.")
@connection_options
@functools.partial(form_options, more=("csv",), description=_FORMS_HELP)
def list_(
    connect: Callable[[], GatewayClient],
    *,
    parts: Sequence[str],
    key: str | None,
    plot: str | None,
    form: str,
    **filters: Any,
) -> None:
    """Report the recorded spending of the last 90 days by day (UTC), endpoint and user, with or without budgets.

    Corrections of budgets are not part of it.
    """
    if plot is not None:
        # Before the report is read: that may take a while.
        drawing.require()
    grouping = tuple(part for part in _PARTS if part in parts) or _PARTS
    with connect() as client:
        endpoint_id = None if key is None else lookup.endpoint_id(client, key)
        totals: Iterable[GatewaySpendTotal] = client.iter_spend(
            group_by=[part.upper() for part in grouping], endpoint_id=endpoint_id, **filters
        )
        found = endpoint_names(client) if "endpoint" in grouping else {}
        if plot is not None or form != "csv":
            totals = list(totals)
        if form == "csv":
            _write_csv(sys.stdout, totals, grouping, found)
        elif form in {"json", "yaml"}:
            click.echo(document_text([total.to_dict() for total in totals], form))
        elif form == "name":
            for cells in _cells(totals, found):
                click.echo("  ".join(printable(cells[part]) or "-" for part in grouping))
        else:
            click.echo(_table(totals, grouping, found, wide=form == "wide"))
    if plot is not None:
        drawing.draw(list(totals), grouping, found, plot)
        click.echo(printable(f"wrote {plot}"), err=True)


def _table(totals: Iterable[GatewaySpendTotal], grouping: Sequence[str], found: Mapping[str, str], *, wide: bool) -> str:
    # The id of an endpoint that is deleted is whole: nothing finds it by the beginning any more.
    ids = ("endpoint_id",) if wide and "endpoint" in grouping else ()
    columns = (*grouping, "amount", "unit", "charges", *ids)
    rows = [tuple(printable(cells[column]) or "-" for column in columns) for cells in _cells(totals, found)]
    amount = [columns.index("amount")]
    return table(columns, rows, width=None if wide else terminal_width(), whole=amount) if rows else "(none)"


def _write_csv(file: TextIO, totals: Iterable[GatewaySpendTotal], grouping: Sequence[str], found: Mapping[str, str]) -> None:
    """Write rows as they come, since a report may be long."""
    columns = [*grouping, "amount", "unit", "charges"]
    if "endpoint" in columns:
        columns.insert(columns.index("endpoint"), "endpoint_id")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for cells in _cells(totals, found):
        writer.writerow([printable(cells[column]) for column in columns])


def _cells(totals: Iterable[GatewaySpendTotal], found: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for total in totals:
        endpoint_id = total.endpoint_id or ""
        yield {
            "day": "" if total.day_start_ms is None else _day(total.day_start_ms),
            "endpoint_id": endpoint_id,
            "endpoint": found.get(endpoint_id, endpoint_id),
            "user": total.user or "",
            "amount": amount_text(total.amount_nanos),
            "unit": _unit(total),
            "charges": str(total.charges),
        }


def _day(milliseconds: int) -> str:
    """Return the day that begins at a time, such as 2026-11-21."""
    return time_text(milliseconds).partition("T")[0]


def _unit(total: GatewaySpendTotal) -> str:
    """Return the unit of an amount; an unknown one is a number."""
    return str(getattr(total.budget_unit, "name", total.budget_unit))
