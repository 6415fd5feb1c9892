"""The HTTP listener: uvicorn without its signal handlers, on a socket of our own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Generator
from functools import partial
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp

from gateway_entities.server.address import Address, address_unavailable
from gateway_entities.server.http.acceptor import Acceptor
from gateway_entities.server.http.connections import Connections
from gateway_entities.server.http.fast_path import CachedResponder
from gateway_entities.server.http.protocol import HttpProtocol
from gateway_entities.server.rpc.descriptors import descriptor_limit
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits
from gateway_entities.server.socket_file import SocketFile, bind_privately

_SHUTDOWN_TIMEOUT_S: Final = 1
"""Seconds for requests to end once the dispatcher has no calls left: responses being sent, bodies being received."""

_OTHER_DESCRIPTORS: Final = 128
"""Descriptors for everything but connections: the store's, the log's, the libraries'. HTTP and gRPC share the others."""

_PACKET_BYTES: Final = 32 * 1024
"""Bytes read from a connection in one step. A request that is not complete by then is read on only when it is admitted."""

_TICKS: Final = 3
"""Connections are checked for time limits each time that uvicorn has counted so many ticks of 0.1 s."""


class HttpServer:
    """An HTTP server of one app. It runs on the event loop that it was started on, which may run in any thread."""

    def __init__(
        self,
        app: ASGIApp,
        tls: Callable[[], ssl.SSLContext] | None = None,
        responder: CachedResponder | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Create a server.

        Args:
            app: the app from ``http_app``.
            tls: returns the TLS context of a new connection; None for plain HTTP.
            responder: sends cached responses before the app is called; None for none.
            limits: the limits of connections.
        """
        config = uvicorn.Config(
            app,
            http=HttpProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            workers=1,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
        )
        config.load()
        self._server = _Uvicorn(config, tls, responder, limits)
        self._serving: asyncio.Task[None] | None = None
        self._file: SocketFile | None = None

    async def start(self, address: Address) -> int:
        """Listen and serve; return the port, 0 for a Unix socket.

        Raises:
            GatewayError: UNAVAILABLE if the address is in use or not one of this machine, or the file cannot be made.
        """
        listeners = [self._listen_on_file(address)] if address.path else _listen(address)
        self._serving = asyncio.create_task(self._server.serve(sockets=listeners))
        await self._server.listening.wait()
        return 0 if address.path else int(listeners[0].getsockname()[1])

    def _listen_on_file(self, address: Address) -> socket.socket:
        file = SocketFile(address, "HTTP")
        with file.claimed() as path:
            listener = bind_privately(path, self._server.config.backlog)
        self._file = file
        return listener

    async def stop(self) -> None:
        """Stop listening and end every request. The dispatcher is drained first."""
        if self._file is not None:
            self._file.remove()
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        # uvicorn has cancelled what is left, and those requests are answered that the server stops.
        await asyncio.gather(*self._server.server_state.tasks)


def _listen(address: Address) -> list[socket.socket]:
    """Return the sockets of an address, all with one port."""
    opened: list[socket.socket] = []
    port = address.port
    try:
        for host in address.hosts:
            opened.append(_bind(host, port))
            port = opened[0].getsockname()[1]
    except OSError:
        for listener in opened:
            listener.close()
        raise address_unavailable(address, "HTTP") from None
    return opened


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Every IPv6 address means every IPv4 address too, as for gRPC.
    both = host == "::" and socket.has_dualstack_ipv6()
    listener = socket.create_server((host, port), family=family, dualstack_ipv6=both)
    # Connections inherit this. asyncio sets it only on sockets that name their protocol, which these do not; without it the
    # second packet of a response waits for the client's delayed acknowledgement, 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class _Uvicorn(uvicorn.Server):
    """uvicorn without signal handlers, on an acceptor of our own, with an event for the moment when it listens."""

    def __init__(
        self,
        config: uvicorn.Config,
        tls: Callable[[], ssl.SSLContext] | None,
        responder: CachedResponder | None,
        limits: Limits,
    ) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._tls = tls
        self._limits = limits
        self._connections = Connections(limits, (descriptor_limit() - _OTHER_DESCRIPTORS) // 2)
        self._create = partial(
            HttpProtocol,
            config=config,
            server_state=self.server_state,
            app_state={},
            limits=limits,
            connections=self._connections,
            buffer=memoryview(bytearray(_PACKET_BYTES)),
            responder=responder,
        )
        self._acceptor: Acceptor | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        assert sockets is not None  # noqa: S101 - HttpServer gives them.
        acceptor = Acceptor(
            sockets, self._create, self._connections, tls=self._tls, handshake_timeout=self._limits.http_head_timeout_s
        )
        acceptor.start(self.config.backlog)
        # uvicorn closes them when it stops.
        self.servers = cast("list[asyncio.Server]", [acceptor])
        self._acceptor = acceptor
        self.started = True
        self.listening.set()

    async def on_tick(self, counter: int) -> bool:
        if self._acceptor is not None and counter % _TICKS == 0:
            self._acceptor.tick()
        return await super().on_tick(counter)
