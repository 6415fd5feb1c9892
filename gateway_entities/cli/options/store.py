"""Options and output of commands that open a store directly."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

import click

from gateway_entities.cli.output import printable
from gateway_entities.errors import GatewayError

STORE_VARIABLE: Final = "GATEWAY_ENTITIES_STORE"

store_option: Final = click.option(
    "--store",
    metavar="URL",
    envvar=STORE_VARIABLE,
    default="sqlite:///gateway.sqlite",
    show_default=True,
    show_envvar=True,
    help="Store URL: sqlite:///FILE, relative to the current folder, or postgresql://USER@HOST:PORT/DATABASE?OPTION=VALUE. "
    "Command lines are visible to other users: put a password in the environment variable's URL, in PGPASSWORD, or in "
    "libpq's password or service file.",
)
new_store_option: Final = click.option(
    "--new-store",
    is_flag=True,
    help="Create a missing SQLite file even if the key file or the write-ahead log of an earlier store is beside it.",
)
format_option: Final = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)


@contextmanager
def exit_2_on_error() -> Generator[None]:
    """Exit with 2 if the store cannot be used; exit code 1 is for problems found in it."""
    try:
        yield
    except GatewayError as error:
        click.echo(printable(f"error: {error}"), err=True)
        click.get_current_context().exit(2)


@contextmanager
def progress(what: str) -> Generator[Callable[[int, int], None]]:
    """Yield a function of the amounts done and total, shown as a progress bar on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=max(done, total))


def show(text: str, document: dict[str, Any], form: str) -> None:
    """Print a result as text or JSON."""
    click.echo(json.dumps(document, indent=2) if form == "json" else text)
