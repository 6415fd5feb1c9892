"""The options that say who may reach a server, and as whom."""

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
        help="The server's certificate, PEM, with those between it and its authority: TLS on both ports. Addresses beyond "
        "loopback need it.",
    ),
    click.option(
        "--tls-key", metavar="FILE", type=click.Path(path_type=Path), help="Its private key, PEM; a file of mode 0600."
    ),
    click.option(
        "--tls-client-ca",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Authorities, PEM: every client needs a certificate of one of them. Its common name is the actor until the "
        "store has a token.",
    ),
    click.option(
        "--require-token",
        is_flag=True,
        help="Serve nobody without a token, even while the store has none. Without this, callers need one once the store "
        "has had one, and always beyond loopback without --tls-client-ca.",
    ),
    click.option(
        "--allowed-host",
        "allowed_hosts",
        metavar="NAME",
        multiple=True,
        help="A name, without a port, that requests to the HTTP port may be sent to, such as that of a proxy in front of "
        "it. Repeatable. Without it, only loopback names will do, or with TLS any.",
    ),
)


def access_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets ``access``, a function that returns the arguments of Server that they are."""

    @functools.wraps(function)
    def run(
        *args: Any,
        tls_cert: Path | None,
        tls_key: Path | None,
        tls_client_ca: Path | None,
        require_token: bool,
        allowed_hosts: tuple[str, ...],
        **others: Any,
    ) -> Any:
        if (tls_cert is None) != (tls_key is None):
            raise click.UsageError("--tls-cert and --tls-key go together.")
        if tls_client_ca is not None and tls_cert is None:
            raise click.UsageError("--tls-client-ca needs --tls-cert and --tls-key.")

        def access() -> dict[str, Any]:
            with server_needed():
                from gateway_entities.server.tls import Tls
            tls = None if tls_cert is None or tls_key is None else Tls(tls_cert, tls_key, tls_client_ca)
            return {"tls": tls, "allowed_hosts": allowed_hosts, "require_token": require_token}

        return function(*args, access=access, **others)

    decorated: Callable[..., Any] = run
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
