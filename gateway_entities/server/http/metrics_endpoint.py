"""``GET /metrics``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope

from gateway_entities.errors import GatewayError
from gateway_entities.server.http.asgi import HttpResponse, Memory, credentials_of, parse_once
from gateway_entities.server.http.connect import error_response
from gateway_entities.server.rpc.auth import Credentials
from gateway_entities.server.telemetry.metrics import Metrics


class MetricsEndpoint:
    """Serves metrics, also while calls are refused or the store is unavailable."""

    def __init__(self, metrics: Metrics, authenticate: Callable[[Credentials], object], max_age: float = 0.0) -> None:
        """Create the endpoint.

        Args:
            metrics: the metrics.
            authenticate: raises GatewayError for a caller who may not read them; runs in a worker thread.
            max_age: the maximum age of the metrics, in seconds.
        """
        self._metrics = metrics
        self._authenticate = authenticate
        self._max_age = max_age

    async def respond(self, scope: Scope, receive: Receive, memory: Memory) -> HttpResponse:  # noqa: ARG002 - RpcProtocol's.
        """Respond to a request; see :meth:`gateway_entities.server.http.asgi.RpcProtocol.respond`."""
        credentials = parse_once(scope, credentials_of)
        accept, encodings = _header(scope, b"accept"), _header(scope, b"accept-encoding")

        def render() -> tuple[bytes, dict[str, str]]:
            self._authenticate(credentials)
            return self._metrics.render(accept, encodings, self._max_age)

        body, headers = await asyncio.to_thread(render)
        return HttpResponse(200, tuple((name.encode(), value.encode()) for name, value in headers.items()), body)

    def error_response(self, error: GatewayError) -> HttpResponse:
        """Return an error as JSON."""
        return error_response(error)


def _header(scope: Scope, wanted: bytes) -> str:
    return b",".join(value for name, value in scope["headers"] if name == wanted).decode("latin-1")
