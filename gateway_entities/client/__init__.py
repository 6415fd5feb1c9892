"""Clients of a gateway: one method for each operation, entities in and out.

``GatewayClient`` blocks; ``AsyncGatewayClient`` has the same methods as coroutines.
"""

from __future__ import annotations

from gateway_entities.client._async.client import AsyncGatewayClient
from gateway_entities.client._async.pager import AsyncPager
from gateway_entities.client._async.reservation import AsyncSpendReservation
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import ApplyResult
from gateway_entities.client._spend import BudgetExceededError, RecordedSpend, SettledSpend
from gateway_entities.client._sync.client import GatewayClient
from gateway_entities.client._sync.pager import Pager
from gateway_entities.client._sync.reservation import SpendReservation

__all__ = [
    "ApplyResult",
    "AsyncGatewayClient",
    "AsyncPager",
    "AsyncSpendReservation",
    "BudgetExceededError",
    "EntityList",
    "GatewayClient",
    "Pager",
    "RecordedSpend",
    "SettledSpend",
    "SpendReservation",
]
