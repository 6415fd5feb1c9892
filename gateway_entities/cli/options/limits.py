"""Options of ``serve`` for the limits of a server: one for each setting of Limits."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits

_HELP: Final = {
    "read_workers": "Worker threads of requests that only read.",
    "write_workers": "Worker threads of all other requests. The store has one writer; more of them only prepare their work.",
    "queue_timeout_s": "Seconds that a request waits for a worker thread. Beyond it the request is refused with 503.",
    "store_write_timeout_s": "Seconds that a write waits for other writers of the store.",
    "store_lock_timeout_s": "Seconds that a statement on PostgreSQL waits for a lock of another program.",
    "store_statement_timeout_s": "Seconds that a statement on PostgreSQL may take.",
    "write_stall_s": "Seconds in which writes wait and none succeeds, after which the server is not ready.",
}


def limit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets ``limits``, a Limits."""

    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> Any:
        limits = Limits(**{name: options.pop(name) for name in _HELP})
        return function(*args, limits=limits, **options)

    decorated: Callable[..., Any] = run
    for name in reversed(_HELP):
        decorated = _option(name)(decorated)
    return decorated


def _option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
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
