"""``gateway-entities secret``: credentials, read from files or standard input, never from arguments."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.command import (
    CREATE_OPTIONS,
    MUTATION_OPTIONS,
    UPDATE_OPTIONS,
    Group,
    changes_nothing,
    clear_option,
    client_command,
    update_mask,
)
from gateway_entities.cli.options import names
from gateway_entities.cli.output import Done
from gateway_entities.errors import Code, GatewayError
from gateway_entities.text import decode_text, without_mark

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewaySecretAccess, GatewaySecretInfo

_MAX_BYTES: Final = 1024 * 1024
"""Maximum size of a file with values, several times what a secret may have."""
_SECRET: Final = click.argument("key", metavar="SECRET", shell_complete=names.completed(names.secrets))
_AUTH_CONFIG: Final = click.option(
    "--auth-config",
    metavar="KEY VALUE",
    nargs=2,
    multiple=True,
    help="Non-secret setting, such as: region eu-west-1. Repeatable.",
)


def _values(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--values-file",
            metavar="FILE",
            help='File with the whole value, a JSON object of strings; "-" is standard input.',
        ),
        click.option(
            "--value-file",
            "value_files",
            metavar="KEY=FILE",
            multiple=True,
            help='File with the value of one key, without its final line break; "-" is standard input. Repeatable.',
        ),
    ):
        function = option(function)
    return function


@click.group(
    cls=Group,
    examples=("gateway-entities secret create openai-prod --provider openai --value-file api_key=-  < key.txt",),
)
def secret() -> None:
    """Credentials of providers, shown masked.

    SECRET is the id or the name of a secret. Values are read from files or standard input.
    """


@client_command(secret, "get", _SECRET)
def get(client: GatewayClient, key: str) -> GatewaySecretInfo:
    """Show one secret with masked values."""
    return lookup.find_secret(client, key)


@client_command(secret, "list", click.option("--provider", help="Only secrets of this provider."))
def list_(client: GatewayClient, provider: str | None) -> Sequence[GatewaySecretInfo]:
    """List secrets, oldest first."""
    return client.list_secrets(provider=provider)


@client_command(
    secret,
    "create",
    click.argument("name"),
    click.option("--provider", help='Provider, such as "openai".'),
    _values,
    _AUTH_CONFIG,
    *CREATE_OPTIONS,
)
def create(
    client: GatewayClient,
    /,
    name: str,
    *,
    provider: str | None,
    value_files: Sequence[str],
    values_file: str | None,
    auth_config: Sequence[tuple[str, str]],
    **change: Any,
) -> GatewaySecretInfo:
    """Create a secret."""
    value = _read_value(value_files, values_file)
    if not value:
        raise click.UsageError("Give the value with --value-file KEY=FILE or --values-file FILE.")
    return client.create_secret(name, value, provider=provider, auth_config=dict(auth_config) or None, **change)


@client_command(secret, "update", _SECRET, _values, _AUTH_CONFIG, clear_option("auth_config"), *UPDATE_OPTIONS)
def update(
    client: GatewayClient,
    /,
    key: str,
    *,
    value_files: Sequence[str],
    values_file: str | None,
    auth_config: Sequence[tuple[str, str]],
    clear: Sequence[str],
    **change: Any,
) -> GatewaySecretInfo:
    """Replace the value of a secret, or all its settings. Another api_base needs the value too."""
    given: dict[str, Any] = {
        "secret_value": _read_value(value_files, values_file) or None,
        "auth_config": dict(auth_config) or None,
    }
    if changes_nothing(clear, given):
        return lookup.find_secret(client, key)
    return client.update_secret(lookup.secret_id(client, key), **given, **change, update_mask=update_mask(clear, given))


@client_command(
    secret,
    "delete",
    _SECRET,
    click.option(
        "--force", is_flag=True, help="Delete it although model definitions use it; they remain, without a secret."
    ),
    *MUTATION_OPTIONS,
)
def delete(client: GatewayClient, /, key: str, *, force: bool, **change: Any) -> Done:
    """Delete a secret that no model definition uses."""
    found = lookup.secret_id(client, key)
    if not force and (orphans := _users(client, found)):
        raise GatewayError(
            Code.FAILED_PRECONDITION, f"the secret {key!r} is used: {orphans}. They would have no secret; --force deletes it"
        )
    client.delete_secret(found, **change)
    return Done(f"deleted {found}")


@client_command(
    secret,
    "accesses",
    click.argument("key", metavar="[SECRET]", required=False, shell_complete=names.completed(names.secrets)),
    click.option(
        "--endpoint",
        metavar="ENDPOINT",
        shell_complete=names.completed(names.endpoints),
        help="Only accesses through this endpoint.",
    ),
    click.option("--actor", metavar="NAME", help="Only accesses with the token of this name."),
    click.option(
        "--since",
        metavar="TIME",
        type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
        help="Only accesses at or after this time, UTC, such as 2026-01-31 or 2026-01-31T12:00:00Z.",
    ),
)
def accesses(
    client: GatewayClient, key: str | None, *, endpoint: str | None, actor: str | None, since: datetime | None
) -> Sequence[GatewaySecretAccess]:
    """List who has received the value of a secret, latest first. Needs a token of scope admin.

    Servers delete accesses after 90 days. A secret or an endpoint that was deleted is found by its id.
    """
    return client.list_secret_accesses(
        secret_id=None if key is None else lookup.secret_id(client, key),
        endpoint_id=None if endpoint is None else lookup.endpoint_id(client, endpoint),
        actor=actor,
        accessed_since=None if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1000),
    )


def _users(client: GatewayClient, secret_id: str) -> str:
    """Return the model definitions and endpoints that use a secret, as text; "" for none."""
    kinds = (
        ("model definitions", [each.name for each in client.list_model_definitions(secret_id=secret_id)]),
        ("endpoints", [str(each.name) for each in client.list_endpoints(secret_id=secret_id)]),
    )
    return "; ".join(f"{kind} {', '.join(found)}" for kind, found in kinds if found)


def _read_value(value_files: Sequence[str], values_file: str | None) -> dict[str, str]:
    """Read a credential from the given files. Errors never contain any part of it."""
    pairs = [item.partition("=") for item in value_files]
    keys = [key for key, _, _ in pairs]
    if not all(key and path for key, _, path in pairs):
        raise click.UsageError("--value-file has the form KEY=FILE.")
    value = _parse(_read(values_file, "--values-file")) if values_file is not None else {}
    if len({*keys, *value}) < len(keys) + len(value):
        raise click.UsageError("Each key of the value can be given only once.")
    if [*(path for _, _, path in pairs), values_file].count("-") > 1:
        raise click.UsageError("Standard input can be read only once.")
    for key, _, path in pairs:
        value[key] = _read(path, f"--value-file {key}").removesuffix("\n").removesuffix("\r")
    return value


def _read(path: str, option: str) -> str:
    try:
        if path == "-" and sys.stdin.isatty():
            return without_mark(click.prompt(option, hide_input=True, err=True))
        with nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise click.UsageError(f"{option}: {path} has more than {_MAX_BYTES} bytes.")
        return decode_text(content)
    except OSError as error:
        raise click.UsageError(f"{option}: cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise click.UsageError(f"{option}: {path} {error}.") from None


def _parse(text: str) -> dict[str, str]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--values-file: not JSON: {error.msg} at line {error.lineno}.") from None
    if not isinstance(document, dict):
        raise click.UsageError("--values-file: the JSON is not an object of strings.")
    value = cast("dict[str, Any]", document)
    if not all(isinstance(item, str) for item in value.values()):
        raise click.UsageError("--values-file: the JSON is not an object of strings.")
    return value
