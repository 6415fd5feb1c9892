"""Probes of a gateway: whether it answers, and whether it is ready."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any, Final, cast

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.pool import ConnectionPool, HttpRequest
from gateway_entities.transports.target import Target, TlsFiles
from gateway_entities.transports.tls import Tls

_MAX_TEXT: Final = 200
_SERVING: Final = b"\x08\x01"
"""The HealthCheckResponse with the status SERVING."""


class _GrpcCheck:
    """``grpc.health.v1.Health/Check``, as far as a transport uses it. Its messages are an extra's."""

    path: Final = "/grpc.health.v1.Health/Check"


def check_health(target: str, files: TlsFiles, *, ready: bool, timeout: float) -> None:
    """Return if a gateway answers.

    Args:
        target: as for ``open_transport``.
        files: the TLS files.
        ready: whether it also has to be ready for calls.
        timeout: the maximum time, in seconds.

    Raises:
        GatewayError: UNAVAILABLE if it is not ready, or as of a call; INVALID_ARGUMENT and FAILED_PRECONDITION as
            ``open_transport``, and for ``ready`` with an MLflow server, which does not report it.
    """
    parsed = Target.parse(target)
    tls = Tls.load(parsed, files)
    if parsed.scheme.startswith("grpc"):
        _check_grpc(parsed, tls, ready=ready, timeout=timeout)
        return
    is_mlflow = parsed.scheme.startswith("mlflow")
    if is_mlflow and ready:
        raise GatewayError(Code.INVALID_ARGUMENT, f"{parsed}: MLflow reports no readiness", reason="BAD_TARGET")
    path = "/health" if is_mlflow else "/readyz" if ready else "/healthz"
    with closing(ConnectionPool(parsed, tls)) as pool:
        response = pool.request(
            HttpRequest("GET", parsed.prefix + path, [("host", parsed.authority)], b""), Deadline(timeout)
        )
    if response.status != 200:
        raise GatewayError(
            Code.UNAVAILABLE, f"{parsed}{path}: {_reason(response.status, response.body)}", reason="NOT_READY"
        )


def _check_grpc(target: Target, tls: Tls | None, *, ready: bool, timeout: float) -> None:
    from gateway_entities.transports.grpc import GrpcTransport

    with closing(GrpcTransport(target, tls)) as transport:
        status = transport.call(cast("Method[Any, Any]", _GrpcCheck), b"", timeout=timeout, metadata=None)
    if ready and status != _SERVING:
        raise GatewayError(Code.UNAVAILABLE, f"{target} is not ready", reason="NOT_READY")


def _reason(status: int, body: bytes) -> str:
    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    message = cast("dict[str, object]", content).get("message") if isinstance(content, dict) else None
    return message[:_MAX_TEXT] if isinstance(message, str) else f"HTTP status {status}"
