"""The ASGI app: every RPC over Connect and MLflow's REST dialect, ``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway_entities.errors import GatewayError
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.http.allowed_hosts import LOOPBACK_ONLY, AllowedHosts, AllowedHostsMiddleware
from gateway_entities.server.http.asgi import Budgets, HttpResponse, ProtocolApp, RpcProtocol
from gateway_entities.server.http.connect import ConnectProtocol
from gateway_entities.server.http.connect_stream import ConnectStreams
from gateway_entities.server.http.cors import with_cors
from gateway_entities.server.http.health_app import PROBE_PATHS, no_route, probe_routes
from gateway_entities.server.http.mlflow_rest import DISCOVERY, REST_METHODS, ROOTS, STATIC, MlflowRest
from gateway_entities.server.http.telemetry import TelemetryMiddleware
from gateway_entities.server.provider_catalog import ProviderCatalog
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits
from gateway_entities.server.telemetry.observer import Observer


def http_app(
    dispatcher: Dispatcher,
    ready: Callable[[], Awaitable[None]],
    *,
    observer: Observer | None = None,
    metrics: RpcProtocol | None = None,
    methods: Iterable[Method[Any, Any]] = METHODS,
    cors_origins: Sequence[str] = (),
    hosts: AllowedHosts | None = LOOPBACK_ONLY,
    limits: Limits = DEFAULT_LIMITS,
    catalog: ProviderCatalog | None = None,
) -> ASGIApp:
    """Return the ASGI app for an HttpServer.

    Args:
        dispatcher: runs the calls.
        ready: raises GatewayError if the server is not ready.
        observer: records the requests.
        metrics: serves ``/metrics``; None for no such path.
        methods: the RPCs of Connect calls. The dispatcher's service has a handler for each.
        cors_origins: origins whose pages may call the app from a browser, checked.
        hosts: the allowed host names; None for any.
        limits: the limits of bodies.
        catalog: the providers that clients may discover; None for the built-in ones.
    """
    budgets = Budgets(limits)
    unary = [method for method in methods if not method.server_streaming]
    streaming = {method.path: method for method in methods if method.server_streaming}
    connect, rest = ConnectProtocol(dispatcher, unary, limits), MlflowRest(dispatcher, limits, catalog)
    streams = ConnectStreams(dispatcher, streaming, budgets, observer, limits)
    connect_app, rest_app = ProtocolApp(connect, budgets), ProtocolApp(rest, budgets)
    routes = [
        *(Route(root + tail, rest_app) for root in ROOTS for tail in ("", "/{path:path}")),
        # Paths of no RPC; those of RPCs bypass the router.
        Route("/{service}/{method}", connect_app),
        *probe_routes(ready),
        *([Route("/metrics", ProtocolApp(metrics, budgets), methods=["GET"])] if metrics else []),
        *(Route(path, rest_app) for path in STATIC if not path.startswith(ROOTS)),
    ]
    router = Starlette(routes=routes, exception_handlers={HTTPException: no_route})
    router.router.redirect_slashes = False
    apps: dict[str, ASGIApp] = {
        **{method.path: connect_app for method in unary},
        **dict.fromkeys(streaming, streams),
    }

    async def calls_first(scope: Scope, receive: Receive, send: Send) -> None:
        await apps.get(scope["path"], router)(scope, receive, send)

    def error_response(path: str, error: GatewayError) -> HttpResponse:
        return (rest if path in STATIC or path.startswith(ROOTS) else connect).error_response(error)

    app = with_cors(calls_first, cors_origins)
    if hosts is not None:
        app = AllowedHostsMiddleware(app, hosts, error_response, PROBE_PATHS)
    return app if observer is None else TelemetryMiddleware(app, observer, _telemetry_names(methods), ROOTS)


def _telemetry_names(methods: Iterable[Method[Any, Any]]) -> dict[str, tuple[str, str]]:
    """Return the transport and the method of each path, as in RequestContext."""
    own = ("/healthz", "/readyz", "/metrics", *STATIC, *DISCOVERY)
    return {
        **{path: ("http", path) for path in own},
        **{path: ("rest", method.path) for path, method in REST_METHODS.items()},
        **{method.path: ("connect", method.path) for method in methods},
    }
