"""The interface of transports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from gateway_entities.methods import Method


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

    def close(self) -> None:
        """Close every connection. Calls in flight in other threads end with CANCELLED. A second close does nothing."""
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

    async def close(self) -> None:
        """Close every connection. Calls in flight end with CANCELLED. A second close does nothing."""
        ...
