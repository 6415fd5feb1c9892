"""Failures of a connection as errors of a call."""

from __future__ import annotations

import ssl

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.deadline import deadline_exceeded
from gateway_entities.transports.http1.response import NotHttpError
from gateway_entities.transports.http1.route import Route
from gateway_entities.transports.target import UNTRUSTED_CERTIFICATE


def to_gateway_error(error: Exception, route: Route, connection: object | None) -> GatewayError:
    """Return the error of a call.

    Args:
        error: an OSError, a NotHttpError or a GatewayError.
        route: the way to the server.
        connection: the connection; None if there is none yet.
    """
    if isinstance(error, GatewayError):
        return error
    # The deadline raises TimeoutError without an errno; the kernel's own time-out has one.
    if isinstance(error, TimeoutError) and error.errno is None:
        return deadline_exceeded()
    if isinstance(error, NotHttpError):
        return GatewayError(Code.INTERNAL, f"the response from {route} is not valid HTTP: {error}")
    if connection is None:
        reason = UNTRUSTED_CERTIFICATE if isinstance(error, ssl.SSLCertVerificationError) else None
        return GatewayError(Code.UNAVAILABLE, f"cannot connect to {route}: {error}", reason=reason)
    return GatewayError(Code.UNAVAILABLE, f"no complete response from {route}: {error}")
