"""The response of a gRPC stream."""

from __future__ import annotations

import asyncio
from typing import Protocol

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.telemetry.request_context import RequestContext


class ResponseWriter(Protocol):
    """The part of gRPC's context of a call that writes the response."""

    async def send_initial_metadata(self, initial_metadata: tuple[tuple[str, str], ...], /) -> None:
        """Send headers."""
        ...

    async def write(self, message: bytes, /) -> None:
        """Send a message, when there is room for it."""
        ...


class GrpcSink:
    """A MessageSink."""

    def __init__(self, writer: ResponseWriter, context: RequestContext, timeout: float) -> None:
        """Create a sink.

        Args:
            writer: gRPC's.
            context: the telemetry of the call.
            timeout: seconds for a message to be sent.
        """
        self._writer = writer
        self._context = context
        self._timeout = timeout

    async def start(self) -> None:
        """Send the headers."""
        await self._writer.send_initial_metadata(())

    async def send(self, message: bytes) -> None:
        """Send a message.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED; the client does not read.
        """
        try:
            async with asyncio.timeout(self._timeout):
                await self._writer.write(message)
        except TimeoutError:
            raise GatewayError(Code.RESOURCE_EXHAUSTED, "the client reads too slowly", reason="SLOW_READER") from None
        self._context.add_message(len(message))
