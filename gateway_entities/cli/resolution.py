"""``gateway-entities endpoint resolve``: an endpoint with the credentials of its models."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.output import printable, table
from gateway_entities.entities.secret_value import MASK

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import ResolvedGatewayEndpoint

_FILE_MODE: Final = 0o600
_STANDARD_OUTPUT: Final = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


@click.command()
@click.argument("key", metavar="ENDPOINT")
@click.option(
    "--show-values",
    is_flag=True,
    help="Show the values of the credentials, on a terminal or in the file of --output. Default: ***.",
)
@click.option(
    "--output",
    metavar="FILE",
    help="With --show-values: write JSON to this new file, mode 0600, instead of standard output.",
)
@connection_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def resolve(connect: Callable[[], GatewayClient], key: str, show_values: bool, output: str | None, as_json: bool) -> None:
    """Show an endpoint's models with their credentials. Needs a token of scope resolve.

    The server records the access, also without --show-values.
    """
    if output is not None:
        if not show_values:
            raise click.UsageError("--output is for values: give --show-values too.")
        if output in _STANDARD_OUTPUT:
            raise click.UsageError("--output: values go to a new file, not to standard output; give the file's name.")
        with _new_private_file(output) as file, connect() as client:
            file.write(_json(lookup.resolve_endpoint(client, key), show_values=True) + "\n")
        return
    if show_values and not sys.stdout.isatty():
        raise click.UsageError(
            "--show-values: standard output is not a terminal. Write the values to a file that others cannot read, with "
            "--output FILE."
        )
    with connect() as client:
        resolved = lookup.resolve_endpoint(client, key)
    form = _json if as_json else _table
    click.echo(form(resolved, show_values=show_values))


@contextmanager
def _new_private_file(path: str) -> Generator[IO[str]]:
    """Create a file that others cannot read. It is deleted after an exception.

    Raises:
        UsageError: it exists, or cannot be created.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    except OSError as error:
        raise click.UsageError(f"--output: cannot create {path}: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise


def _json(resolved: ResolvedGatewayEndpoint, *, show_values: bool) -> str:
    from google.protobuf.json_format import MessageToDict

    proto = resolved.to_proto()
    if not show_values:
        for model in proto.models:
            for name in list(model.secret_value):
                model.secret_value[name] = MASK
    document: dict[str, Any] = MessageToDict(proto)
    return json.dumps(document, indent=2)


def _table(resolved: ResolvedGatewayEndpoint, *, show_values: bool) -> str:
    rows: list[tuple[str, ...]] = []
    for model in resolved.models:
        value = model.secret_value.reveal()
        shown = value if show_values else dict.fromkeys(value, MASK)
        texts = (model.provider, model.model_name, model.secret_id, _pairs(model.auth_config), _pairs(shown))
        rows.append(tuple(map(printable, texts)))
    headings = ("provider", "model_name", "secret_id", "auth_config", "secret_value")
    return table(headings, rows) if rows else "(none)"


def _pairs(settings: dict[str, str]) -> str:
    return ", ".join(f"{name}={settings[name]}" for name in sorted(settings)) or "-"
