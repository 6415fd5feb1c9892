"""The RPCs of BudgetService that record spending and check budgets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gateway_entities.entities import BudgetAction, GatewayBudgetCheck, GatewayBudgetWindow
from gateway_entities.entities.amount import limit_nanos
from gateway_entities.errors import FieldViolation, GatewayError
from gateway_entities.rules import validate
from gateway_entities.server.service.context import may_use
from gateway_entities.server.service.errors import not_found
from gateway_entities.server.service.spending.ledger import Ledger, LedgerService, counter_at, record
from gateway_entities.server.store.repositories.spending.spend_day import DAY_MS, SpendKey
from gatewayentities.v1 import budget_pb2 as pb
from gatewayentities.v1 import spend_pb2

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction
    from gateway_entities.server.store.repositories.spending.spend import Spend

SPEND_RETENTION_MS: Final = 24 * 60 * 60 * 1000
"""Retention of charges and of settled reservations; also how far in the future a charge may lie, and how long after its end
a window counts what is recorded."""
HISTORY_RETENTION_MS: Final = 90 * DAY_MS
"""Retention of windows after their end, of alerts, and of spending by day."""
_WORKSPACE: Final = "default"
"""The workspace of all policies."""
_NANOS: Final = 10**9
# Each charge prunes this many more rows than it adds, so that expired rows cannot pile up.
_EXTRA_PRUNED: Final = 4
_Spender = pb.RecordGatewaySpendRequest | pb.CheckGatewayBudgetRequest | spend_pb2.ReserveGatewaySpendRequest


class SpendService(LedgerService):
    """The RPCs of BudgetService for spending. Errors: as the contract lists, and UNAVAILABLE from the store."""

    def record_gateway_spend(self, request: pb.RecordGatewaySpendRequest) -> pb.RecordGatewaySpendResponse:
        """Add a charge to a window of every matching policy, once per request_id."""
        validate(request)
        content = _content(request)
        with self.write() as transaction:
            ledger = self.ledger(transaction, f"record {request.request_id}")
            now = ledger.now
            require_endpoint(transaction, request.endpoint_id)
            charge = transaction.budget_charges.get(request.request_id)
            counted: Sequence[Spend]
            if charge is None:
                transaction.require_room()
                counted = _count(ledger, request)
                window_ids = [counter.window_id for _, counter in counted if counter is not None]
                transaction.budget_charges.add(request.request_id, content, window_ids, now)
                transaction.budget_charges.prune(now - SPEND_RETENTION_MS, 1 + _EXTRA_PRUNED)
                transaction.budget_spend.prune(now - HISTORY_RETENTION_MS, len(window_ids) + _EXTRA_PRUNED)
            elif charge.content == content:
                counted = transaction.budget_spend.of_windows(charge.window_ids)
                ledger.repeat()
            else:
                raise GatewayError.invalid([FieldViolation("request_id", "was used before, for another charge")])
        return pb.RecordGatewaySpendResponse(
            windows=[window_of(spend, now).to_proto() for spend in counted],
            saturated=any(counter and counter.is_full for _, counter in counted) or None,
            alerts=[alert.to_proto() for alert in ledger.alerts],
        )

    def check_gateway_budget(self, request: pb.CheckGatewayBudgetRequest) -> pb.CheckGatewayBudgetResponse:
        """Return whether a request is within its budgets now, and the check of the tightest REJECT policy."""
        validate(request)
        with self.read() as transaction:
            now = transaction.now
            require_endpoint(transaction, request.endpoint_id)
            found = matching(transaction, request, now)
        checks = [_check(spend, now) for spend in found if spend.policy.budget_action == BudgetAction.REJECT]
        tightest = min(checks, key=_tightness, default=GatewayBudgetCheck(allowed=True))
        return pb.CheckGatewayBudgetResponse(check=tightest.to_proto())


def window_of(spend: Spend, now: int) -> GatewayBudgetWindow:
    """Return the window of a counter; without a counter the policy's empty window of now."""
    counter = counter_at(spend, now, now)
    return GatewayBudgetWindow(spend.policy.budget_policy_id, counter.start, counter.end, counter.nanos / _NANOS)


def matching(transaction: Transaction, request: _Spender, moment: int) -> list[Spend]:
    """Return the policies that apply to a request, with their counters at a moment."""
    return transaction.budget_spend.matching(
        moment,
        endpoint_id=request.endpoint_id,
        user=request.user or None,
        own_workspace=spender_workspace(request) == _WORKSPACE,
    )


def spender_workspace(request: _Spender) -> str:
    """Return the workspace that a request comes from."""
    return request.workspace or _WORKSPACE


def require_endpoint(transaction: Transaction, endpoint_id: str) -> None:
    """Check that an endpoint exists and that the caller may spend on it.

    Raises:
        GatewayError: NOT_FOUND; the same error for both.
    """
    name = transaction.endpoints.name(endpoint_id)
    if name is None or not may_use(name):
        raise not_found("GatewayEndpoint", {"endpoint_id": endpoint_id})


def _count(ledger: Ledger, request: pb.RecordGatewaySpendRequest) -> list[Spend]:
    """Add a charge to its day, and to a window of every matching policy; return those.

    Raises:
        GatewayError: INVALID_ARGUMENT; occurred_at is too far in the future.
    """
    transaction, now = ledger.transaction, ledger.now
    moment = request.occurred_at if request.HasField("occurred_at") else now
    if moment > now + SPEND_RETENTION_MS:
        raise GatewayError.invalid([FieldViolation("occurred_at", f"must be at most 24 hours ahead, is {moment - now} ms")])
    if moment > now - HISTORY_RETENTION_MS:
        key = SpendKey(moment // DAY_MS * DAY_MS, request.endpoint_id, request.user, request.budget_unit)
        transaction.spend_days.add(key, request.amount_nanos, 1)
    found = [(spend.policy, counter_at(spend, moment, now)) for spend in matching(transaction, request, moment)]
    return ledger.store(
        (policy, record(counter, request.amount_nanos))
        for policy, counter in found
        if policy.budget_unit == request.budget_unit and counter.end > now - SPEND_RETENTION_MS
    )


def _check(spend: Spend, now: int) -> GatewayBudgetCheck:
    policy, counter = spend.policy, counter_at(spend, now, now)
    # In integers, because 0.3 - 0.1 as doubles is not 0.2.
    remaining = limit_nanos(policy.budget_amount) - counter.nanos - counter.reserved
    return GatewayBudgetCheck(remaining > 0, policy, window_of(spend, now), max(remaining, 0) / _NANOS)


def _tightness(check: GatewayBudgetCheck) -> tuple[float, int]:
    """Return the sort key of checks: the least remaining first, then the latest end of the window."""
    return check.remaining or 0.0, -check.window.window_end_ms if check.window else 0


def _content(request: pb.RecordGatewaySpendRequest) -> bytes:
    """Return a digest of the content of a charge, to compare repeated requests."""
    content = [
        request.endpoint_id,
        spender_workspace(request),
        request.user,
        request.amount_nanos,
        request.budget_unit,
        request.occurred_at if request.HasField("occurred_at") else None,
    ]
    return hashlib.sha256(json.dumps(content).encode()).digest()
