"""``gateway-entities endpoint resolve``: an endpoint with the credentials of its models."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.cells import printable, short_id
from gateway_entities.cli.options import names
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.options.form import Form, form_options
from gateway_entities.cli.output import document, document_text
from gateway_entities.cli.table import table, terminal_width
from gateway_entities.entities.secret_value import MASK

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import ResolvedGatewayEndpoint

_FILE_MODE: Final = 0o600
_STANDARD_OUTPUT: Final = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


@click.command()
@click.argument("key", metavar="ENDPOINT", shell_complete=names.completed(names.endpoints))
@click.option(
    "--show-values",
    is_flag=True,
    help="Show the values of the credentials, on a terminal or in the file of --into. Default: ***.",
)
@click.option(
    "--into",
    metavar="FILE",
    help="With --show-values: write JSON, or with -o yaml YAML, to this new file, mode 0600, instead of standard output.",
)
@connection_options
@form_options
def resolve(connect: Callable[[], GatewayClient], key: str, show_values: bool, into: str | None, form: Form) -> None:
    """Show an endpoint's models with their credentials. Needs a token of scope resolve.

    The server records the access, also without --show-values.
    """
    if into is not None:
        if not show_values:
            raise click.UsageError("--into is for values: give --show-values too.")
        if into in _STANDARD_OUTPUT:
            raise click.UsageError("--into: values go to a new file, not to standard output; give the file's name.")
        with _new_private_file(into) as file, connect() as client:
            found = _document(lookup.resolve_endpoint(client, key), show_values=True)
            file.write(document_text(found, form) + "\n")
        return
    if show_values and not sys.stdout.isatty():
        raise click.UsageError(
            "--show-values: standard output is not a terminal. Write the values to a file that others cannot read, with "
            "--into FILE."
        )
    with connect() as client:
        resolved = lookup.resolve_endpoint(client, key)
    if form in {"json", "yaml"}:
        click.echo(document_text(_document(resolved, show_values=show_values), form))
    elif form == "name":
        click.echo(printable(resolved.endpoint.name or "-"))
    else:
        click.echo(_table(resolved, show_values=show_values, wide=form == "wide"))


@contextmanager
def _new_private_file(path: str) -> Generator[IO[str]]:
    """Create a file that others cannot read. It is deleted after an exception.

    Raises:
        UsageError: it exists, or cannot be created.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    except OSError as error:
        raise click.UsageError(f"--into: cannot create {path}: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise


def _document(resolved: ResolvedGatewayEndpoint, *, show_values: bool) -> dict[str, Any]:
    found = {**resolved.to_dict(), "endpoint": document(resolved.endpoint)}
    if show_values:
        for model, shown in zip(resolved.models, found.get("models", ()), strict=True):
            shown["secret_value"] = model.secret_value.reveal()
    return found


def _table(resolved: ResolvedGatewayEndpoint, *, show_values: bool, wide: bool) -> str:
    rows: list[tuple[str, ...]] = []
    for model in resolved.models:
        value = model.secret_value.reveal()
        shown = value if show_values else dict.fromkeys(value, MASK)
        secret = model.secret_id if wide else short_id(model.secret_id)
        texts = (model.provider, model.model_name, _pairs(model.auth_config), _pairs(shown), secret)
        others = (model.secret_etag, model.model_definition_id, model.mapping_id) if wide else ()
        rows.append(tuple(map(printable, (*texts, *others))))
    headings = ("provider", "model_name", "auth_config", "secret_value", "secret_id")
    more = ("secret_etag", "model_definition_id", "mapping_id") if wide else ()
    # A value that is asked for is shown whole.
    width = None if wide or show_values else terminal_width()
    return table((*headings, *more), rows, width=width) if rows else "(none)"


def _pairs(settings: dict[str, str]) -> str:
    return ", ".join(f"{name}={settings[name]}" for name in sorted(settings)) or "-"
