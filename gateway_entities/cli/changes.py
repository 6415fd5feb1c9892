"""``gateway-entities changes``: the change log."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.options.moment import TIME
from gateway_entities.cli.output import change_lines, show, to_dict

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayChange

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
@click.option("--name", metavar="NAME", help="Only changes of the resource of this name.")
@click.option("--limit", metavar="NUMBER", type=click.IntRange(min=1), help="Only the last changes, so many.")
@click.option("--follow", is_flag=True, help="Then wait for further changes, until interrupted.")
@connection_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text; with --follow one change per line.")
def changes(
    connect: Callable[[], GatewayClient],
    *,
    since: int | None,
    until: int | None,
    limit: int | None,
    follow: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """List changes of the configuration, oldest first. The alias log does the same.

    For each change: revision, time, actor and RPC; then each resource with its name, its new etag and its fields before and
    after. --json has the etags before, too. Secret values are never shown.
    """
    with connect() as client:
        if limit is None:
            listed = client.list_changes(since_revision=since, until_revision=until, **filters)
            check_since(since, listed.revision)
            found = list(listed)
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
            if as_json or not found:
                show(found, as_json=as_json)
            else:
                _print(found, as_json=False)
            return
        _print(found, as_json=as_json)
        last = max((change.revision for change in found), default=since or 0)
        while True:
            time.sleep(_POLL_S)
            found = client.list_changes(since_revision=last, **filters)
            _print(found, as_json=as_json)
            last = max((change.revision for change in found), default=last)


def _print(found: Iterable[GatewayChange], *, as_json: bool) -> None:
    for change in found:
        click.echo(json.dumps(to_dict(change)) if as_json else "\n".join(change_lines(change)))
