"""Transports: how a request message gets to a gateway and its response back.

The libraries that do the work (grpc, httptools) are imported only when a target asks for them.
"""

from __future__ import annotations

from gateway_entities.transports.base import AsyncTransport, Transport, open_async_transport, open_transport

__all__ = ["AsyncTransport", "Transport", "open_async_transport", "open_transport"]
