"""Fewer packets: the head and the body of a response in one write."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

_MAX_JOINED_BYTES: Final = 64 * 1024
"""Copying more than this costs more than a second packet."""


class JoinedWrites:
    """A transport that sends the head and the body of a response, which uvicorn writes separately, in one packet.

    The first write is buffered until the second, or until the event loop is idle.
    """

    __slots__ = ("_buffer", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._buffer = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send bytes, together with those of the next write if there are few."""
        buffered = self._buffer
        if buffered:
            self._buffer = b""
            if len(data) <= _MAX_JOINED_BYTES:
                self._transport.write(buffered + data)
            else:
                self._transport.write(buffered)
                self._transport.write(data)
        elif len(data) <= _MAX_JOINED_BYTES:
            self._buffer = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def writelines(self, parts: Iterable[bytes]) -> None:
        """Send a whole response."""
        self._flush()
        self._transport.writelines(parts)

    def get_write_buffer_size(self) -> int:
        """Return the number of unsent bytes."""
        return len(self._buffer) + self._transport.get_write_buffer_size()

    def write_eof(self) -> None:
        """Send what is unsent, and that nothing more comes, if the transport can."""
        self._flush()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def close(self) -> None:
        """Send what is unsent, and close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._buffer:
            self._transport.write(self._buffer)
            self._buffer = b""
