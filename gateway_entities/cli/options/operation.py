"""Options of ``serve`` for logging and draining."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from gateway_entities.cli.options.seconds import Seconds


def operation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options ``log_format`` (None for automatic), ``log_level`` and ``drain_delay`` (seconds)."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS: Final = (
    click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        help="Log format: lines of text or JSON objects. Default: text on a terminal, else json.",
    ),
    click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
        help="Log level: info logs each request, debug health probes too.",
    ),
    click.option(
        "--drain-delay",
        metavar="SECONDS",
        type=Seconds(min=0),
        default=0.0,
        show_default=True,
        help="Time after a signal in which requests are still accepted while readiness fails, for load balancers to notice.",
    ),
)
