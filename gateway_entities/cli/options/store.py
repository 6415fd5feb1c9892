"""What commands have in common that open a store themselves: where it is, what they print, how far they are."""

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
    help="Where the configuration is kept: sqlite:///FILE, whose relative path starts at the current folder, or "
    "postgresql://USER@HOST:PORT/DATABASE?OPTION=VALUE. Others can read a command line: give the password in the URL of the "
    "environment variable, in PGPASSWORD, or in libpq's password or service file.",
)
format_option: Final = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)


@contextmanager
def refusals() -> Generator[None]:
    """End the command with 2 when the store cannot be used at all: 1 says that something was found in it."""
    try:
        yield
    except GatewayError as error:
        click.echo(printable(f"error: {error}"), err=True)
        click.get_current_context().exit(2)


@contextmanager
def progress(what: str) -> Generator[Callable[[int, int], None]]:
    """Give a function to tell how much is done, and how much there is: a terminal shows it as a bar."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=max(done, total))


def show(text: str, document: dict[str, Any], form: str) -> None:
    """Print a result: its text for people, or its document for programs."""
    click.echo(json.dumps(document, indent=2) if form == "json" else text)
