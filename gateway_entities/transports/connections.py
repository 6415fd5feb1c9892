"""HTTP/1.1 requests and answers, over the httpcore2 library: what the transports over HTTP share."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import httpcore2

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.base import Deadline, OneLoop, Target, closed, deadline_exceeded
from gateway_entities.transports.tls import Tls

# One more call than this waits for a connection to be free: sockets are not endless.
_MAX_CONNECTIONS = 100
# Servers drop idle connections, uvicorn after 5 seconds. A request that crosses with the drop is lost, and only one that is
# idempotent may be sent again; so this side lets go first.
_KEEPALIVE_S = 4.0


class HttpRequest(NamedTuple):
    """A request as it goes over the wire.

    Attributes:
        verb: the HTTP method.
        path: the path, with the query if there is one.
        headers: all headers but content-length; host first.
        body: the content.
    """

    verb: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes


class HttpAnswer(NamedTuple):
    """An answer as it came over the wire.

    Attributes:
        status: the HTTP status.
        headers: the headers.
        body: the content.
    """

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes


class Connections:
    """A pool of connections to one server. Threads may share it."""

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._target = target
        self._sockets = _Sockets()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=_ssl_context(target, tls),
            max_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_S,
            network_backend=self._sockets,
        )
        self._lock = threading.Lock()
        self._calls = 0
        self._closed = False

    def exchange(self, request: HttpRequest, deadline: Deadline) -> HttpAnswer:
        """Send a request and return the answer, whatever its status.

        Raises:
            GatewayError: UNAVAILABLE; DEADLINE_EXCEEDED; CANCELLED when the pool is closed, before or during it.
        """
        left = deadline.remaining()
        # Our streams take a moment on the clock for a timeout: a read's own timeout would start anew with each byte.
        timeouts = {"pool": left, "connect": deadline.at, "write": deadline.at, "read": deadline.at}
        fault: GatewayError | None = None
        answer: httpcore2.Response | None = None
        with self._lock:
            if self._closed:
                raise closed()
            self._calls += 1
        try:
            answer = self._pool.request(
                request.verb,
                _url(self._target, request.path),
                headers=request.headers,
                content=request.body,
                extensions={"timeout": timeouts},
            )
        except _FAILURES as error:
            fault = _fault(error, self._target)
        finally:
            with self._lock:
                self._calls -= 1
                last = self._closed and self._calls == 0
            if last:
                self._pool.close()
        if answer is None:
            raise closed() if self._closed or fault is None else fault
        return HttpAnswer(answer.status, answer.headers, answer.content)

    def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.Transport.close`."""
        with self._lock:
            self._closed = True
            idle = self._calls == 0
        # Closing a socket does not wake the thread that reads it; breaking it does. That thread then closes it.
        self._sockets.break_all()
        if idle:
            self._pool.close()


