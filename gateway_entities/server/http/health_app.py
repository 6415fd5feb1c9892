"""The paths of probes, and the ASGI app of the listener that serves them, and the metrics, without authentication."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway_entities.errors import GatewayError
from gateway_entities.server.http.asgi import Budgets, ProtocolApp
from gateway_entities.server.http.connect import method_not_allowed, not_found
from gateway_entities.server.http.metrics_endpoint import MetricsEndpoint
from gateway_entities.server.http.mlflow_rest import STATIC
from gateway_entities.server.http.telemetry import TelemetryMiddleware
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.telemetry.observer import Observer

PROBE_PATHS: Final = frozenset({"/healthz", "/readyz", "/health", "/version"})
"""Paths that answer requests with any Host header: probes name the address of a pod or of a machine.

A page that resolves its own name to this machine can read them, and learns no more than that a server of this version runs,
and whether it is ready. They need no authentication, change nothing, and show nothing of the store's content.
"""

_VERSION: Final = "/version"
_METRICS: Final = "/metrics"
_CONNECTIONS: Final = 64
_CONNECTIONS_PER_PEER: Final = 16


def health_limits(limits: Limits) -> Limits:
    """Return the limits of a health listener: those of the HTTP port, with few connections, 64 in all and 16 of a peer."""
    return replace(
        limits,
        http_connections=min(limits.http_connections, _CONNECTIONS),
        http_connections_per_peer=min(limits.http_connections_per_peer, _CONNECTIONS_PER_PEER),
    )


def health_app(
    ready: Callable[[], Awaitable[None]], *, observer: Observer, metrics: MetricsEndpoint, limits: Limits
) -> ASGIApp:
    """Return the app of a health listener: ``/healthz``, ``/readyz``, ``/version`` and ``/metrics``, and nothing else.

    Args:
        ready: raises GatewayError if the server is not ready.
        observer: records the requests.
        metrics: serves ``/metrics``.
        limits: from ``health_limits``.
    """
    routes = [
        *probe_routes(ready),
        Route(_VERSION, _version, methods=["GET"]),
        Route(_METRICS, ProtocolApp(metrics, Budgets(limits)), methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: no_route})
    app.router.redirect_slashes = False
    return TelemetryMiddleware(app, observer, {route.path: ("http", route.path) for route in routes}, ())


def probe_routes(ready: Callable[[], Awaitable[None]]) -> tuple[Route, Route]:
    """Return the routes of ``/healthz`` and ``/readyz``.

    Args:
        ready: raises GatewayError if the server is not ready.
    """

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        try:
            await ready()
        except GatewayError as error:
            return JSONResponse({"status": "unavailable", "reason": error.reason, "message": error.message}, 503)
        return JSONResponse({"status": "ok"})

    return Route("/healthz", healthz), Route("/readyz", readyz)


def no_route(_request: Request, error: Exception) -> Response:
    """Return the response to a request for no path, or with a wrong HTTP method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this class.
    found = not_found() if error.status_code == 404 else method_not_allowed((error.headers or {}).get("Allow", ""))
    return Response(found.body, found.status, {name.decode(): value.decode() for name, value in found.headers})


async def _version(_request: Request) -> Response:
    content_type, content = STATIC[_VERSION]
    return Response(content, headers={name.decode(): value.decode() for name, value in (content_type,)})
