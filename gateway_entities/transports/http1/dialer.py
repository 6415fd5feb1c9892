"""Connects sockets: the first address that accepts, in parallel if one does not respond, and the tunnel of a proxy."""

from __future__ import annotations

import asyncio
import errno
import os
import selectors
import socket
from collections import deque
from collections.abc import Sequence
from functools import partial

from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.open_sockets import OpenSockets
from gateway_entities.transports.http1.proxy import Proxy
from gateway_entities.transports.http1.route import AddressInfo, Route

# An address that has not accepted by then is tried on, and the next one too (RFC 8305, section 5).
_ATTEMPT_DELAY_S = 0.25
_READ_BYTES = 4096
# A dropped flow is noticed within 30 seconds, as over gRPC. Some systems have none of these options.
_KEEPALIVE = (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 2))
# Windows has a code of its own.
_IN_PROGRESS = (errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS))


def dial(route: Route, sockets: OpenSockets, deadline: Deadline) -> socket.socket:
    """Return a connected socket, registered.

    Raises:
        GatewayError: DEADLINE_EXCEEDED; CANCELLED; FAILED_PRECONDITION if the proxy refuses.
        OSError: the server cannot be reached.
    """
    found = _unix_address(route) or socket.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM)
    sock = _connect(route.order(found), sockets, deadline)
    try:
        if sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if route.tunnel is not None:
            _open_tunnel(sock, route.tunnel, route, deadline)
    except BaseException:
        sockets.close(sock)
        raise
    return sock


def keep_alive(sock: socket.socket) -> None:
    """Let the system probe a TCP connection on which nothing is received."""
    if sock.family == getattr(socket, "AF_UNIX", None):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _connect(addresses: Sequence[AddressInfo], sockets: OpenSockets, deadline: Deadline) -> socket.socket:
    untried = deque(addresses)
    failure = OSError("no address")
    with selectors.DefaultSelector() as attempts:
        try:
            while True:
                if untried:
                    sock = _start(untried.popleft(), sockets)
                    if isinstance(sock, OSError):
                        failure = sock
                    else:
                        attempts.register(sock, selectors.EVENT_WRITE)
                elif not attempts.get_map():
                    raise failure
                if not attempts.get_map():
                    continue
                for key, _ in attempts.select(_wait(deadline, more=bool(untried))):
                    attempted: socket.socket = key.fileobj  # type: ignore[assignment]
                    attempts.unregister(attempted)
                    number = attempted.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not number:
                        return attempted
                    failure = OSError(number, os.strerror(number))
                    sockets.close(attempted)
        finally:
            for key in list(attempts.get_map().values()):
                sockets.close(key.fileobj)  # type: ignore[arg-type]


def _start(address: AddressInfo, sockets: OpenSockets) -> socket.socket | OSError:
    """Start to connect; return the socket, or the error."""
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sockets.add(sock)
        sock.setblocking(False)
        number = sock.connect_ex(place)  # type: ignore[arg-type]
    except BaseException:
        sockets.close(sock)
        raise
    if number and number not in _IN_PROGRESS:
        sockets.close(sock)
        return OSError(number, os.strerror(number))
    return sock


def _wait(deadline: Deadline, *, more: bool) -> float | None:
    left = deadline.remaining()
    if not more:
        return left
    return _ATTEMPT_DELAY_S if left is None else min(left, _ATTEMPT_DELAY_S)


def _open_tunnel(sock: socket.socket, proxy: Proxy, route: Route, deadline: Deadline) -> None:
    sock.settimeout(deadline.remaining())
    # So little that it is sent in one piece.
    sock.sendall(proxy.connect_request(route.target))
    received = b""
    while not proxy.is_tunnel_open(received):
        sock.settimeout(deadline.remaining())
        received += _part(sock.recv(_READ_BYTES))


async def dial_async(route: Route, sockets: OpenSockets) -> socket.socket:
    """Return a connected non-blocking socket, registered.

    Raises:
        GatewayError: FAILED_PRECONDITION if the proxy refuses.
        OSError: the server cannot be reached.
    """
    loop = asyncio.get_running_loop()
    sock = await _connect_async(route.order(await _resolve_async(route, loop)), sockets, loop)
    try:
        if route.tunnel is not None:
            await loop.sock_sendall(sock, route.tunnel.connect_request(route.target))
            received = b""
            while not route.tunnel.is_tunnel_open(received):
                received += _part(await loop.sock_recv(sock, _READ_BYTES))
    except BaseException:
        sockets.close(sock)
        raise
    return sock


async def _resolve_async(route: Route, loop: asyncio.AbstractEventLoop) -> Sequence[AddressInfo]:
    unix = _unix_address(route)
    if unix:
        return unix
    try:
        # An address needs no resolver, and so no thread.
        return socket.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return await loop.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM)


async def _connect_async(
    addresses: Sequence[AddressInfo], sockets: OpenSockets, loop: asyncio.AbstractEventLoop
) -> socket.socket:
    untried = deque(addresses)
    failure: BaseException = OSError("no address")
    attempts: set[asyncio.Task[socket.socket]] = set()
    try:
        while untried or attempts:
            if untried:
                attempts.add(loop.create_task(_attempt(untried.popleft(), sockets, loop)))
            delay = _ATTEMPT_DELAY_S if untried else None
            done, _ = await asyncio.wait(attempts, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                attempts.discard(attempt)
                error = attempt.exception()
                if error is None:
                    return attempt.result()
                failure = error
        raise failure
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(partial(_discard, sockets))


async def _attempt(address: AddressInfo, sockets: OpenSockets, loop: asyncio.AbstractEventLoop) -> socket.socket:
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sockets.add(sock)
        sock.setblocking(False)
        await loop.sock_connect(sock, place)  # type: ignore[arg-type]
        # asyncio takes a Unix socket whose queue is full for a connected one.
        sock.getpeername()
    except BaseException:
        sockets.close(sock)
        raise
    return sock


def _discard(sockets: OpenSockets, attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        sockets.close(attempt.result())


def _part(data: bytes) -> bytes:
    if not data:
        raise ConnectionError("the proxy closed the connection")
    return data


def _unix_address(route: Route) -> Sequence[AddressInfo]:
    path = route.target.socket_path
    if not path:
        return ()
    if not hasattr(socket, "AF_UNIX"):
        raise OSError("this system has no Unix sockets")
    return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", path)]
