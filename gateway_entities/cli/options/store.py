"""Options and output of commands that open a store directly."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

import click

from gateway_entities.cli.cells import printable
from gateway_entities.cli.options.form import Form, form_options
from gateway_entities.cli.output import document_text
from gateway_entities.errors import Code, GatewayError

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


def format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-o``, ``--json`` and ``--format``; the command gets ``form``."""

    @functools.wraps(function)
    def run(*args: Any, form: Form, output_format: str | None, **others: Any) -> Any:
        given = {"text": "table", "json": "json", None: form}[output_format]
        return function(*args, form=given, **others)

    return form_options(_FORMAT(run))


_FORMAT: Final = click.option(
    "--format", "output_format", type=click.Choice(["text", "json"]), help="The same as -o table or -o json."
)


@contextmanager
def exit_2_on_error(*codes: Code) -> Generator[None]:
    """Exit with 2 if the store cannot be used; exit code 1 is for problems found in it.

    Args:
        codes: the codes of the errors for which it does; none means all.
    """
    try:
        yield
    except GatewayError as error:
        if codes and error.code not in codes:
            raise
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


def show(text: str, document: dict[str, Any] | list[dict[str, Any]], form: Form) -> None:
    """Print a result as text, or its document as JSON or YAML."""
    shown = document_text(document, form) if form in {"json", "yaml"} else text
    # The names of nothing.
    if shown:
        click.echo(shown)
