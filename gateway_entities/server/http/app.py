"""The HTTP edge: every RPC as a Connect call and in MLflow's REST dialect; whether the server lives, and is ready."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from functools import partial
from typing import Any, Final, cast

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.address import Address, cannot_listen
from gateway_entities.server.http.allowed_hosts import LOOPBACK_ONLY, AllowedHosts, AllowedHostsMiddleware
from gateway_entities.server.http.asgi import Endpoint, RpcProtocol, credentials_of, read_body, unless_gone
from gateway_entities.server.http.connect import BadCallError, HttpResponse, decompress, error_reply, read_headers
from gateway_entities.server.http.cors import with_cors
from gateway_entities.server.http.fast_path import CachedResponder
from gateway_entities.server.http.mlflow_rest import PLAIN, REST_METHODS, ROOTS, MlflowRest
from gateway_entities.server.http.protocol import HttpProtocol
from gateway_entities.server.http.telemetry import TelemetryMiddleware
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.telemetry.observer import Observer

_LAST_REQUESTS_SECONDS: Final = 1
"""How long requests may take to end once the dispatcher has no calls left: answers on their way, bodies still coming."""


def http_app(
    dispatcher: Dispatcher,
    ready: Callable[[], Awaitable[None]],
    *,
    observer: Observer | None = None,
    metrics: RpcProtocol | None = None,
    methods: Iterable[Method[Any, Any]] = METHODS,
    cors_origins: Sequence[str] = (),
    hosts: AllowedHosts | None = LOOPBACK_ONLY,
) -> ASGIApp:
    """Return the ASGI app.

    Args:
        dispatcher: what serves the calls.
        ready: fails with GatewayError when the server is not ready.
        observer: who hears of the requests.
        metrics: what answers ``/metrics``; None for nothing.
        methods: the RPCs that Connect calls may name. The dispatcher's service has a handler for each.
        cors_origins: origins whose pages may call it from a browser, checked.
        hosts: the host names that requests may have been sent to; None for any.
    """

    async def alive(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readiness(_request: Request) -> Response:
        try:
            await ready()
        except GatewayError as error:
            return JSONResponse({"status": "unavailable", "message": error.message}, 503)
        return JSONResponse({"status": "ok"})

    dialect = MlflowRest(dispatcher)
    rest = Endpoint(dialect)
    connect = Endpoint(_Connect(dispatcher, methods))
    routes = [
        *(Route(root + rest_of_path, rest) for root in ROOTS for rest_of_path in ("", "/{path:path}")),
        # What names no RPC; those that do never come here.
        Route("/{service}/{method}", connect),
        Route("/healthz", alive),
        Route("/readyz", readiness),
        *([Route("/metrics", Endpoint(metrics), methods=["GET"])] if metrics else []),
        *(Route(path, rest) for path in PLAIN if not path.startswith(ROOTS)),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route})
    app.router.redirect_slashes = False
    paths = frozenset(method.path for method in methods)

    async def calls_first(scope: Scope, receive: Receive, send: Send) -> None:
        await (connect if scope["path"] in paths else app)(scope, receive, send)

    answering = with_cors(calls_first, cors_origins)

    def refusal(path: str, error: GatewayError) -> HttpResponse:
        form = dialect.error_reply if path in PLAIN or path.startswith(ROOTS) else error_reply
        return form(error)

    known = answering if hosts is None else AllowedHostsMiddleware(answering, hosts, refusal)
    return known if observer is None else TelemetryMiddleware(known, observer, _names(methods), ROOTS)


def _names(methods: Iterable[Method[Any, Any]]) -> dict[str, tuple[str, str]]:
    """Return what Observed takes: how each path is told to whoever runs the server."""
    own = ("/healthz", "/readyz", "/metrics", *PLAIN)
    return {
        **{path: ("http", path) for path in own},
        **{path: ("rest", method.path) for path, method in REST_METHODS.items()},
        **{method.path: ("connect", method.path) for method in methods},
    }


def _no_route(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this class.
    reply = _not_found() if error.status_code == 404 else _bad_verb((error.headers or {}).get("Allow", ""))
    return Response(reply.body, reply.status, {name.decode(): value.decode() for name, value in reply.headers})


def _not_found() -> HttpResponse:
    return error_reply(GatewayError(Code.UNIMPLEMENTED, "there is nothing at this path"), status=404)


def _bad_verb(allowed: str) -> HttpResponse:
    # There is no code for this; UNKNOWN is what Connect's clients make of a bare 405.
    error = GatewayError(Code.UNKNOWN, f"this path takes {allowed} only")
    return error_reply(error, status=405, headers=((b"allow", allowed.encode()),))


class _Connect:
    """Connect calls."""

    error_reply = staticmethod(error_reply)

    def __init__(self, dispatcher: Dispatcher, methods: Iterable[Method[Any, Any]]) -> None:
        self._dispatcher = dispatcher
        self._methods = {method.path: method for method in methods}

    async def reply(self, scope: Scope, receive: Receive) -> HttpResponse:
        method = self._methods.get(scope["path"])
        if method is None:
            return _not_found()
        if scope["method"] != "POST":
            return _bad_verb("POST")
        try:
            call = read_headers(scope["headers"])
        except BadCallError as bad:
            return bad.reply
        loop = asyncio.get_running_loop()
        deadline = None if call.timeout is None else loop.time() + call.timeout
        body = await read_body(scope, receive, deadline)
        credentials = credentials_of(scope)

        def read() -> Any:
            return call.codec.decode(decompress(body) if call.gzipped else body, method.request_type)

        key = (method.path, call.codec.name, body)

        def work() -> bytes:
            response = self._dispatcher.serve(method, credentials, read)
            data = call.codec.encode(response)
            if not call.gzipped:
                self._dispatcher.keep(key, response, data)
            return data

        def left() -> float | None:
            return None if deadline is None else deadline - loop.time()

        answer = None if call.gzipped else await self._dispatcher.known(key, method, credentials, left())
        if answer is None:
            answer = await unless_gone(receive, self._dispatcher.run(work, left(), during=method.path))
        return HttpResponse(200, ((b"content-type", call.content_type),), answer)


class _Uvicorn(uvicorn.Server):
    """uvicorn that leaves the signals alone and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class HttpServer:
    """An HTTP server of one app. It lives on the event loop that it was started on, which may run in any thread."""

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext | None = None, at_once: CachedResponder | None = None) -> None:
        """Take what answers.

        Args:
            app: what ``http_app`` returns.
            tls: what TLS takes; None for no TLS.
            at_once: what is asked before the app; None for nothing.
        """
        config = uvicorn.Config(
            app,
            # It only ever calls it.
            http=cast("type[HttpProtocol]", partial(HttpProtocol, at_once=at_once)),
            ws="none",
            lifespan="off",
            interface="asgi3",
            workers=1,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_LAST_REQUESTS_SECONDS,
        )
        config.load()
        # uvicorn would make a context of its own from files, with the ciphers of TLS 1.0.
        config.ssl = tls
        self._server = _Uvicorn(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self, address: Address) -> int:
        """Listen and serve; return the port.

        Raises:
            GatewayError: UNAVAILABLE, if the address is taken or is not this machine's.
        """
        try:
            listener = socket.create_server(address, family=socket.AF_INET6 if ":" in address.host else socket.AF_INET)
        except OSError:
            raise cannot_listen(address, "HTTP") from None
        # Its connections inherit this. asyncio sets it only on sockets that name their protocol, which these do not; without
        # it the second packet of an answer waits for the caller's delayed acknowledgement, 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listening.wait()
        return int(listener.getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and end every request. The dispatcher is drained first."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        # Those that uvicorn gave up on are cancelled by now, and answer that the server stops.
        await asyncio.gather(*self._server.server_state.tasks)
