"""Options of commands that call a gateway: target, timeout, token and TLS."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli.options.seconds import Seconds
from gateway_entities.errors import Code, GatewayError
from gateway_entities.files import access_problem
from gateway_entities.text import TOKEN_VARIABLE, decode_text, token_of_environment

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient

DEFAULT_TARGET: Final = "grpc://127.0.0.1:50051"
TARGET_VARIABLE: Final = "GATEWAY_ENTITIES_TARGET"

_RETRY_S: Final = 1.0
"""Seconds for which a command is retried: a mistyped target is reported soon."""


@contextmanager
def usage_errors() -> Generator[None]:
    """Report INVALID_ARGUMENT as an error of the command line, with exit code 2. No call is made within."""
    try:
        yield
    except GatewayError as error:
        if error.code != Code.INVALID_ARGUMENT:
            raise
        raise click.UsageError(error.message) from None


def tls_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options ``tls_ca``, ``tls_cert`` and ``tls_key``."""
    for option in reversed(_TLS_OPTIONS):
        command = option(command)
    return command


def connection_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets ``connect``, which returns a client of the target, or of its argument."""

    @functools.wraps(function)
    def run(
        *args: Any,
        target: str,
        timeout: float,
        token_file: str | None,
        tls_ca: str | None,
        tls_cert: str | None,
        tls_key: str | None,
        **others: Any,
    ) -> Any:
        def connect(other: str | None = None) -> GatewayClient:
            from gateway_entities.client import GatewayClient

            token = read_token(token_file)
            with usage_errors():
                return GatewayClient(
                    other or target,
                    timeout=timeout,
                    retry_timeout=_RETRY_S,
                    token=token,
                    ca_file=tls_ca,
                    cert_file=tls_cert,
                    key_file=tls_key,
                )

        try:
            return function(*args, connect=connect, **others)
        except GatewayError as error:
            if error.code is not Code.UNAUTHENTICATED or error.reason == "CERTIFICATE_NAME":
                raise
            raise GatewayError(error.code, f"{error.message}; {_advice(token_file)}", reason=error.reason) from error

    decorated: Callable[..., Any] = run
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _advice(token_file: str | None) -> str:
    """Return the clause of an error that says where the token is from, or where it would be."""
    if token_file is not None:
        return f"it is that of --token-file {token_file}"
    if token_of_environment() is not None:
        return f"it is that of the environment variable {TOKEN_VARIABLE}"
    return f"give it with --token-file FILE, or in the environment variable {TOKEN_VARIABLE}"


def read_token(path: str | None) -> str | None:
    """Return the token of a file, or that of the environment without one; None if there is none."""
    if path is None:
        return token_of_environment()
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(1 << 16)
        # A pipe, such as the output of a command, has no name that others could open.
        problem = access_problem(Path(path), status) if stat.S_ISREG(status.st_mode) else None
    except OSError as error:
        raise click.UsageError(f"--token-file: cannot read {path}: {error.strerror}") from None
    if problem is not None:
        raise click.UsageError(f"--token-file: {path} {problem} - and revoke the token if others may have read it.")
    try:
        return decode_text(content).strip()
    except ValueError as error:
        raise click.UsageError(f"--token-file: {path} {error}.") from None


target_option: Final = click.option(
    "--target",
    metavar="URL",
    envvar=TARGET_VARIABLE,
    default=DEFAULT_TARGET,
    show_default=True,
    show_envvar=True,
    help="Gateway URL: grpc://HOST:PORT or http://HOST:PORT; with TLS, grpcs:// or https://; unix:///PATH or "
    "grpc+unix:///PATH for a Unix socket.",
)
_TLS_OPTIONS: Final = (
    click.option(
        "--tls-ca",
        metavar="FILE",
        envvar="GATEWAY_ENTITIES_TLS_CA",
        show_envvar=True,
        help="CA certificates to trust instead of the system's, PEM.",
    ),
    click.option(
        "--tls-cert",
        metavar="FILE",
        envvar="GATEWAY_ENTITIES_TLS_CERT",
        show_envvar=True,
        help="Client certificate, PEM.",
    ),
    click.option(
        "--tls-key",
        metavar="FILE",
        envvar="GATEWAY_ENTITIES_TLS_KEY",
        show_envvar=True,
        help="Private key of --tls-cert, PEM.",
    ),
)
_OPTIONS: Final = (
    target_option,
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=Seconds(min=0, min_open=True),
        default=30.0,
        show_default=True,
        help="Timeout of each call.",
    ),
    click.option(
        "--token-file",
        metavar="FILE",
        envvar=f"{TOKEN_VARIABLE}_FILE",
        show_envvar=True,
        help="File with the bearer token, mode 0600, or of root with mode 0440 and a group of this process. Default: the "
        f"token in {TOKEN_VARIABLE}, if set.",
    ),
    *_TLS_OPTIONS,
)
