"""Options of ``serve`` for TLS, authentication and allowed hosts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from gateway_entities.cli.command import server_needed

_OPTIONS: Final = (
    click.option(
        "--tls-cert",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Server certificate chain, PEM; enables TLS on both ports. Required beyond loopback.",
    ),
    click.option(
        "--tls-key",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Private key of --tls-cert, PEM, mode 0600, or of root with mode 0440 and a group of this process.",
    ),
    click.option(
        "--tls-client-ca",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="CA certificates, PEM; clients must present a certificate of one of them. Its common name is the actor until "
        "the store has a token.",
    ),
    click.option(
        "--tls-terminated-upstream",
        is_flag=True,
        help="A proxy on this host or in this pod ends TLS: listen beyond loopback without --tls-cert. Callers need a "
        "token.",
    ),
    click.option(
        "--require-token",
        is_flag=True,
        help="Require a token even while the store has none. By default tokens are required after the store's first token, "
        "and beyond loopback unless --tls-client-ca is set.",
    ),
    click.option(
        "--allowed-host",
        "allowed_hosts",
        metavar="NAME",
        multiple=True,
        help="Host name that the HTTP port accepts in requests, such as that of a reverse proxy. Repeatable. Default: "
        "loopback names, or any with TLS, here or upstream.",
    ),
)


def access_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets ``access``, a function that returns them as arguments of Server."""

    @functools.wraps(function)
    def run(
        *args: Any,
        tls_cert: Path | None,
        tls_key: Path | None,
        tls_client_ca: Path | None,
        tls_terminated_upstream: bool,
        require_token: bool,
        allowed_hosts: tuple[str, ...],
        **others: Any,
    ) -> Any:
        if (tls_cert is None) != (tls_key is None):
            raise click.UsageError("--tls-cert and --tls-key must be given together.")
        if tls_client_ca is not None and tls_cert is None:
            raise click.UsageError("--tls-client-ca needs --tls-cert and --tls-key.")
        if tls_terminated_upstream and tls_cert is not None:
            raise click.UsageError("Either --tls-terminated-upstream or --tls-cert: TLS ends in one place.")

        def access() -> dict[str, Any]:
            with server_needed():
                from gateway_entities.server.tls import Tls
            tls = None if tls_cert is None or tls_key is None else Tls(tls_cert, tls_key, tls_client_ca)
            return {
                "tls": tls,
                "tls_terminated_upstream": tls_terminated_upstream,
                "allowed_hosts": allowed_hosts,
                "require_token": require_token,
            }

        return function(*args, access=access, **others)

    decorated: Callable[..., Any] = run
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
