"""Options of ``serve`` for the limits of a server: one for each setting of Limits."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits

_HELP: Final = {
    "max_store_bytes": "Size of the store from which writes are refused; a part of it is reserved for deletions.",
    "change_retention_s": "Seconds that changes stay in the change log, at least 86400.",
    "max_changes": "Most changes in the change log; those of the last 24 hours stay in any case.",
}


def limit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets ``limits``, a Limits."""

    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> Any:
        limits = Limits(**{name: options.pop(name) for name in _HELP})
        return function(*args, limits=limits, **options)

    decorated: Callable[..., Any] = run
    for name in reversed(_HELP):
        decorated = limit_option(name)(decorated)
    return decorated


def limit_option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option of one setting of Limits."""
    default = getattr(DEFAULT_LIMITS, name)
    is_time = name.endswith("_s")
    return click.option(
        f"--{name.removesuffix('_s').replace('_', '-')}",
        name,
        metavar="SECONDS" if is_time else "NUMBER",
        type=click.FloatRange(min=0, min_open=True) if is_time else click.IntRange(min=1),
        default=default,
        show_default=True,
        help=_HELP[name],
    )
