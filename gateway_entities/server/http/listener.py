"""The HTTP listener: uvicorn without its signal handlers, on a socket of our own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Generator
from functools import partial
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp

from gateway_entities.server.address import Address, address_unavailable
from gateway_entities.server.http.fast_path import CachedResponder
from gateway_entities.server.http.protocol import HttpProtocol

_SHUTDOWN_TIMEOUT_S: Final = 1
"""Seconds for requests to end once the dispatcher has no calls left: responses being sent, bodies being received."""


class HttpServer:
    """An HTTP server of one app. It runs on the event loop that it was started on, which may run in any thread."""

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext | None = None, responder: CachedResponder | None = None) -> None:
        """Create a server.

        Args:
            app: the app from ``http_app``.
            tls: the TLS context; None for plain HTTP.
            responder: sends cached responses before the app is called; None for none.
        """
        config = uvicorn.Config(
            app,
            # uvicorn only calls it.
            http=cast("type[HttpProtocol]", partial(HttpProtocol, responder=responder)),
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
        # uvicorn would create a context of its own from files, with the ciphers of TLS 1.0.
        config.ssl = tls
        self._server = _Uvicorn(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self, address: Address) -> int:
        """Listen and serve; return the port.

        Raises:
            GatewayError: UNAVAILABLE if the address is in use or not one of this machine.
        """
        try:
            listener = socket.create_server(address, family=socket.AF_INET6 if ":" in address.host else socket.AF_INET)
        except OSError:
            raise address_unavailable(address, "HTTP") from None
        # Connections inherit this. asyncio sets it only on sockets that name their protocol, which these do not; without it
        # the second packet of a response waits for the client's delayed acknowledgement, 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listening.wait()
        return int(listener.getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and end every request. The dispatcher is drained first."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        # uvicorn has cancelled what is left, and those requests are answered that the server stops.
        await asyncio.gather(*self._server.server_state.tasks)


class _Uvicorn(uvicorn.Server):
    """uvicorn without signal handlers, with an event for the moment when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()
