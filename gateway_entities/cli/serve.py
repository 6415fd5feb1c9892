"""``gateway-entities serve``: the gateway as a process."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    from gateway_entities.server.serving import Server

GRACE: Final = 10.0
"""Seconds that calls in flight have to end after a signal to stop."""


@click.command()
@click.option("--grpc", metavar="HOST:PORT", default="127.0.0.1:50051", show_default=True, help="Address for gRPC.")
@click.option("--http", metavar="HOST:PORT", default="127.0.0.1:8080", show_default=True, help="Address for HTTP (Connect).")
@click.option(
    "--store",
    metavar="URL",
    default="sqlite:///gateway.sqlite",
    show_default=True,
    help="Where the configuration is kept. A relative path of a SQLite file starts at the current folder.",
)
@click.option(
    "--key-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The key that encrypts secrets. Without it: <database file>.key, made on the first start.",
)
def serve(grpc: str, http: str, store: str, key_file: Path | None) -> None:
    """Run a gateway until SIGTERM or SIGINT (Ctrl-C).

    Once it takes calls it prints one line for each address, and nothing else, to standard output. A port of 0 picks a free
    one. Warnings and errors go to standard error. Only loopback addresses are accepted: callers are not authenticated.

    On the first signal it stops taking calls, lets those in flight end and exits with 0; a second signal ends it at once.
    """
    _log_to_stderr()
    try:
        from gateway_entities.server.serving import Server
    except ModuleNotFoundError as error:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"the server is not installed (no module {error.name}); pip install 'gateway-entities[server]' installs it",
        ) from error
    try:
        server = Server(store, grpc=grpc, http=http, key_file=key_file)
        asyncio.run(server.run_until_signalled(GRACE, _print_targets))
    except OSError as error:
        raise GatewayError(Code.UNAVAILABLE, str(error)) from error


def _print_targets(server: Server) -> None:
    click.echo(f"{server.grpc_target}\n{server.http_target}")


def _log_to_stderr() -> None:
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
