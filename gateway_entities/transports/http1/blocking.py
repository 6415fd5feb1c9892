"""One blocking connection that speaks HTTP/1.1, and the register of all that are open."""

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
    """Knows the sockets that are open, and can break all of them from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._broken = False

    def add(self, sock: socket.socket) -> None:
        """Remember an open socket.

        Raises:
            GatewayError: CANCELLED once all were broken.
        """
        with self._lock:
            if self._broken:
                raise closed()
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


class HttpSocket:
    """One connection, for one request at a time.

    Attributes:
        reusable: whether it may carry another request.
    """

    __slots__ = ("_buffer", "_socket", "_sockets", "reusable")

    def __init__(self, target: Target, context: ssl.SSLContext | None, sockets: OpenSockets, deadline: Deadline) -> None:
        """Connect.

        Raises:
            GatewayError: DEADLINE_EXCEEDED; CANCELLED.
            OSError: there is no such server, or it is not trusted.
        """
        self.reusable = False
        # Fresh memory for every read would take several times as long as the read.
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._sockets = sockets
        self._socket = _connected(target, sockets, deadline)
        if context is not None:
            self._secure(context, target.host, deadline)

    def exchange(self, data: bytes, deadline: Deadline) -> HttpResponse:
        """Send a request and return the answer.

        Raises:
            GatewayError: DEADLINE_EXCEEDED.
            OSError: the connection is lost; a TimeoutError without a number if the deadline passed.
            NotHttpError: what came is no answer.
        """
        self.reusable = False
        reader = ResponseParser()
        sent = self._send(data, deadline)
        while True:
            self._socket.settimeout(deadline.remaining())
            size = self._socket.recv_into(self._buffer)
            answer = reader.feed(self._buffer[:size]) if size else reader.end()
            if answer is not None:
                break
        self.reusable = sent and reader.reusable and not self._has_surplus()
        return answer

    def is_alive(self) -> bool:
        """Tell whether an idle connection can be used."""
        return not readable(self._socket.fileno())

    def close(self) -> None:
        """Close the connection."""
        self._sockets.drop(self._socket)

    def _send(self, data: bytes, deadline: Deadline) -> bool:
        """Send all of it; False if the server takes no more, which may have answered all the same."""
        left = memoryview(data)
        try:
            while left:
                # Not sendall: over TLS its timeout starts anew with every record.
                self._socket.settimeout(deadline.remaining())
                left = left[self._socket.send(left) :]
        except TimeoutError:
            raise
        except OSError:
            return False
        return True

    def _has_surplus(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _secure(self, context: ssl.SSLContext, host: str, deadline: Deadline) -> None:
        plain = self._socket
        try:
            plain.settimeout(deadline.remaining())
            # The handshake comes after the new socket is remembered: it too may have to be broken. An end without TLS's own
            # goodbye is an error: anyone in between could cut an answer short with it.
            secured = context.wrap_socket(
                plain, server_hostname=host, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
            self._sockets.drop(plain)
            self._socket = secured
            self._sockets.add(secured)
            secured.do_handshake()
        except BaseException:
            self.close()
            raise


def readable(fileno: int) -> bool:
    """Tell whether there is something to read from a connection: of an idle one, it means that the server closed it."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(fileno, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([fileno], [], [], 0)[0])


def _connected(target: Target, sockets: OpenSockets, deadline: Deadline) -> socket.socket:
    """Return a connection to the first of the host's addresses that takes one."""
    failure = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sockets.add(sock)
            sock.settimeout(deadline.remaining())
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sockets.drop(sock)
            failure = error
        except BaseException:
            sockets.drop(sock)
            raise
        else:
            return sock
    raise failure
