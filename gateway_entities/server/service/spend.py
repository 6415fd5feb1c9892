"""The handlers of BudgetService that count what is spent, and tell what may still be spent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from gateway_entities.entities import BudgetAction, GatewayBudgetCheck, GatewayBudgetWindow
from gateway_entities.errors import FieldViolation, GatewayError
from gateway_entities.rules import validate
from gateway_entities.server.service.base import Handlers, now_ms
from gateway_entities.server.service.errors import conflict, not_found
from gateway_entities.server.service.windows import window_at
from gatewayentities.v1 import budget_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction
    from gateway_entities.server.store.repositories.spend import Spend

_KEPT_MS: Final = 24 * 60 * 60 * 1000
"""How long charges are remembered, windows outlive their end, and how far ahead a charge may lie."""
_WORKSPACE: Final = "default"
"""The workspace that every policy belongs to."""
_MICROS: Final = 1_000_000
_MOST_MICROS: Final = 2**63 - 1
# Each record removes this much more than it adds, so that what is old goes as fast as new comes, and no record takes long.
_SPARE: Final = 4


class SpendHandlers(Handlers):
    """The handlers that count spending. Errors: those that the contract lists, and UNAVAILABLE from the store."""

    def record_gateway_spend(self, request: pb.RecordGatewaySpendRequest) -> pb.RecordGatewaySpendResponse:
        """Add a charge to the window of every policy that matches, unless it was recorded before."""
        validate(request)
        content = _content(request)
        with self.store.write() as transaction:
            now = now_ms()
            _refuse_unknown_endpoint(transaction, request.endpoint_id)
            charge = transaction.budget_charges.get(request.request_id)
            window_ids: Sequence[int]
            if charge is None:
                window_ids = _count(transaction, request, now)
                transaction.budget_charges.add(request.request_id, content, window_ids, now)
                transaction.budget_charges.prune(now - _KEPT_MS, 1 + _SPARE)
                transaction.budget_spend.prune(now - _KEPT_MS, len(window_ids) + _SPARE)
            elif charge.content == content:
                window_ids = charge.window_ids
            else:
                raise GatewayError.invalid([FieldViolation("request_id", "was used before, for another charge")])
            counted = transaction.budget_spend.of_windows(window_ids)
        return pb.RecordGatewaySpendResponse(windows=[shown_window(spend, now).to_proto() for spend in counted])

    def check_gateway_budget(self, request: pb.CheckGatewayBudgetRequest) -> pb.CheckGatewayBudgetResponse:
        """Tell whether a request may be made now, by the tightest policy that would refuse it."""
        validate(request)
        now = now_ms()
        with self.store.read() as transaction:
            _refuse_unknown_endpoint(transaction, request.endpoint_id)
            found = _matching(transaction, request, now)
        checks = [_check(spend, now) for spend in found if spend.policy.budget_action == BudgetAction.REJECT]
        tightest = min(checks, key=_tightness, default=GatewayBudgetCheck(allowed=True))
        return pb.CheckGatewayBudgetResponse(check=tightest.to_proto())


def shown_window(spend: Spend, moment: int) -> GatewayBudgetWindow:
    """Return the window of a policy in which something was spent, or else the one that it is in at a moment."""
    policy, counter = spend
    if counter is None:
        start, end = window_at(policy.duration.unit, policy.duration.value, moment)
        return GatewayBudgetWindow(policy.budget_policy_id, start, end, current_spend=0.0)
    # The quotient of two integers is the nearest double, so an amount that is reached to the millionth compares as equal.
    return GatewayBudgetWindow(policy.budget_policy_id, counter.start, counter.end, counter.micros / _MICROS)


def _count(transaction: Transaction, request: pb.RecordGatewaySpendRequest, now: int) -> list[int]:
    """Add a charge to a window of every policy that matches; return the numbers of the windows.

    Raises:
        GatewayError: INVALID_ARGUMENT when it lies too far ahead; FAILED_PRECONDITION when a window cannot hold it.
    """
    moment = request.occurred_at if request.HasField("occurred_at") else now
    if moment > now + _KEPT_MS:
        raise GatewayError.invalid([FieldViolation("occurred_at", f"must be at most 24 hours ahead, is {moment - now} ms")])
    spend = transaction.budget_spend
    opened: list[int] = []
    increased: list[int] = []
    for policy, counter in _matching(transaction, request, moment):
        if policy.budget_unit != request.budget_unit:
            continue
        if counter is None:
            start, end = window_at(policy.duration.unit, policy.duration.value, moment)
            if end > now - _KEPT_MS:
                opened.append(spend.open(policy.budget_policy_id, start, end, request.amount_micros))
        elif counter.end > now - _KEPT_MS:
            if counter.micros > _MOST_MICROS - request.amount_micros:
                raise conflict(f"The window of policy {policy.budget_policy_id} cannot hold that much", "SPEND_TOO_LARGE")
            increased.append(counter.window_id)
    spend.increase(increased, request.amount_micros)
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
    window = shown_window(spend, now)
    allowed = window.current_spend < policy.budget_amount
    # In decimals, because 0.3 - 0.1 as doubles is not 0.2.
    left = float(Decimal(repr(policy.budget_amount)) - Decimal(repr(window.current_spend))) if allowed else 0.0
    return GatewayBudgetCheck(allowed, policy, window, left)


def _tightness(check: GatewayBudgetCheck) -> tuple[float, int]:
    """Return what orders checks of policies: the least left first, then the longest wait."""
    return check.remaining or 0.0, -check.window.window_end_ms if check.window else 0


def _content(request: pb.RecordGatewaySpendRequest) -> bytes:
    """Return a digest of what a request charges: equal for requests that say the same."""
    said = [
        request.endpoint_id,
        _workspace(request),
        request.user,
        request.amount_micros,
        request.budget_unit,
        request.occurred_at if request.HasField("occurred_at") else None,
    ]
    return hashlib.sha256(json.dumps(said).encode()).digest()


def _workspace(request: pb.RecordGatewaySpendRequest | pb.CheckGatewayBudgetRequest) -> str:
    return request.workspace or _WORKSPACE


def _refuse_unknown_endpoint(transaction: Transaction, endpoint_id: str) -> None:
    if not transaction.endpoints.exists(endpoint_id):
        raise not_found("GatewayEndpoint", {"endpoint_id": endpoint_id})
