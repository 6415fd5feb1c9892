"""The HTTP edge: every RPC as a Connect call and in MLflow's REST dialect; whether the server lives, and is ready."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable, Generator
from ipaddress import ip_address
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.server.address import Address, cannot_listen
from gateway_entities.server.asgi import Endpoint, read_body, send_reply, unless_gone
from gateway_entities.server.connect import BadCallError, Reply, decompress, error_reply, read_headers
from gateway_entities.server.dispatch import Dispatcher
from gateway_entities.server.mlflow_rest import PLAIN, ROOTS, MlflowRest

_METHODS: Final = {method.path: method for method in METHODS}

_PING_SECONDS: Final = 2.0

_LAST_REQUESTS_SECONDS: Final = 1
"""How long requests may take to end once the dispatcher has no calls left: answers on their way, bodies still coming."""


def http_app(dispatcher: Dispatcher, ping: Callable[[], None]) -> ASGIApp:
    """Return the ASGI app. It is for loopback addresses: it answers nothing that was sent to another host's name.

    Args:
        dispatcher: what serves the calls.
        ping: fails with GatewayError when the store cannot be used. It runs in a worker thread.
    """

    async def alive(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        try:
            await dispatcher.run(ping, _PING_SECONDS, during="GET /readyz")
        except GatewayError as error:
            return JSONResponse({"status": "unavailable", "message": error.message}, 503)
        return JSONResponse({"status": "ok"})

    dialect = MlflowRest(dispatcher)
    rest = Endpoint(dialect)
    routes = [
        *(Route(root + rest_of_path, rest) for root in ROOTS for rest_of_path in ("", "/{path:path}")),
        # One pattern for all calls, since each passes it.
        Route("/{service}/{method}", Endpoint(_Connect(dispatcher))),
        Route("/healthz", alive),
        Route("/readyz", ready),
        *(Route(path, rest) for path in PLAIN if not path.startswith(ROOTS)),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route})
    app.router.redirect_slashes = False
    return _LoopbackHosts(app, dialect)


class _LoopbackHosts:
    """Answers what was sent to this machine by its own names, and refuses the rest.

    A web page can give its own name this machine's address (DNS rebinding). A browser then takes the gateway for the page's
    own server and lets the page read the answers; but its requests still name the page's host.
    """

    def __init__(self, app: ASGIApp, dialect: MlflowRest) -> None:
        self._app = app
        self._dialect = dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if all(_is_loopback(value) for name, value in scope["headers"] if name == b"host"):
            await self._app(scope, receive, send)
            return
        error = GatewayError(
            Code.PERMISSION_DENIED,
            "the Host header names another host; this server answers to localhost and loopback addresses only",
            reason="FOREIGN_HOST",
        )
        path = scope["path"]
        form = self._dialect.error_reply if path in PLAIN or path.startswith(ROOTS) else error_reply
        await send_reply(form(error), send)


def _is_loopback(host: bytes) -> bool:
    name = re.sub(":[0-9]*$", "", host.decode("latin-1"))
    try:
        return name.lower() == "localhost" or ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def _no_route(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this class.
    reply = _not_found() if error.status_code == 404 else _bad_verb((error.headers or {}).get("Allow", ""))
    return Response(reply.body, reply.status, {name.decode(): value.decode() for name, value in reply.headers})


def _not_found() -> Reply:
    return error_reply(GatewayError(Code.UNIMPLEMENTED, "there is nothing at this path"), status=404)


def _bad_verb(allowed: str) -> Reply:
    # There is no code for this; UNKNOWN is what Connect's clients make of a bare 405.
    error = GatewayError(Code.UNKNOWN, f"this path takes {allowed} only")
    return error_reply(error, status=405, headers=((b"allow", allowed.encode()),))


class _Connect:
    """Connect calls."""

    error_reply = staticmethod(error_reply)

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def reply(self, scope: Scope, receive: Receive) -> Reply:
        method = _METHODS.get(scope["path"])
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
        body = await read_body(receive, deadline)

        def work() -> bytes:
            data = decompress(body) if call.gzipped else body
            return call.codec.encode(self._dispatcher.serve(method, call.codec.decode(data, method.request_type)))

        timeout = None if deadline is None else deadline - loop.time()
        answer = await unless_gone(receive, self._dispatcher.run(work, timeout, during=method.path))
        return Reply(200, ((b"content-type", call.content_type),), answer)


class _Protocol(HttpToolsProtocol):
    """uvicorn's HTTP without a log line for each request, and without a change to the logging of the process for that."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.access_log = False
        super().connection_made(transport)


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


class HttpEdge:
    """An HTTP server over a dispatcher. It lives on the event loop that it was started on, which may run in any thread."""

    def __init__(self, dispatcher: Dispatcher, ping: Callable[[], None]) -> None:
        """Take what ``http_app`` takes."""
        config = uvicorn.Config(
            http_app(dispatcher, ping),
            http=_Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            workers=1,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_LAST_REQUESTS_SECONDS,
        )
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
