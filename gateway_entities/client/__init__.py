"""Clients of a gateway: one method for each operation, entities in and out.

``GatewayClient`` blocks; ``AsyncGatewayClient`` has the same methods as coroutines.
"""

from __future__ import annotations

from gateway_entities.client._async.client import AsyncGatewayClient
from gateway_entities.client._async.pager import AsyncPager
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import ApplyResult
from gateway_entities.client._sync.client import GatewayClient
from gateway_entities.client._sync.pager import Pager

__all__ = ["ApplyResult", "AsyncGatewayClient", "AsyncPager", "EntityList", "GatewayClient", "Pager"]
