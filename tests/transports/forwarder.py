"""A forwarder of TCP connections on loopback that can drop flows without telling either end, as a NAT does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Forwarder:
    """Forwards connections to one server.

    Attributes:
        port: the port on 127.0.0.1 that it listens on.
        accepted: the number of connections so far.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.accepted = 0
        self._flows: list[_Flow] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.accepted += 1
                self._flows.append(_Flow(client, self._upstream))
                self._flows[-1].start()

    def drop_flows(self) -> None:
        """Forward nothing more on the connections that are open now; they stay open."""
        for flow in self._flows:
            flow.dropped.set()

    def wait_until_closed(self, number: int, seconds: float) -> bool:
        """Whether the client closes a connection, by its number, within so many seconds."""
        return self._flows[number].closed.wait(seconds)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for flow in self._flows:
            flow.close()


class _Flow:
    """One connection; what comes after it was dropped is read and forgotten, as the network would lose it."""

    def __init__(self, client: socket.socket, port: int) -> None:
        self._client = client
        self._server = socket.create_connection(("127.0.0.1", port))
        self.dropped = threading.Event()
        self.closed = threading.Event()
        pairs = ((client, self._server, self.closed), (self._server, client, threading.Event()))
        self._threads = [threading.Thread(target=self._pump, args=pair) for pair in pairs]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket, closed: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.dropped.is_set():
                    sink.sendall(data)
        closed.set()
        if not self.dropped.is_set():
            with suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for each in (self._client, self._server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._client.close()
        self._server.close()


@contextmanager
def forwarding(port: int) -> Iterator[Forwarder]:
    """Run a forwarder to a port on 127.0.0.1."""
    forwarder = Forwarder(port)
    try:
        yield forwarder
    finally:
        forwarder.close()
