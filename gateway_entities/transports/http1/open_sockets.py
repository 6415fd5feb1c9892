"""Registry of open sockets."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from gateway_entities.transports.deadline import closed


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

    def discard(self, sock: socket.socket) -> None:
        """Remove a socket from the registry, without closing it."""
        with self._lock:
            self._open.discard(sock)

    def close(self, sock: socket.socket) -> None:
        """Close a socket and remove it from the registry."""
        self.discard(sock)
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

    def reset_after_fork(self) -> None:
        """Close the child's copies of the sockets. The connections themselves are the parent's and stay open."""
        self._lock = threading.Lock()
        inherited, self._open = self._open, set()
        for sock in inherited:
            with suppress(OSError):
                sock.close()
