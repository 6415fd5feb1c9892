"""``gateway-entities keys``: the keys that secrets are encrypted with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway_entities.cli.command import Group, server_needed
from gateway_entities.cli.options.keys import key_options
from gateway_entities.cli.options.store import format_option, progress, refusals, show, store_option
from gateway_entities.cli.output import printable, table

if TYPE_CHECKING:
    from gateway_entities.server.store.admin.key_manager import KeyReport, Rotation, Unreadable
    from gateway_entities.server.store.crypto.key_sources import KeySource
    from gateway_entities.server.store.crypto.keyring import Key

Sources = Callable[[], "Sequence[KeySource]"]


@click.group(
    cls=Group,
    examples=(
        "gateway-entities keys generate new.key",
        "gateway-entities keys rotate --key-file new.key --key-file gateway.sqlite.key",
        "gateway-entities keys check --rotated --key-file new.key",
        "gateway-entities keys check --key-command 'vault kv get -field=key secret/gateway'",
    ),
)
def keys() -> None:
    """Make keys, change to another one, and check them.

    A key is the base64 of 32 bytes, or NAME:BASE64. A file, a variable or a command's output holds one or more, each on a
    line of its own, or after a comma or a space; # begins a comment. The first key that is given encrypts, all decrypt.

    To change the key while the gateway runs: 1. make a new key. 2. Restart every server with the new key first and the old
    one after it; where several servers share a database, restart them all with the new key last before that, so that each
    can read what the others write. 3. Run rotate, with the same keys. 4. When check --rotated, with the new key alone, ends
    with 0, restart every server without the old key. Keep the old key as long as there are backups from before.

    Exit codes: 0 all is well; 1 something cannot be decrypted or, for rotate and check --rotated, is encrypted with another
    key still; 2 the keys or the store cannot be used, or the command line is wrong.
    """


@keys.command()
@click.argument("file", metavar="FILE")
@click.option("--name", help="What to call the key in lists and messages; else it has only its id.")
def generate(file: str, name: str | None) -> None:
    """Make a random key, in a new FILE of mode 0600, or printed to standard output (-) for a secret manager to take.

    It prints the key's id, which is no secret; with -, to standard error.
    """
    with refusals(), server_needed():
        from gateway_entities.server.store.crypto.key_sources import KeyFile
        from gateway_entities.server.store.crypto.keyring import generate_key

        if file == "-":
            key, line = generate_key(name)
            click.echo(f"key {key}", err=True)
            click.echo(line, nl=False)
        else:
            click.echo(printable(f"key {KeyFile(Path(file)).create(name)} in {file}"))


@keys.command()
@store_option
@key_options
@format_option
def rotate(store: str, form: str, keys: Sources) -> None:
    """Encrypt with the first key what is encrypted with others. Servers go on meanwhile.

    Only the data keys are encrypted anew, not the secrets. It can be ended at any moment, and run again to do the rest.
    """
    with refusals(), server_needed():
        from gateway_entities.server.store.admin.key_manager import open_keys

        with open_keys(store, keys()) as keeper, progress("rotating") as bar:
            rotation = keeper.rotate(bar)
    show(_rotation_text(rotation), _rotation_json(rotation), form)
    click.get_current_context().exit(1 if rotation.left or rotation.unreadable else 0)


@keys.command()
@store_option
@key_options
@click.option("--rotated", is_flag=True, help="Also end with 1 while any other key than the first is in use.")
@format_option
def check(store: str, form: str, rotated: bool, keys: Sources) -> None:
    """Tell which keys are in use, which are not, and what cannot be decrypted. No value is shown."""
    with refusals(), server_needed():
        from gateway_entities.server.store.admin.key_manager import open_keys

        with open_keys(store, keys()) as keeper, progress("decrypting") as bar:
            report = keeper.check(bar)
    show(_report_text(report), _report_json(report), form)
    click.get_current_context().exit(1 if report.unreadable or (rotated and not report.rotated) else 0)


def _report_text(report: KeyReport) -> str:
    rows = [
        (
            use.key_id,
            (use.key.name if use.key else None) or "-",
            str(use.rows),
            ("encrypts" if place == 0 else "decrypts") if use.key else "NOT CONFIGURED",
            use.key.origin if use.key else "-",
        )
        for place, use in enumerate(report.keys)
    ]
    lines = [table(("key", "name", "data keys", "role", "from"), rows)]
    lines += [_unreadable_text(each) for each in report.unreadable]
    unused = [str(use.key) for use in report.keys[1:] if use.key and not use.rows]
    if unused:
        lines.append(f"Nothing is encrypted with key {', key '.join(unused)}.")
    if not report.rotated and all(use.key for use in report.keys):
        lines.append("Not everything is encrypted with the first key: gateway-entities keys rotate changes that.")
    if not report.unreadable:
        lines.append("Everything can be decrypted.")
    return "\n".join(lines)


def _report_json(report: KeyReport) -> dict[str, Any]:
    return {
        "keys": [
            {
                **_key_json(use.key_id, use.key),
                "dataKeys": use.rows,
                "encrypts": place == 0,
                "configured": use.key is not None,
            }
            for place, use in enumerate(report.keys)
        ],
        "rotated": report.rotated,
        "unreadable": [_unreadable_json(each) for each in report.unreadable],
    }


def _rotation_text(rotation: Rotation) -> str:
    lines = [f"{rotation.rewrapped} data keys are now encrypted with key {rotation.key} that were not."]
    lines += [_unreadable_text(each) for each in rotation.unreadable]
    others = sum(rotation.left.values())
    if others > len(rotation.unreadable):
        lines.append(
            f"{others} data keys are encrypted with key {', key '.join(rotation.left)}: a server that has it as its first "
            "key writes meanwhile; restart it with the new key first, and run this again"
        )
    elif not others:
        lines.append("Nothing is encrypted with any other key.")
    return "\n".join(lines)


def _rotation_json(rotation: Rotation) -> dict[str, Any]:
    return {
        "key": _key_json(rotation.key.id, rotation.key),
        "rewrapped": rotation.rewrapped,
        "left": dict(rotation.left),
        "unreadable": [_unreadable_json(each) for each in rotation.unreadable],
    }


def _key_json(key_id: str, key: Key | None) -> dict[str, Any]:
    return {"id": key_id, "name": key.name if key else None, "from": key.origin if key else None}


def _unreadable_text(each: Unreadable) -> str:
    return printable(f"{each.secret_id or 'store'}: {each.message}")


def _unreadable_json(each: Unreadable) -> dict[str, Any]:
    return {"secretId": each.secret_id, "reason": each.reason, "message": each.message}
