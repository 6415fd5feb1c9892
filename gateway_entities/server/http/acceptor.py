"""Accepts HTTP connections within their limits.

asyncio's own loop accepts without a limit; once the process has no descriptor left, it logs a stack trace for every try.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final, cast

from gateway_entities.server.http.connections import Connections, OpenConnection, peer_of
from gateway_entities.server.http.early_response import busy_response
from gateway_entities.server.http.protocol import HttpProtocol
from gateway_entities.server.rpc.descriptors import DescriptorReserve

_BATCH: Final = 64
"""Connections accepted before other work of the loop has its turn."""
_RESERVE: Final = 16
"""Connections that can be accepted when the rest of the process has used up its descriptors: those of health checks."""
_PAUSE_S: Final = 0.1
"""Seconds before the next try when nothing can be accepted."""
_WARNING_INTERVAL_S: Final = 60.0
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_LOG: Final = logging.getLogger(__name__)


class Acceptor:
    """Accepts the connections of one address. It takes the place of asyncio's Server in uvicorn's list."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        create: Callable[[], HttpProtocol],
        connections: Connections,
        *,
        tls: Callable[[], ssl.SSLContext] | None,
        handshake_timeout: float,
    ) -> None:
        """Create an acceptor.

        Args:
            listeners: the bound sockets of the address; the caller closes them.
            create: creates the protocol of a connection.
            connections: the open connections.
            tls: returns the TLS context of a new connection; None for plain HTTP.
            handshake_timeout: seconds for a TLS handshake.
        """
        self._loop = asyncio.get_running_loop()
        self._listeners = listeners
        self._create = create
        self._connections = connections
        self._tls = tls
        self._handshake_timeout = handshake_timeout
        self._reserve = DescriptorReserve(_RESERVE)
        # The tasks of connections whose protocol has not begun yet: over TLS the handshake comes first.
        self._opening: dict[OpenConnection, asyncio.Task[None]] = {}
        self._pause: asyncio.TimerHandle | None = None
        self._next_warning = 0.0

    def start(self, backlog: int) -> None:
        """Listen."""
        for listener in self._listeners:
            listener.setblocking(False)
            listener.listen(backlog)
        self._resume()

    def close(self) -> None:
        """Accept no more."""
        if self._pause is not None:
            self._pause.cancel()
        self._remove_readers()
        for task in self._opening.values():
            task.cancel()
        self._reserve.close()

    async def wait_closed(self) -> None:
        """Wait for the connections that were being opened."""
        await asyncio.gather(*self._opening.values(), return_exceptions=True)

    def tick(self) -> None:
        """End the connections that have waited too long. Called a few times a second."""
        self._connections.time_out(self._loop.time())
        self._reserve.refill()

    def _resume(self) -> None:
        self._pause = None
        for listener in self._listeners:
            self._loop.add_reader(listener, self._accept, listener)

    def _remove_readers(self) -> None:
        for listener in self._listeners:
            self._loop.remove_reader(listener)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                opened, address = listener.accept()
            except OSError as error:
                # The system looks for a free descriptor before it looks for a connection.
                if error.errno not in _EXHAUSTED or not _is_pending(listener):
                    return
                if self._connections.evict(self._evict):
                    # Its descriptor is free when the loop comes back.
                    return
                if not self._reserve.release():
                    self._wait(error)
                    return
            else:
                # The clients of a Unix socket have no address, and are one peer.
                self._open(opened, peer_of(address[0]) if address else "")

    def _wait(self, error: OSError) -> None:
        self._remove_readers()
        self._pause = self._loop.call_later(_PAUSE_S, self._resume)
        self._warn(f"cannot accept HTTP connections: {error.strerror}")

    def _warn(self, message: str) -> None:
        if self._loop.time() >= self._next_warning:
            self._next_warning = self._loop.time() + _WARNING_INTERVAL_S
            _LOG.warning(message)

    def _open(self, opened: socket.socket, peer: str) -> None:
        opened.setblocking(False)
        if not self._connections.make_room(peer, self._evict):
            self._warn(f"an HTTP connection was refused: the limit is reached, with {len(self._connections)} open")
            with opened, contextlib.suppress(OSError):
                if self._tls is None:
                    opened.send(busy_response())
            return
        protocol = self._create()
        self._connections.add(protocol, peer)
        self._opening[protocol] = task = self._loop.create_task(self._begin(opened, protocol))
        task.add_done_callback(lambda _: self._begun(opened, protocol))

    async def _begin(self, opened: socket.socket, protocol: HttpProtocol) -> None:
        context = None if self._tls is None else self._tls()
        timeout = None if context is None else self._handshake_timeout
        # It fails if the peer has gone, or does not speak TLS.
        with contextlib.suppress(OSError):
            await self._loop.connect_accepted_socket(
                lambda: protocol, opened, ssl=context, ssl_handshake_timeout=timeout, ssl_shutdown_timeout=timeout
            )

    def _begun(self, opened: socket.socket, protocol: HttpProtocol) -> None:
        del self._opening[protocol]
        if not protocol.has_begun:
            self._connections.discard(protocol)
            opened.close()

    def _evict(self, connection: OpenConnection) -> None:
        task = self._opening.get(connection)
        if task is None:
            cast("HttpProtocol", connection).transport.abort()
        else:
            task.cancel()


def _is_pending(listener: socket.socket) -> bool:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return bool(poll.poll(0))
