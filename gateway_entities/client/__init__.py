"""Clients of a gateway: one method for each operation, entities in and out.

``GatewayClient`` blocks; ``AsyncGatewayClient`` has the same methods as coroutines.
"""

from __future__ import annotations

from gateway_entities.client._async.client import AsyncGatewayClient
from gateway_entities.client._sync.client import GatewayClient

__all__ = ["AsyncGatewayClient", "GatewayClient"]
