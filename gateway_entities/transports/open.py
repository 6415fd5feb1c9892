"""The choice of a transport by its target. The libraries of a transport are imported when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_entities.transports.base import AsyncTransport, Transport
from gateway_entities.transports.target import NO_TLS_FILES, Target, TlsFiles

if TYPE_CHECKING:
    from gateway_entities.transports.tls import Tls


def open_transport(target: str, files: TlsFiles = NO_TLS_FILES) -> Transport:
    """Return the transport for a target. Nothing is connected before the first call.

    Raises:
        GatewayError: INVALID_ARGUMENT for an invalid target, or TLS files for a target without TLS; FAILED_PRECONDITION for
            an unusable file.
    """
    parsed, tls = _parse(target, files)
    if parsed.scheme.startswith("grpc"):
        from gateway_entities.transports.grpc import GrpcTransport

        return GrpcTransport(parsed, tls)
    if parsed.scheme.startswith("mlflow"):
        from gateway_entities.transports.mlflow_rest import MlflowTransport

        return MlflowTransport(parsed, tls)
    from gateway_entities.transports.connect import ConnectTransport

    return ConnectTransport(parsed, tls)


def open_async_transport(target: str, files: TlsFiles = NO_TLS_FILES) -> AsyncTransport:
    """Return the asyncio transport for a target; see :func:`open_transport`."""
    parsed, tls = _parse(target, files)
    if parsed.scheme.startswith("grpc"):
        from gateway_entities.transports.grpc import AsyncGrpcTransport

        return AsyncGrpcTransport(parsed, tls)
    if parsed.scheme.startswith("mlflow"):
        from gateway_entities.transports.mlflow_rest import AsyncMlflowTransport

        return AsyncMlflowTransport(parsed, tls)
    from gateway_entities.transports.connect import AsyncConnectTransport

    return AsyncConnectTransport(parsed, tls)


def _parse(target: str, files: TlsFiles) -> tuple[Target, Tls | None]:
    parsed = Target.parse(target)
    if files == NO_TLS_FILES:
        return parsed, None
    # ssl takes a while to import.
    from gateway_entities.transports.tls import Tls

    return parsed, Tls.load(parsed, files)
