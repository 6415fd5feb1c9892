"""A blocking HTTP/1.1 connection, and the registry of open sockets."""

from __future__ import annotations

import select
import socket
import ssl
import threading

from gateway_entities.transports.deadline import Deadline, closed
from gateway_entities.transports.http1.response import HttpResponse, ResponseParser
from gateway_entities.transports.target import Target

_READ_BYTES = 64 * 1024


class OpenSockets:
    """Registry of open sockets. Any thread may shut all of them down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._shut = False

    def add(self, sock: socket.socket) -> None:
        """Register an open socket.

        Raises:
            GatewayError: CANCELLED after :meth:`shut_down`.
        """
        with self._lock:
            if self._shut:
                raise closed()
            self._open.add(sock)

    def close(self, sock: socket.socket) -> None:
        """Close a socket and remove it from the registry."""
        with self._lock:
            self._open.discard(sock)
        sock.close()

    def shut_down(self) -> None:
        """Shut every socket down, which wakes the threads that wait on one, and accept no new ones."""
        with self._lock:
            self._shut = True
            for sock in self._open:
                try:
                    # SSLSocket.shutdown would discard the TLS state that another thread reads with.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
                except OSError:
                    continue  # Not connected.


class HttpSocket:
    """A connection for one request at a time.

    Attributes:
        reusable: whether the connection may carry another request.
    """

    __slots__ = ("_buffer", "_socket", "_sockets", "reusable")

    def __init__(self, target: Target, context: ssl.SSLContext | None, sockets: OpenSockets, deadline: Deadline) -> None:
        """Connect.

        Raises:
            GatewayError: DEADLINE_EXCEEDED; CANCELLED.
            OSError: the server cannot be reached, or its certificate is not trusted.
        """
        self.reusable = False
        # One buffer for all reads: allocating one per read takes several times as long as the read.
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._sockets = sockets
        self._socket = _connect(target, sockets, deadline)
        if context is not None:
            self._start_tls(context, target.host, deadline)

    def request(self, data: bytes, deadline: Deadline) -> HttpResponse:
        """Send an encoded request and return the response.

        Raises:
            GatewayError: DEADLINE_EXCEEDED.
            OSError: the connection is lost; TimeoutError without an errno if the deadline passed.
            NotHttpError: the response is not HTTP.
        """
        self.reusable = False
        parser = ResponseParser()
        sent = self._send(data, deadline)
        while True:
            self._socket.settimeout(deadline.remaining())
            size = self._socket.recv_into(self._buffer)
            response = parser.feed(self._buffer[:size]) if size else parser.end()
            if response is not None:
                break
        self.reusable = sent and parser.reusable and not self._has_surplus()
        return response

    def is_alive(self) -> bool:
        """Return whether an idle connection is usable."""
        return not readable(self._socket.fileno())

    def close(self) -> None:
        """Close the connection."""
        self._sockets.close(self._socket)

    def _send(self, data: bytes, deadline: Deadline) -> bool:
        """Send the data. Return False if the server stops reading: it may have responded early."""
        left = memoryview(data)
        try:
            while left:
                # Not sendall: over TLS it restarts the timeout with every record.
                self._socket.settimeout(deadline.remaining())
                left = left[self._socket.send(left) :]
        except TimeoutError:
            raise
        except OSError:
            return False
        return True

    def _has_surplus(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _start_tls(self, context: ssl.SSLContext, host: str, deadline: Deadline) -> None:
        plain = self._socket
        try:
            plain.settimeout(deadline.remaining())
            # The handshake comes after registration, so that shut_down can interrupt it. An end without close_notify is an
            # error: otherwise an attacker on the network path could truncate a response.
            secured = context.wrap_socket(
                plain, server_hostname=host, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
            self._sockets.close(plain)
            self._socket = secured
            self._sockets.add(secured)
            secured.do_handshake()
        except BaseException:
            self.close()
            raise


def readable(fileno: int) -> bool:
    """Return whether a connection has data or an end of file to read. An idle one that has is unusable."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(fileno, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([fileno], [], [], 0)[0])


def _connect(target: Target, sockets: OpenSockets, deadline: Deadline) -> socket.socket:
    """Connect to the first address of the host that accepts."""
    failure = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sockets.add(sock)
            sock.settimeout(deadline.remaining())
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sockets.close(sock)
            failure = error
        except BaseException:
            sockets.close(sock)
            raise
        else:
            return sock
    raise failure
