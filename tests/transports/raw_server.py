"""Servers on plain sockets that send exact bytes."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/proto\r\ncontent-length: 0\r\n\r\n"


@contextmanager
def raw_server(talk, *, backlog=16, context=None, address=("127.0.0.1", 0)):
    """A server that hands every connection to ``talk``, in a thread, and closes it after."""
    listener = socket.create_server(address, backlog=backlog)
    accepted = []
    threads = []

    def one(sock):
        with suppress(OSError), sock:
            if context is not None:
                sock = context.wrap_socket(sock, server_side=True)
            with sock:
                talk(sock)

    def accept():
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                accepted.append(sock)
                threads.append(threading.Thread(target=one, args=(sock,)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    if talk is not None:
        acceptor.start()
    try:
        yield f"{'https' if context else 'http'}://{address[0]}:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        if talk is not None:
            acceptor.join()
        for sock in accepted:
            # A test that fails has not closed its transport, and talk would wait for more.
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def read_request(sock) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            break
        data += more
    return data


def reply(response: bytes):
    def talk(sock):
        while read_request(sock):
            sock.sendall(response)

    return talk


@contextmanager
def unreachable():
    """A target that cannot be connected to: its accept queue is full."""
    with raw_server(None, backlog=0) as target:
        address = ("127.0.0.1", int(target.rpartition(":")[2]))
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(address)
        try:
            yield target
        finally:
            for sock in waiting:
                sock.close()
