"""``gateway-entities serve``: run a gateway server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli.command import server_needed
from gateway_entities.cli.options.access import access_options
from gateway_entities.cli.options.keys import key_options
from gateway_entities.cli.options.limits import limit_options
from gateway_entities.cli.options.operation import operation_options
from gateway_entities.cli.options.providers import allow_api_base_option, provider_catalog_option
from gateway_entities.cli.options.store import exit_2_on_error, new_store_option, store_option
from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    from gateway_entities.server.rpc.limits import Limits
    from gateway_entities.server.server import Server
    from gateway_entities.server.store.crypto.key_sources import KeySource
    from gateway_entities.server.telemetry.log_format import LogFormat

GRACE: Final = 10.0
"""Seconds for requests in flight to end after a stop signal."""


@click.command()
@click.option(
    "--grpc",
    metavar="ADDRESS",
    default="127.0.0.1:50051",
    show_default=True,
    help="gRPC address: HOST:PORT, or unix:///PATH for a Unix socket of mode 0600.",
)
@click.option(
    "--http",
    metavar="ADDRESS",
    default="127.0.0.1:8080",
    show_default=True,
    help="HTTP address (Connect), likewise.",
)
@click.option(
    "--health-listen",
    metavar="HOST:PORT",
    help="Address of a listener for /healthz, /readyz, /version and /metrics alone, over plain HTTP and without "
    "authentication; any address. Any client that reaches it reads the size of the store and the sums of each budget in "
    "/metrics. Default: none, these paths are on the HTTP address.",
)
@store_option
@new_store_option
@key_options
@click.option(
    "--cors-origin",
    "cors_origins",
    metavar="ORIGIN",
    multiple=True,
    help="Origin whose pages may call the HTTP port from a browser, such as https://app.example, with the rights of any "
    "other caller. Repeatable. Default: none.",
)
@click.option(
    "--alert-share",
    "alert_shares",
    metavar="PERCENT",
    type=click.IntRange(1, 1000),
    multiple=True,
    help="Share of a budget at which its spending raises an alert. Repeatable. Default: 50, 80 and 100.",
)
@allow_api_base_option
@provider_catalog_option
@access_options
@operation_options
@limit_options
def serve(
    *,
    grpc: str,
    http: str,
    health_listen: str | None,
    store: str,
    new_store: bool,
    cors_origins: tuple[str, ...],
    alert_shares: tuple[int, ...],
    allowed_api_bases: tuple[str, ...],
    provider_catalog: Path | None,
    keys: Callable[[], Sequence[KeySource]],
    access: Callable[[], dict[str, Any]],
    log_format: LogFormat | None,
    log_level: str,
    drain_delay: float,
    limits: Limits,
) -> None:
    """Run a gateway until SIGTERM or SIGINT (Ctrl-C).

    When ready it prints one line per address to standard output, and nothing else. Port 0 selects a free port. The log, with
    one line per request, goes to standard error.

    Until the store has a token (gateway-entities token create), any user of this machine has full access over loopback, and
    the server's own user over a Unix socket. Other addresses need TLS, and a token or client certificates.

    The first signal drains: new requests are rejected, those in flight complete, and the exit code is 0. A second signal
    ends the process immediately. Renewed certificates are used within 10 seconds, or immediately after SIGHUP, which never
    ends the process.
    """
    # gRPC's core writes to standard error itself, which blocks it if nothing reads there.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    with server_needed():
        from gateway_entities.server.rpc.descriptors import raise_descriptor_limit
        from gateway_entities.server.server import Server
        from gateway_entities.server.service.spending.ledger import DEFAULT_SHARES
        from gateway_entities.server.telemetry.log_format import log_to_stderr
        from gateway_entities.server.telemetry.tracing import traces_from_environment
    log_to_stderr(log_format, log_level)
    raise_descriptor_limit()
    try:
        # An address or a store's URL that is none.
        with exit_2_on_error(Code.INVALID_ARGUMENT), traces_from_environment():
            server = Server(
                store,
                new_store=new_store,
                grpc=grpc,
                http=http,
                health=health_listen,
                keys=keys(),
                cors_origins=cors_origins,
                alert_shares=alert_shares or DEFAULT_SHARES,
                allowed_api_bases=allowed_api_bases,
                provider_catalog=provider_catalog,
                drain_delay=drain_delay,
                limits=limits,
                **access(),
            )
            asyncio.run(server.run_until_signalled(GRACE, _print_targets))
    except OSError as error:
        raise GatewayError(Code.UNAVAILABLE, str(error)) from error


def _print_targets(server: Server) -> None:
    for target in filter(None, (server.grpc_target, server.http_target, server.health_target)):
        click.echo(target)
