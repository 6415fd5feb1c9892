"""``gateway-entities health``: a probe for programs that run a command, such as Kubernetes and Docker."""

from __future__ import annotations

import click

from gateway_entities.cli.cells import printable
from gateway_entities.cli.options.connection import target_option, tls_options, usage_errors
from gateway_entities.cli.options.seconds import Seconds


@click.command()
@target_option
@click.option("--ready", is_flag=True, help="Also fail while the gateway is not ready for calls.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=Seconds(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="Timeout of the probe.",
)
@tls_options
def health(
    *, target: str, ready: bool, timeout: float, tls_ca: str | None, tls_cert: str | None, tls_key: str | None
) -> None:
    """Probe a running gateway: exit code 0 if it answers, with --ready if it is ready for calls; 1 if not.

    The target is the gRPC or the HTTP address of serve, or the address of its --health-listen. No token is needed or sent.
    """
    from gateway_entities.transports.health import check_health
    from gateway_entities.transports.target import TlsFiles

    # A probe has no request message that could be wrong.
    with usage_errors():
        check_health(target, TlsFiles(tls_ca, tls_cert, tls_key), ready=ready, timeout=timeout)
    click.echo(printable(f"{target} {'is ready' if ready else 'answers'}"))
