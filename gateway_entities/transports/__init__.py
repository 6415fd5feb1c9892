"""Transports: encoded requests to a gateway, encoded responses back. The target's scheme selects the transport."""

from __future__ import annotations

from gateway_entities.transports.base import AsyncTransport, Transport
from gateway_entities.transports.open import open_async_transport, open_transport

__all__ = ["AsyncTransport", "Transport", "open_async_transport", "open_transport"]
