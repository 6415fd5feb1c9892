"""A DNS server on loopback for one name with several IPv4 addresses."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

_A, _INTERNET = 1, 1
_RESPONSE_FLAGS = 0x8180
_NAME_OF_QUESTION = 0xC00C


@contextmanager
def dns_server(addresses: Sequence[str]) -> Iterator[int]:
    """Answer every question for IPv4 addresses with these, and all others with none; yield the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(listener, addresses))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, addresses: Sequence[str]) -> None:
    with suppress(OSError):
        while True:
            query, client = listener.recvfrom(4096)
            if not query:
                return
            listener.sendto(_answer(query, addresses), client)


def _answer(query: bytes, addresses: Sequence[str]) -> bytes:
    end = query.index(0, 12) + 5
    question = query[12:end]
    found = addresses if struct.unpack(">H", question[-4:-2]) == (_A,) else ()
    records = b"".join(
        struct.pack(">HHHIH", _NAME_OF_QUESTION, _A, _INTERNET, 0, 4) + socket.inet_aton(each) for each in found
    )
    return query[:2] + struct.pack(">HHHHH", _RESPONSE_FLAGS, 1, len(found), 0, 0) + question + records
