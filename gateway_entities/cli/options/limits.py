"""Options of ``serve`` for the limits of a server: one for each setting of Limits."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits

_HELP: Final = {
    "http_connections": "Most HTTP connections; fewer if the limit of open files is low. Beyond it the one that has waited "
    "longest for a request is closed.",
    "http_connections_per_peer": "Most HTTP connections of one IPv4 address or IPv6 /64 network. Raise it behind a proxy.",
    "http_head_timeout_s": "Seconds for the headers of a request, from the accept of its connection.",
    "http_body_timeout_s": "Seconds for the body of a request, from the end of its headers.",
    "http_idle_timeout_s": "Seconds between two requests of an HTTP connection.",
    "http_write_timeout_s": "Seconds in which a client reads nothing of its response.",
    "request_bytes_in_flight": "Most bytes of all HTTP request bodies together. Beyond it requests are refused with 503.",
    "response_bytes_in_flight": "Most bytes of all HTTP responses together, likewise.",
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
