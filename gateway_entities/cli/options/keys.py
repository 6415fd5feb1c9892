"""Options for the sources of key-encryption keys. No option has a key as its value: command lines are visible to others."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from gateway_entities.server.store.crypto.key_sources import KeySource

KEY_VARIABLE: Final = "GATEWAY_ENTITIES_KEY"

_Given = list[tuple[str, str]]
_GIVEN: Final = f"{__name__}.given"


def key_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets ``keys``, a function that returns the key sources in the order given."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        given: _Given = click.get_current_context().meta.pop(_GIVEN, [])
        return command(*args, keys=functools.partial(_sources, given), **kwargs)

    decorated: Callable[..., Any] = run
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _sources(given: _Given) -> Sequence[KeySource]:
    from gateway_entities.server.store.crypto.key_sources import KeyCommand, KeyFile, KeyVariable

    if KEY_VARIABLE in os.environ and ("key_env", KEY_VARIABLE) not in given:
        given = [*given, ("key_env", KEY_VARIABLE)]
    sources: list[KeySource] = []
    for kind, value in given:
        match kind:
            case "key_file":
                sources.append(KeyFile(Path(value)))
            case "key_env":
                sources.append(KeyVariable(value))
            case _:
                sources.append(KeyCommand(value))
    return sources


def _note(ctx: click.Context, option: click.Parameter, values: Sequence[str]) -> None:
    # click processes options in the given order, a repeated one at its first position.
    given: _Given = ctx.meta.setdefault(_GIVEN, [])
    given += [(option.name or "", value) for value in values]


_OPTIONS: Final = (
    click.option(
        "--key-file",
        metavar="FILE",
        multiple=True,
        expose_value=False,
        callback=_note,
        help="File with keys for secrets, mode 0600, or of root with mode 0440 and a group of this process. The first key "
        "encrypts, all keys decrypt. Repeatable. Default without any key: <SQLite file>.key.",
    ),
    click.option(
        "--key-env",
        metavar="VARIABLE",
        multiple=True,
        expose_value=False,
        callback=_note,
        help=f"Environment variable with keys. Repeatable. {KEY_VARIABLE}, if set, is always used, last unless named here.",
    ),
    click.option(
        "--key-command",
        metavar="COMMAND",
        multiple=True,
        expose_value=False,
        callback=_note,
        help="Command that prints keys, such as a secret manager's; it runs without a shell. Repeatable.",
    ),
)
