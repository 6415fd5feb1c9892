"""A blocking HTTP/1.1 connection."""

from __future__ import annotations

import select
import ssl

from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.dialer import dial, keep_alive
from gateway_entities.transports.http1.open_sockets import OpenSockets
from gateway_entities.transports.http1.response import HttpResponse, ResponseParser
from gateway_entities.transports.http1.route import Route

_READ_BYTES = 64 * 1024


class HttpSocket:
    """A connection for one request at a time.

    Attributes:
        reusable: whether the connection may carry another request.
    """

    __slots__ = ("_buffer", "_socket", "_sockets", "reusable")

    def __init__(self, route: Route, context: ssl.SSLContext | None, sockets: OpenSockets, deadline: Deadline) -> None:
        """Connect.

        Raises:
            GatewayError: DEADLINE_EXCEEDED; CANCELLED; FAILED_PRECONDITION if a proxy refuses.
            OSError: the server cannot be reached, or its certificate is not trusted.
        """
        self.reusable = False
        # One buffer for all reads: allocating one per read takes several times as long as the read.
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._sockets = sockets
        self._socket = dial(route, sockets, deadline)
        if context is not None:
            self._start_tls(context, route.target.host, deadline)

    def request(self, data: bytes, deadline: Deadline) -> HttpResponse:
        """Send an encoded request and return the response.

        Raises:
            GatewayError: DEADLINE_EXCEEDED.
            OSError: the connection is lost; TimeoutError without an errno if the deadline passed.
            NotHttpError: the response is not HTTP.
        """
        self.reusable = False
        parser = ResponseParser()
        sent = self.send(data, deadline)
        while True:
            part = self.receive(deadline)
            response = parser.feed(part) if part else parser.end()
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

    def receive(self, deadline: Deadline) -> memoryview:
        """Return received bytes, which are valid until the next call; none at the end of the connection.

        Raises:
            GatewayError: DEADLINE_EXCEEDED.
            OSError: the connection is lost; TimeoutError without an errno if the deadline passed.
        """
        self._socket.settimeout(deadline.remaining())
        return self._buffer[: self._socket.recv_into(self._buffer)]

    def keep_alive(self) -> None:
        """Notice a flow that the network has dropped, while nothing is sent."""
        keep_alive(self._socket)

    def send(self, data: bytes, deadline: Deadline) -> bool:
        """Send an encoded request. Return False if the server stops reading: it may have responded early.

        Raises:
            GatewayError: DEADLINE_EXCEEDED.
            TimeoutError: the deadline passed.
        """
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
