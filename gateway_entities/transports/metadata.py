"""Metadata of calls: validated headers, and the bearer token."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway_entities.errors import Code, GatewayError
from gateway_entities.text import TOKEN_VARIABLE, token_of_environment
from gateway_entities.transports.target import Target

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_METADATA_KEY = re.compile(r"[a-z0-9_.-]+")
_METADATA_VALUE = re.compile(r"[\x20-\x7e]*")
# Headers that a transport writes itself, and those that would change how a message is decoded.
_RESERVED_KEYS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "te",
        "trailer",
    }
    | {"transfer-encoding", "upgrade"}
)
_RESERVED_PREFIXES = ("grpc-", "connect-")


def bearer_of_environment(target: str) -> str | None:
    """Return the value of the authorization header for the token in TOKEN_VARIABLE.

    Returns:
        None if there is none, and for a server of MLflow, whose tokens are others.

    Raises:
        GatewayError: as ``bearer``.
    """
    token = token_of_environment()
    if token is None or Target.parse(target).scheme.startswith("mlflow"):
        return None
    try:
        return bearer(target, token)
    except GatewayError as error:
        raise GatewayError(error.code, f"{TOKEN_VARIABLE}: {error.message}", reason=error.reason) from None


def bearer(target: str, token: str) -> str:
    """Return the value of the authorization header for a token.

    Raises:
        GatewayError: INVALID_ARGUMENT for text that is no token; FAILED_PRECONDITION for a target on a network without TLS.
            Neither shows the token.
    """
    if not _match(_TOKEN, token):
        raise GatewayError(
            Code.INVALID_ARGUMENT, "a token is letters, digits, and the signs - . _ ~ + / =", reason="BAD_TOKEN"
        )
    parsed = Target.parse(target)
    if not parsed.secure and not parsed.is_loopback:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"refusing to send a token to {parsed}, over a network and without TLS; use {parsed.scheme}s://",
            reason="INSECURE_TOKEN",
        )
    return f"Bearer {token}"


def headers(metadata: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Validate metadata, and return it as headers.

    Raises:
        GatewayError: INVALID_ARGUMENT naming the key at fault, never its value: it may be a token.
    """
    if not metadata:
        return ()
    for key, value in metadata.items():
        if not _match(_METADATA_KEY, key) or key.endswith("-bin"):
            problem = "a key is lower-case letters, digits, and the signs - _ . and does not end in -bin"
        elif key in _RESERVED_KEYS or key.startswith(_RESERVED_PREFIXES):
            problem = "the transport writes this key itself"
        elif not _match(_METADATA_VALUE, value):
            problem = "a value is printable ASCII"
        else:
            continue
        raise GatewayError(Code.INVALID_ARGUMENT, f"metadata[{key!r}]: {problem}", reason="BAD_METADATA")
    return tuple(metadata.items())


def _match(pattern: re.Pattern[str], value: object) -> re.Match[str] | None:
    return pattern.fullmatch(value) if isinstance(value, str) else None