class AsyncConnections:
    """The same on asyncio. The connections belong to the event loop of the first exchange."""

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._target = target
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_ssl_context(target, tls),
            max_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_S,
            network_backend=_AsyncBackend(),
        )
        self._scopes: set[asyncio.Timeout] = set()
        self._loop = OneLoop()
        self._closed = False

    async def exchange(self, request: HttpRequest, deadline: Deadline) -> HttpAnswer:
        """Send a request and return the answer; see :meth:`Connections.exchange`."""
        left = deadline.remaining()
        self._loop.check()
        if self._closed:
            raise closed()
        scope = asyncio.timeout(left)
        try:
            async with scope:
                self._scopes.add(scope)
                answer = await self._pool.request(
                    request.verb, _url(self._target, request.path), headers=request.headers, content=request.body
                )
        except TimeoutError:
            fault = deadline_exceeded()
        except _FAILURES as error:
            fault = _fault(error, self._target)
        else:
            return HttpAnswer(answer.status, answer.headers, answer.content)
        finally:
            self._scopes.discard(scope)
        raise closed() if self._closed else fault

    async def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.AsyncTransport.close`."""
        self._closed = True
        for scope in self._scopes:
            if not scope.expired():
                scope.reschedule(asyncio.get_running_loop().time())
        self._scopes.clear()
        await self._pool.aclose()


_FAILURES = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)


def _ssl_context(target: Target, tls: Tls | None) -> ssl.SSLContext | None:
    if not target.secure:
        return None
    system = httpcore2.default_ssl_context()
    return system if tls is None else tls.context(system)


def _url(target: Target, path: str) -> httpcore2.URL:
    scheme = b"https" if target.secure else b"http"
    return httpcore2.URL(scheme=scheme, host=target.host.encode(), port=target.port, target=path.encode())


def _fault(error: Exception, target: Target) -> GatewayError:
    if isinstance(error, httpcore2.TimeoutException):
        return deadline_exceeded()
    if isinstance(error, httpcore2.ConnectError):
        return GatewayError(Code.UNAVAILABLE, f"cannot connect to {target}: {error}")
    return GatewayError(Code.UNAVAILABLE, f"no complete answer from {target}: {error}")


class _AsyncBackend(httpcore2.AsyncNetworkBackend):
    """The library's own, but that no connection outlives a TLS handshake that was cancelled."""

    def __init__(self) -> None:
        self._backend = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        return _AsyncStream(await self._backend.connect_tcp(host, port, timeout, local_address, socket_options))


class _AsyncStream(httpcore2.AsyncNetworkStream):
    """One connection before TLS, or without it."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except asyncio.CancelledError:
            await self._stream.aclose()
            raise


class _Sockets(httpcore2.NetworkBackend):
    """Makes the connections, and can break all of them from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._broken = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - The pool passes it, and never anything but None.
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002 - As above.
    ) -> httpcore2.NetworkStream:
        failure: Exception = httpcore2.ConnectError("no address")
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        for family, kind, protocol, _, address in addresses:
            sock = socket.socket(family, kind, protocol)
            try:
                self.add(sock)
                sock.settimeout(_left(timeout, httpcore2.ConnectTimeout))
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except TimeoutError:
                self.drop(sock)
                raise httpcore2.ConnectTimeout from None
            except OSError as error:
                self.drop(sock)
                failure = httpcore2.ConnectError(str(error))
            except BaseException:
                self.drop(sock)
                raise
            else:
                return _Stream(sock, self)
        raise failure

    def add(self, sock: socket.socket) -> None:
        """Remember an open socket."""
        with self._lock:
            if self._broken:
                raise httpcore2.ConnectError("the client is closed")
            self._open.add(sock)

    def drop(self, sock: socket.socket) -> None:
        """Close a socket and forget it."""
        with self._lock:
            self._open.discard(sock)
        sock.close()

    def break_all(self) -> None:
        """Shut every socket down, so that whoever waits on one wakes up, and let no more be opened."""
        with self._lock:
            self._broken = True
            for sock in self._open:
                try:
                    # An SSLSocket's own shutdown would first take the TLS state from under the reader.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
                except OSError:
                    continue  # It is not connected, or no longer.


class _Stream(httpcore2.NetworkStream):
    """One connection. Its timeouts are moments on the monotonic clock, not durations."""

    def __init__(self, sock: socket.socket, sockets: _Sockets) -> None:
        self._socket = sock
        self._sockets = sockets

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._socket.settimeout(_left(timeout, httpcore2.ReadTimeout))
        try:
            return self._socket.recv(max_bytes)
        except TimeoutError:
            raise httpcore2.ReadTimeout from None
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        self._socket.settimeout(_left(timeout, httpcore2.WriteTimeout))
        try:
            # Its timeout is for all of the bytes together.
            self._socket.sendall(buffer)
        except TimeoutError:
            raise httpcore2.WriteTimeout from None
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error

    def close(self) -> None:
        self._sockets.drop(self._socket)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        plain = self._socket
        try:
            plain.settimeout(_left(timeout, httpcore2.ConnectTimeout))
            # The handshake comes after the new socket is remembered: it too may have to be broken.
            secured = ssl_context.wrap_socket(plain, server_hostname=server_hostname, do_handshake_on_connect=False)
            self._sockets.drop(plain)
            self._socket = secured
            self._sockets.add(secured)
            secured.do_handshake()
        except TimeoutError:
            self.close()
            raise httpcore2.ConnectTimeout from None
        except OSError as error:
            self.close()
            raise httpcore2.ConnectError(str(error)) from error
        except BaseException:
            self.close()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._is_readable()
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        return None

    def _is_readable(self) -> bool:
        # The pool asks this of an idle connection: if there is something to read, the server closed it.
        self._socket.settimeout(0)
        try:
            # Past the SSLSocket, which cannot peek.
            socket.socket.recv(self._socket, 1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


def _left(at: float | None, expired: type[Exception]) -> float | None:
    if at is None:
        return None
    left = at - time.monotonic()
    if left <= 0:
        raise expired
    return left
