"""The RPCs of BudgetService that record spending and check budgets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Final

from gateway_entities.entities import BudgetAction, GatewayBudgetCheck, GatewayBudgetWindow
from gateway_entities.errors import FieldViolation, GatewayError
from gateway_entities.rules import validate
from gateway_entities.server.service.base import BaseService
from gateway_entities.server.service.context import may_use
from gateway_entities.server.service.errors import not_found
from gateway_entities.server.service.windows import window_at
from gatewayentities.v1 import budget_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction
    from gateway_entities.server.store.repositories.spend import Spend

SPEND_RETENTION_MS: Final = 24 * 60 * 60 * 1000
"""Retention of charges, and of windows after their end; also how far in the future a charge may lie."""
_WORKSPACE: Final = "default"
"""The workspace of all policies."""
_NANOS: Final = 10**9
# Each charge prunes this many more rows than it adds, so that expired rows cannot pile up.
_EXTRA_PRUNED: Final = 4


class SpendService(BaseService):
    """The RPCs of BudgetService for spending. Errors: as the contract lists, and UNAVAILABLE from the store."""

    def record_gateway_spend(self, request: pb.RecordGatewaySpendRequest) -> pb.RecordGatewaySpendResponse:
        """Add a charge to a window of every matching policy, once per request_id."""
        validate(request)
        content = _content(request)
        with self.write() as transaction:
            now = transaction.now
            _require_endpoint(transaction, request.endpoint_id)
            charge = transaction.budget_charges.get(request.request_id)
            window_ids: Sequence[int]
            if charge is None:
                transaction.require_room()
                window_ids = _count(transaction, request, now)
                transaction.budget_charges.add(request.request_id, content, window_ids, now)
                transaction.budget_charges.prune(now - SPEND_RETENTION_MS, 1 + _EXTRA_PRUNED)
                transaction.budget_spend.prune(now - SPEND_RETENTION_MS, len(window_ids) + _EXTRA_PRUNED)
            elif charge.content == content:
                window_ids = charge.window_ids
            else:
                raise GatewayError.invalid([FieldViolation("request_id", "was used before, for another charge")])
            counted = transaction.budget_spend.of_windows(window_ids)
        return pb.RecordGatewaySpendResponse(
            windows=[window_of(spend, now).to_proto() for spend in counted],
            saturated=any(counter and counter.is_full for _, counter in counted) or None,
        )

    def check_gateway_budget(self, request: pb.CheckGatewayBudgetRequest) -> pb.CheckGatewayBudgetResponse:
        """Return whether a request is within its budgets now, and the check of the tightest REJECT policy."""
        validate(request)
        with self.read() as transaction:
            now = transaction.now
            _require_endpoint(transaction, request.endpoint_id)
            found = _matching(transaction, request, now)
        checks = [_check(spend, now) for spend in found if spend.policy.budget_action == BudgetAction.REJECT]
        tightest = min(checks, key=_tightness, default=GatewayBudgetCheck(allowed=True))
        return pb.CheckGatewayBudgetResponse(check=tightest.to_proto())


def window_of(spend: Spend, moment: int) -> GatewayBudgetWindow:
    """Return the window of a counter; without a counter the policy's empty window at a moment."""
    policy, counter = spend
    if counter is None:
        start, end = window_at(policy.duration.unit, policy.duration.value, moment)
        return GatewayBudgetWindow(policy.budget_policy_id, start, end, current_spend=0.0)
    return GatewayBudgetWindow(policy.budget_policy_id, counter.start, counter.end, counter.nanos / _NANOS)


def _count(transaction: Transaction, request: pb.RecordGatewaySpendRequest, now: int) -> list[int]:
    """Add a charge to a window of every matching policy; return the ids of the windows.

    Raises:
        GatewayError: INVALID_ARGUMENT; occurred_at is too far in the future.
    """
    moment = request.occurred_at if request.HasField("occurred_at") else now
    if moment > now + SPEND_RETENTION_MS:
        raise GatewayError.invalid([FieldViolation("occurred_at", f"must be at most 24 hours ahead, is {moment - now} ms")])
    spend = transaction.budget_spend
    opened: list[int] = []
    increased: list[int] = []
    for policy, counter in _matching(transaction, request, moment):
        if policy.budget_unit != request.budget_unit:
            continue
        if counter is None:
            start, end = window_at(policy.duration.unit, policy.duration.value, moment)
            if end > now - SPEND_RETENTION_MS:
                opened.append(spend.open(policy.budget_policy_id, start, end, request.amount_nanos))
        elif counter.end > now - SPEND_RETENTION_MS:
            increased.append(counter.window_id)
    spend.increase(increased, request.amount_nanos)
    return opened + increased


def _matching(
    transaction: Transaction, request: pb.RecordGatewaySpendRequest | pb.CheckGatewayBudgetRequest, moment: int
) -> list[Spend]:
    return transaction.budget_spend.matching(
        moment,
        endpoint_id=request.endpoint_id,
        user=request.user or None,
        own_workspace=_workspace(request) == _WORKSPACE,
    )


def _check(spend: Spend, now: int) -> GatewayBudgetCheck:
    policy = spend.policy
    # In integers, because 0.3 - 0.1 as doubles is not 0.2.
    remaining = _nanos(policy.budget_amount) - (spend.counter.nanos if spend.counter else 0)
    return GatewayBudgetCheck(remaining > 0, policy, window_of(spend, now), max(remaining, 0) / _NANOS)


def _nanos(amount: float) -> int:
    """Return an amount in nano-units by its shortest decimal, rounded down."""
    return int(Decimal(repr(amount)).scaleb(9).to_integral_value(ROUND_FLOOR))


def _tightness(check: GatewayBudgetCheck) -> tuple[float, int]:
    """Return the sort key of checks: the least remaining first, then the latest end of the window."""
    return check.remaining or 0.0, -check.window.window_end_ms if check.window else 0


def _content(request: pb.RecordGatewaySpendRequest) -> bytes:
    """Return a digest of the content of a charge, to compare repeated requests."""
    content = [
        request.endpoint_id,
        _workspace(request),
        request.user,
        request.amount_nanos,
        request.budget_unit,
        request.occurred_at if request.HasField("occurred_at") else None,
    ]
    return hashlib.sha256(json.dumps(content).encode()).digest()


def _workspace(request: pb.RecordGatewaySpendRequest | pb.CheckGatewayBudgetRequest) -> str:
    return request.workspace or _WORKSPACE


def _require_endpoint(transaction: Transaction, endpoint_id: str) -> None:
    name = transaction.endpoints.name(endpoint_id)
    if name is None or not may_use(name):
        raise not_found("GatewayEndpoint", {"endpoint_id": endpoint_id})
