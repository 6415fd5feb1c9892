"""The options of ``serve`` for whoever operates it: what it logs, and how it leaves a load balancer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click


def operation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the arguments ``log_format`` (None for what suits the place), ``log_level`` and ``drain_delay``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS: Final = (
    click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        help="How the log on standard error looks: lines for people, or a JSON object on each. Default: text on a terminal, "
        "else json.",
    ),
    click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
        help="What is logged: debug has the probes of health too, info each request.",
    ),
    click.option(
        "--drain-delay",
        metavar="SECONDS",
        type=click.FloatRange(min=0),
        default=0.0,
        show_default=True,
        help="How long calls are still taken after a signal, while health says that the server is not ready: the time that "
        "a load balancer needs to notice.",
    ),
)
