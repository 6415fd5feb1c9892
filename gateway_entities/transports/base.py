"""The interface of transports."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from gateway_entities.methods import Method


class MessageStream(Protocol):
    """The responses of a call, in their order: an iterator of encoded messages. It stops when the server has sent all.

    One thread iterates; any thread may close it. It is a context manager that closes it.
    """

    def __iter__(self) -> Self: ...

    def __next__(self) -> bytes:
        """Wait for the next message.

        Raises:
            GatewayError: as :meth:`Transport.call`; CANCELLED with reason STREAM_CLOSED after ``close``, and UNAVAILABLE or
                CANCELLED with reason FORKED after a fork of the process. After an error there are no more messages.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def close(self) -> None:
        """End the call. A thread that waits for a message gets CANCELLED. A second close does nothing."""
        ...


class AsyncMessageStream(Protocol):
    """The asyncio counterpart of :class:`MessageStream`, for one task. Cancelling that while it waits ends the call."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> bytes:
        """Wait for the next message; errors are those of :meth:`MessageStream.__next__`."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    async def close(self) -> None:
        """End the call. A task that waits for a message gets CANCELLED. A second close does nothing."""
        ...


class Transport(Protocol):
    """Carries encoded requests to a gateway and encoded responses back. Threads may share one."""

    @property
    def deduplicates(self) -> bool:
        """Whether the server recognizes a repeated request by its request_id and applies it once."""
        ...

    def call(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> bytes:
        """Make one call.

        Args:
            method: the RPC.
            request: its encoded request message.
            timeout: seconds until the call fails with DEADLINE_EXCEEDED, connecting included; None for no limit.
            metadata: headers sent with the request: ASCII text by lower-case key.

        Returns:
            The encoded response message.

        Raises:
            GatewayError: the server's error; UNAVAILABLE when the server cannot be reached or the connection is lost;
                DEADLINE_EXCEEDED; CANCELLED when the transport is closed before or during the call.
        """
        ...

    def stream(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> MessageStream:
        """Return the responses of a call with a stream of them. The call begins when the first is asked for.

        It is not repeated after an error, and does not delay a fork of the process.

        Args:
            method: the RPC.
            request: its encoded request message.
            timeout: seconds until the stream fails with DEADLINE_EXCEEDED, from now on; None for no limit.
            metadata: as for ``call``.

        Raises:
            GatewayError: INVALID_ARGUMENT for an invalid argument; CANCELLED when the transport is closed; UNIMPLEMENTED if
                it has no streams.
        """
        ...

    def close(self) -> None:
        """Close every connection. Calls and streams of other threads end with CANCELLED. A second close does nothing."""
        ...


class AsyncTransport(Protocol):
    """The asyncio counterpart of :class:`Transport`. One instance serves the event loop of its first call."""

    @property
    def deduplicates(self) -> bool:
        """As in :class:`Transport`."""
        ...

    async def call(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> bytes:
        """Make one call. Arguments and errors are those of :meth:`Transport.call`; cancelling the task ends the call."""
        ...

    def stream(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> AsyncMessageStream:
        """Return the responses of a call. Arguments and errors are those of :meth:`Transport.stream`."""
        ...

    async def close(self) -> None:
        """Close every connection. Calls and streams in flight end with CANCELLED. A second close does nothing."""
        ...
