"""``gateway-entities token``: bearer tokens and their scopes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli.cells import printable
from gateway_entities.cli.command import Group, server_needed
from gateway_entities.cli.options.form import Form
from gateway_entities.cli.options.store import exit_2_on_error, format_option, new_store_option, show, store_option
from gateway_entities.cli.table import table, terminal_width

_SCOPES: Final = ("read", "write", "admin", "resolve", "spend", "node")

if TYPE_CHECKING:
    from gateway_entities.server.store.repositories.token import Token

_MILLISECONDS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


@click.group(
    cls=Group,
    examples=(
        "gateway-entities token create alice --scope admin",
        "umask 077; gateway-entities token create ci --scope write --expires 90d > ci.token",
        "umask 077; gateway-entities token create eu-gateway --gateway --endpoint chat > eu-gateway.token",
        "umask 077; gateway-entities token create search-ci --scope write --owner search-team > search-ci.token",
        "gateway-entities token revoke ci",
        "gateway-entities token prune --older-than 90d",
    ),
)
def token() -> None:
    """Create, list, revoke and prune bearer tokens.

    After a store's first token, its servers require one for every call. Scopes: read for reads, write also for changes,
    admin also for budget policies and the list of accesses to secrets; and beside these resolve for the values of secrets,
    spend for charges and budget checks, and node for acknowledging revisions. Servers need no restart: new tokens are valid
    immediately, and revoked ones are rejected within two seconds.

    Clients send "Authorization: Bearer TOKEN"; commands read it from --token-file, commands and clients of Python from the
    environment variable GATEWAY_ENTITIES_TOKEN.
    """


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(_SCOPES),
    multiple=True,
    help="Scope of the token. Repeatable. write includes read, and admin write.",
)
@click.option("--gateway", is_flag=True, help="The scopes of a gateway: read, resolve, spend and node.")
@click.option(
    "--endpoint",
    "endpoints",
    metavar="NAME",
    multiple=True,
    help="With the scopes resolve and spend: only the endpoint that has this name may be resolved and charged. Repeatable. "
    "It need not exist yet. Default: all.",
)
@click.option(
    "--owner",
    "owners",
    metavar="NAME",
    multiple=True,
    help="With the scope write or admin: the token changes the configuration only by config apply, of files with this "
    "owner, and only what that owner has. Repeatable. Default: all changes.",
)
@click.option(
    "--expires",
    metavar="DURATION",
    help="Lifetime: a number and s, m, h, d or w, such as 90d. Default: until revoked.",
)
@click.option(
    "--yes", is_flag=True, help="Create a store's first token, after which every call needs one, without the scope admin."
)
@store_option
@new_store_option
@format_option
def create(
    *,
    name: str,
    scopes: Sequence[str],
    gateway: bool,
    endpoints: Sequence[str],
    owners: Sequence[str],
    expires: str | None,
    yes: bool,
    store: str,
    new_store: bool,
    form: Form,
) -> None:
    """Create a token for NAME, the actor of all requests made with it.

    The token is printed once, to standard output: only its digest is stored. All other output goes to standard error.

    NAME may have had a token that was revoked: the change log, the list of accesses and the list of nodes have the name,
    and do not tell the two apart. Use it again for the same program only.
    """
    if not scopes and not gateway:
        raise click.UsageError("Give --scope or --gateway.")
    lifetime = None if expires is None else _milliseconds(expires, "--expires")
    with exit_2_on_error(), server_needed():
        from gateway_entities.server.store.admin.token_manager import open_tokens
        from gateway_entities.server.store.repositories.token import GATEWAY, AccessScope

        scope = GATEWAY if gateway else AccessScope(0)
        for each in scopes:
            scope |= AccessScope[each.upper()]
        with open_tokens(store, create=True, new_store=new_store) as manager:
            made = manager.create(name, scope, lifetime, endpoints=endpoints or None, owners=owners or None, closes=yes)
    until = "revoked" if made.token.expires_at is None else _time(made.token.expires_at)
    limit = f", endpoints {', '.join(endpoints)}" if endpoints else ""
    limit += f", owners {', '.join(owners)}" if owners else ""
    shown = f"Token {made.token.token_id} of {name}, scope {_scope(made.token, ', ')}{limit}, valid until {until}:"
    click.echo(printable(shown), err=True)
    if made.former is not None and made.former.revoked_at is not None:
        note = (
            f"Note: {name} had a token before, revoked {_time(made.former.revoked_at)}. Records do not tell the two apart."
        )
        click.echo(printable(note), err=True)
    if endpoints and made.token.scope & AccessScope.WRITE:
        click.echo(
            "Warning: --endpoint does not limit write. A token that can change endpoints can attach any secret to these.",
            err=True,
        )
    show(made.text, {**_document(made.token), "token": made.text}, form)


@token.command("list")
@store_option
@format_option
def list_(store: str, form: Form) -> None:
    """List all tokens, oldest first, including revoked and expired ones, without their secret part."""
    with exit_2_on_error(), server_needed():
        from gateway_entities.server.store.admin.token_manager import open_tokens

        with open_tokens(store) as manager:
            found = manager.list()
    show(_text(found, form), [_document(each) for each in found], form)


@token.command()
@click.argument("name")
@store_option
@format_option
def revoke(name: str, store: str, form: Form) -> None:
    """Revoke the token of NAME. Every server rejects it within two seconds; NAME may then get a new one."""
    with exit_2_on_error(), server_needed():
        from gateway_entities.server.store.admin.token_manager import open_tokens

        with open_tokens(store) as manager:
            revoked = manager.revoke(name)
    show(printable(f"Token {revoked.token_id} of {name} is revoked."), _document(revoked), form)


@token.command()
@click.option(
    "--older-than",
    metavar="DURATION",
    default="30d",
    show_default=True,
    help="Time since the end of a token: a number and s, m, h, d or w, such as 30d; 0s for all that have ended.",
)
@store_option
@format_option
def prune(older_than: str, store: str, form: Form) -> None:
    """Delete tokens that were revoked or expired some time ago. Safe while servers run.

    Creating and revoking a token also deletes some that ended more than 30 days ago. A store that has ever had a token
    requires one, even if none is left.
    """
    age = _milliseconds(older_than, "--older-than")
    with exit_2_on_error(), server_needed():
        from gateway_entities.server.store.admin.token_manager import open_tokens

        with open_tokens(store) as manager:
            deleted = manager.prune(age)
    show(f"{deleted} tokens deleted.", {"deleted": deleted}, form)


def _milliseconds(text: str, option: str) -> int:
    match = re.fullmatch("([0-9]{1,9})([smhdw])", text)
    if match is None:
        raise click.BadParameter("a duration is a number and s, m, h, d or w, such as 90d", param_hint=option)
    return int(match[1]) * _MILLISECONDS[match[2]]


def _text(tokens: Sequence[Token], form: Form) -> str:
    if form == "name":
        return "\n".join(printable(each.name) for each in tokens)
    rows = [
        (
            printable(each.name),
            _scope(each, ","),
            _names(each.endpoints),
            _names(each.owners),
            _time(each.created_at),
            "-" if each.expires_at is None else _time(each.expires_at),
            _state(each),
            each.token_id,
        )
        for each in tokens
    ]
    headings = ("name", "scope", "endpoints", "owners", "created", "expires", "state", "id")
    return table(headings, rows, width=None if form == "wide" else terminal_width(), spare=[4]) if rows else "(none)"


def _names(limits: frozenset[str] | None) -> str:
    return "-" if limits is None else printable(",".join(sorted(limits)))


def _scope(each: Token, separator: str) -> str:
    from gateway_entities.server.store.repositories.token import scope_names

    return separator.join(scope_names(each.scope))


def _state(each: Token) -> str:
    if each.revoked_at is not None:
        return f"revoked {_time(each.revoked_at)}"
    now = datetime.now(UTC).timestamp() * 1000
    return "expired" if each.expires_at is not None and now >= each.expires_at else "valid"


def _document(each: Token) -> dict[str, Any]:
    return {
        "id": each.token_id,
        "name": each.name,
        # As OAuth does: the scopes, separated by spaces.
        "scope": _scope(each, " "),
        "endpoints": None if each.endpoints is None else sorted(each.endpoints),
        "owners": None if each.owners is None else sorted(each.owners),
        "created_at": each.created_at,
        "expires_at": each.expires_at,
        "revoked_at": each.revoked_at,
    }


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
