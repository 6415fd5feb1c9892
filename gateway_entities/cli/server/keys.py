"""``gateway-entities keys``: generation, rotation and checks of key-encryption keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway_entities.cli.cells import printable
from gateway_entities.cli.command import Group, server_needed
from gateway_entities.cli.options.form import Form
from gateway_entities.cli.options.keys import key_options
from gateway_entities.cli.options.store import exit_2_on_error, format_option, progress, show, store_option
from gateway_entities.cli.table import table, terminal_width

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
    """Generate, rotate and check encryption keys.

    A key is 32 bytes in base64, or NAME:BASE64. A file, a variable or a command's output has one or more keys, separated by
    line breaks, commas or spaces; # starts a comment. The first key encrypts, all keys decrypt.

    To rotate without downtime: 1. Generate a new key. 2. If several servers share a database, restart each with the new key
    last, so that all can decrypt with it. 3. Restart each server with the new key first and the old key second. 4. Run
    rotate with the same keys. 5. When check --rotated with only the new key exits with 0, restart each server without the
    old key. Keep the old key as long as older backups exist.

    Exit codes: 0 success; 1 undecryptable data or, for rotate and check --rotated, data still encrypted with another key; 2
    the keys or the store cannot be used, or a usage error.
    """


@keys.command()
@click.argument("file", metavar="FILE")
@click.option("--name", help="Name of the key in lists and messages. Default: its id only.")
def generate(file: str, name: str | None) -> None:
    """Generate a random key in a new FILE of mode 0600, or on standard output (-), such as for a secret manager.

    The key's id, which is not secret, is printed; with -, to standard error.
    """
    with exit_2_on_error(), server_needed():
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
def rotate(store: str, form: Form, keys: Sources) -> None:
    """Re-encrypt with the first key all data keys that are encrypted with others. Safe while servers run.

    The secrets themselves are not re-encrypted, except for values that an earlier release did not bind to the provider and
    api_base of their secrets. It can be interrupted at any time; the next run continues.
    """
    with exit_2_on_error(), server_needed():
        from gateway_entities.server.store.admin.key_manager import open_keys

        with open_keys(store, keys()) as manager, progress("rotating") as bar:
            rotation = manager.rotate(bar)
    show(_rotation_text(rotation), _rotation_json(rotation), form)
    click.get_current_context().exit(1 if rotation.remaining or rotation.unreadable else 0)


@keys.command()
@store_option
@key_options
@click.option("--rotated", is_flag=True, help="Also exit with 1 while any key but the first is in use.")
@format_option
def check(store: str, form: Form, rotated: bool, keys: Sources) -> None:
    """List the keys, their use, and the data that cannot be decrypted. No value is shown."""
    with exit_2_on_error(), server_needed():
        from gateway_entities.server.store.admin.key_manager import open_keys

        with open_keys(store, keys()) as manager, progress("decrypting") as bar:
            report = manager.check(bar)
    show(_report_text(report), _report_json(report), form)
    click.get_current_context().exit(1 if report.unreadable or (rotated and not report.rotated) else 0)


def _report_text(report: KeyReport) -> str:
    rows = [
        (
            use.key_id,
            (use.key.name if use.key else None) or "-",
            str(use.rows),
            ("encrypts" if position == 0 else "decrypts") if use.key else "NOT CONFIGURED",
            use.key.origin if use.key else "-",
        )
        for position, use in enumerate(report.keys)
    ]
    lines = [table(("key", "name", "data keys", "role", "from"), rows, width=terminal_width())]
    lines += [_unreadable_text(each) for each in report.unreadable]
    unused = [str(use.key) for use in report.keys[1:] if use.key and not use.rows]
    if unused:
        lines.append(f"Nothing is encrypted with key {', key '.join(unused)}.")
    if not report.rotated and all(use.key for use in report.keys):
        lines.append("Some data is not encrypted with the first key; run gateway-entities keys rotate.")
    if report.unbound:
        lines.append(
            f"{report.unbound} values are not bound to the provider and api_base of their secrets; "
            "run gateway-entities keys rotate."
        )
    if not report.unreadable:
        lines.append("All data can be decrypted.")
    return "\n".join(lines)


def _report_json(report: KeyReport) -> dict[str, Any]:
    return {
        "keys": [
            {
                **_key_json(use.key_id, use.key),
                "data_keys": use.rows,
                "encrypts": position == 0,
                "configured": use.key is not None,
            }
            for position, use in enumerate(report.keys)
        ],
        "rotated": report.rotated,
        "unbound": report.unbound,
        "unreadable": [_unreadable_json(each) for each in report.unreadable],
    }


def _rotation_text(rotation: Rotation) -> str:
    lines = [f"{rotation.rewrapped} data keys re-encrypted with key {rotation.key}."]
    lines += [_unreadable_text(each) for each in rotation.unreadable]
    others = sum(rotation.remaining.values())
    if others > len(rotation.unreadable):
        key_ids = ", key ".join(rotation.remaining)
        lines.append(
            f"{others} data keys still use key {key_ids}: a running server encrypts with it; restart "
            "that server with the new key first, and run this again"
        )
    elif not others:
        lines.append("Nothing is encrypted with any other key.")
    return "\n".join(lines)


def _rotation_json(rotation: Rotation) -> dict[str, Any]:
    return {
        "key": _key_json(rotation.key.id, rotation.key),
        "rewrapped": rotation.rewrapped,
        "left": dict(rotation.remaining),
        "unreadable": [_unreadable_json(each) for each in rotation.unreadable],
    }


def _key_json(key_id: str, key: Key | None) -> dict[str, Any]:
    return {"id": key_id, "name": key.name if key else None, "from": key.origin if key else None}


def _unreadable_text(each: Unreadable) -> str:
    return printable(f"{each.secret_id or 'store'}: {each.message}")


def _unreadable_json(each: Unreadable) -> dict[str, Any]:
    return {"secret_id": each.secret_id, "reason": each.reason, "message": each.message}
