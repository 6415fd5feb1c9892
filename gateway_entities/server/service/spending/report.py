"""The RPCs of SpendService for balances, corrections and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway_entities.entities import BudgetUnit, GatewayBudgetBalance, GatewaySpendAdjustment, GatewaySpendTotal
from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.rules import validate
from gateway_entities.server.service.budget import existing_policy
from gateway_entities.server.service.lists.paging import PageRequest
from gateway_entities.server.service.spending import ledger as ledgers
from gateway_entities.server.service.spending.ledger import LedgerService, balance_of, counter_at
from gateway_entities.server.service.spending.spend import HISTORY_RETENTION_MS, SPEND_RETENTION_MS
from gateway_entities.server.service.writes.mutation import Mutation, mutation
from gateway_entities.server.store.repositories.spending.spend import Counter, Spend
from gateway_entities.server.store.repositories.spending.spend_day import SpendKey, SpendSum
from gatewayentities.v1 import spend_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway_entities.entities import GatewayBudgetPolicy
    from gateway_entities.server.store import Transaction

_GROUPINGS: Final = {
    pb.GATEWAY_SPEND_GROUPING_DAY: "day",
    pb.GATEWAY_SPEND_GROUPING_ENDPOINT: "endpoint",
    pb.GATEWAY_SPEND_GROUPING_USER: "user",
}


class ReportService(LedgerService):
    """The RPCs of SpendService for balances, corrections and reports. Errors: as the contract lists."""

    @mutation
    def adjust_gateway_spend(
        self, mutation: Mutation, request: pb.AdjustGatewaySpendRequest
    ) -> pb.AdjustGatewaySpendResponse:
        """Correct what is recorded in a window of a policy, which stays as it is."""
        transaction, ledger = mutation.transaction, self.ledger(mutation.transaction)
        policy = mutation.load(existing_policy(transaction, request.budget_policy_id))
        counter = _correctable(transaction, policy, request)
        after = request.recorded_nanos if request.HasField("recorded_nanos") else counter.nanos + request.amount_nanos
        if after < 0:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"The window has recorded {counter.nanos} nano-units, of which {-request.amount_nanos} cannot be taken",
                reason="SPEND_BELOW_ZERO",
            )
        [(_, adjusted)] = ledger.store([(policy, ledgers.adjust(counter, after))])
        assert adjusted is not None  # noqa: S101 - it is stored.
        mutation.adjustment = GatewaySpendAdjustment(
            policy.budget_policy_id,
            counter.start,
            counter.end,
            policy.budget_unit,
            counter.nanos,
            adjusted.nanos,
            request.reason,
        )
        mutation.result(policy)
        return pb.AdjustGatewaySpendResponse(
            balance=balance_of(policy, adjusted).to_proto(),
            adjustment=mutation.adjustment.to_proto(),
            alerts=[alert.to_proto() for alert in ledger.alerts],
        )

    def list_gateway_budget_balances(
        self, request: pb.ListGatewayBudgetBalancesRequest
    ) -> pb.ListGatewayBudgetBalancesResponse:
        """Return a page of the current windows of policies, or of their history."""
        validate(request)
        with self.read() as transaction:
            if request.budget_policy_id:
                existing_policy(transaction, request.budget_policy_id)
            read = _history if request.HasField("ended_since") else _current
            return read(transaction, request)

    def list_gateway_spend(self, request: pb.ListGatewaySpendRequest) -> pb.ListGatewaySpendResponse:
        """Return a page of a report of recorded spending."""
        validate(request)
        by = [_GROUPINGS[each] for each in request.group_by] or list(_GROUPINGS.values())
        # A user's name may contain a colon, so it is the last part.
        page_request = PageRequest[tuple[int, str, str, str]](
            f"spend by {' '.join(sorted(by))}", 3, request.page_size, request.page_token
        )

        def fetch(after: tuple[int, str, str, str] | None, limit: int) -> Sequence[SpendSum]:
            return transaction.spend_days.list(
                by,
                since=request.since_ms if request.HasField("since_ms") else None,
                until=request.until_ms if request.HasField("until_ms") else None,
                endpoint_id=request.endpoint_id or None,
                user=request.user if request.HasField("user") else None,
                after=None if after is None else SpendKey(after[0], after[1], after[3], int(after[2])),
                limit=limit,
            )

        with self.read() as transaction:
            page = page_request.read_current(transaction, fetch, _position)
        response = pb.ListGatewaySpendResponse()
        page.fill(response, response.totals, lambda found: _total(found, by))
        return response


def _current(transaction: Transaction, request: pb.ListGatewayBudgetBalancesRequest) -> pb.ListGatewayBudgetBalancesResponse:
    page_request = PageRequest[tuple[int, str]]("balances", 1, request.page_size, request.page_token)
    now, policy_id = transaction.now, request.budget_policy_id or None
    page = page_request.read_current(
        transaction,
        lambda after, limit: transaction.budget_spend.list(now, budget_policy_id=policy_id, after=after, limit=limit),
        lambda spend: (spend.policy.created_at, spend.policy.budget_policy_id),
    )
    response = pb.ListGatewayBudgetBalancesResponse()
    page.fill(response, response.balances, lambda spend: _balance(spend, now))
    return response


def _history(transaction: Transaction, request: pb.ListGatewayBudgetBalancesRequest) -> pb.ListGatewayBudgetBalancesResponse:
    # Keys of pages have one number; the other one is text.
    page_request = PageRequest[tuple[int, str, str]]("balance history", 2, request.page_size, request.page_token)
    now, policy_id = transaction.now, request.budget_policy_id or None
    page = page_request.read_current(
        transaction,
        lambda after, limit: transaction.budget_spend.history(
            request.ended_since,
            budget_policy_id=policy_id,
            after=None if after is None else (*after[:2], int(after[2])),
            limit=limit,
        ),
        lambda spend: (spend.policy.created_at, spend.policy.budget_policy_id, str(spend.counter and spend.counter.end)),
    )
    response = pb.ListGatewayBudgetBalancesResponse()
    page.fill(response, response.balances, lambda spend: _balance(spend, now))
    return response


def _balance(spend: Spend, now: int) -> GatewayBudgetBalance:
    return balance_of(spend.policy, counter_at(spend, now, now))


def _correctable(transaction: Transaction, policy: GatewayBudgetPolicy, request: pb.AdjustGatewaySpendRequest) -> Counter:
    """Return the counter of the window to correct.

    Raises:
        GatewayError: INVALID_ARGUMENT; it is too far in the future or in the past.
    """
    now = transaction.now
    moment = request.occurred_at if request.HasField("occurred_at") else now
    if moment > now + SPEND_RETENTION_MS:
        raise GatewayError.invalid([FieldViolation("occurred_at", f"must be at most 24 hours ahead, is {moment - now} ms")])
    [spend] = transaction.budget_spend.list(moment, budget_policy_id=policy.budget_policy_id)
    counter = counter_at(spend, moment, now)
    if counter.end <= now - HISTORY_RETENTION_MS:
        raise GatewayError.invalid([FieldViolation("occurred_at", "must be in a window that ended within the last 90 days")])
    return counter


def _position(found: SpendSum) -> tuple[int, str, str, str]:
    key = found.key
    return key.day, key.endpoint, str(key.unit), key.user


def _total(found: SpendSum, by: Sequence[str]) -> GatewaySpendTotal:
    key = found.key
    return GatewaySpendTotal(
        BudgetUnit(key.unit),
        found.nanos,
        found.charges,
        day_start_ms=key.day if "day" in by else None,
        endpoint_id=key.endpoint if "endpoint" in by else None,
        user=key.user if "user" in by else None,
    )
