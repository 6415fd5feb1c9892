"""Spending: charges, reservations, corrections and reports, and budget checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from gateway_entities import methods
from gateway_entities.client._async.pager import AsyncPager
from gateway_entities.client._async.reservation import AsyncSpendReservation
from gateway_entities.client._async.rpc import AsyncRpcClient
from gateway_entities.client._base import PAGE_SIZE
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import build
from gateway_entities.client._retry import ensure_request_id
from gateway_entities.client._spend import (
    AsyncReserving,
    BudgetExceededError,
    RecordedSpend,
    SettledSpend,
    amount_nanos_of,
    entities,
    groupings,
    optional_nanos,
)
from gateway_entities.entities import (
    BudgetUnit,
    GatewayBudgetBalance,
    GatewayBudgetCheck,
    GatewayBudgetWindow,
    GatewaySpendAlert,
    GatewaySpendGrouping,
    GatewaySpendRefusal,
    GatewaySpendReservation,
    GatewaySpendTotal,
)
from gateway_entities.entities.amount import Amount
from gatewayentities.v1 import budget_pb2, spend_pb2


class AsyncSpendMethods(AsyncRpcClient):
    """Spending: charges, reservations, corrections and reports, and budget checks.

    Amounts are in the unit of the budget, exact: a Decimal, an int, or text such as ``"0.0025"``, with at most nine
    decimals. A float is refused, because few decimals are floats. Names with ``nanos`` are in nano-units, 10^-9 of the unit.
    """

    async def record_spend(
        self,
        endpoint_id: str,
        amount_nanos: int | None = None,
        *,
        amount: Amount | None = None,
        request_id: str | None = None,
        workspace: str | None = None,
        user: str | None = None,
        budget_unit: BudgetUnit | int | str = BudgetUnit.USD,
        occurred_at: int | None = None,
        timeout: float | None = None,
    ) -> RecordedSpend:
        """Add the cost of a request to the window of every matching policy, atomically, also beyond its limit.

        A repeat with the same request_id and arguments counts once.

        Args:
            endpoint_id: the endpoint's id.
            amount_nanos: the cost in nano-units, 10^-9 of the unit each, 0 to 10^15.
            amount: the cost in the unit, in place of amount_nanos.
            request_id: idempotency key, 1 to 255 characters; None generates one. The server stores it for at least
                24 hours.
            workspace: where the request came from; ``default`` when None.
            user: the user's name; None matches no USER budget.
            budget_unit: the unit of the amount. Policies in another unit do not count it.
            occurred_at: when it was spent, in milliseconds since the Unix epoch, UTC, at most 24 hours ahead; now when None.
                Each policy counts it in the window that contains this moment, unless that ended 24 hours ago or earlier.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT (also for a request_id that was sent with other arguments); NOT_FOUND (the
                endpoint).
        """
        request = build(
            budget_pb2.RecordGatewaySpendRequest,
            endpoint_id=endpoint_id,
            workspace=workspace,
            user=user,
            amount_nanos=amount_nanos_of(amount, amount_nanos),
            budget_unit=cast("budget_pb2.BudgetUnit.ValueType | None", budget_unit),
            occurred_at=occurred_at,
            request_id=request_id,
        )
        # Required, whichever server it is for.
        ensure_request_id(request)
        response, windows = await self._page(
            methods.RECORD_GATEWAY_SPEND, request, GatewayBudgetWindow, self._deadline(timeout)
        )
        return RecordedSpend(windows, entities(GatewaySpendAlert, response.alerts), saturated=response.saturated)

    def reserve_spend(
        self,
        endpoint_id: str,
        amount: Amount,
        *,
        workspace: str | None = None,
        user: str | None = None,
        budget_unit: BudgetUnit | int | str = BudgetUnit.USD,
        ttl_ms: int | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> AsyncReserving[AsyncSpendReservation]:
        """Reserve the estimated cost of a request in every matching policy, before the request is made.

        Callers that reserve never exceed the limit of a policy with the action REJECT together. Use the result in a ``with``
        block, and commit there what was spent; see SpendReservation for what the end of the block does.

        Args:
            endpoint_id: the endpoint's id.
            amount: the estimate in the unit, 0 to a million.
            workspace: where the request comes from; ``default`` when None.
            user: the user's name; None matches no USER budget.
            budget_unit: the unit of the amount. Policies in another unit do not count it.
            ttl_ms: milliseconds after which the estimate is charged, if it is neither settled nor extended: at most
                86,400,000, 24 hours; 600,000, 10 minutes, when None.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the same reservation as it
                is now; a ``with`` block refuses one that was committed or released.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            BudgetExceededError: a budget refuses it.
            GatewayError: INVALID_ARGUMENT (also for a request_id that was sent with other arguments); NOT_FOUND (the
                endpoint).
        """
        request = build(
            spend_pb2.ReserveGatewaySpendRequest,
            endpoint_id=endpoint_id,
            workspace=workspace,
            user=user,
            amount_nanos=optional_nanos(amount, "amount_nanos"),
            budget_unit=cast("budget_pb2.BudgetUnit.ValueType | None", budget_unit),
            ttl_ms=ttl_ms,
            request_id=request_id,
        )
        ensure_request_id(request)
        return AsyncReserving(self._reserve(request, timeout))

    async def commit_spend(self, reservation_id: str, amount: Amount, *, timeout: float | None = None) -> SettledSpend:
        """Record what was spent in place of a reservation's estimate, also beyond it.

        After the reservation has expired it replaces what was charged for it. A repeat with the same amount changes nothing.

        Args:
            reservation_id: the reservation's id.
            amount: what was spent in the unit, 0 to a million.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the reservation, or it was settled more than 24 hours ago);
                FAILED_PRECONDITION (it was released, or committed with another amount; reason RESERVATION_SETTLED).
        """
        request = build(
            spend_pb2.CommitGatewaySpendRequest,
            reservation_id=reservation_id,
            amount_nanos=optional_nanos(amount, "amount_nanos"),
        )
        response = await self._call(methods.COMMIT_GATEWAY_SPEND, request, timeout)
        return _settled(response, entities(GatewaySpendAlert, response.alerts))

    async def release_spend(self, reservation_id: str, *, timeout: float | None = None) -> SettledSpend:
        """Give a reservation's estimate back, because nothing was spent. A repeat changes nothing.

        Args:
            reservation_id: the reservation's id.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the reservation, or it was settled more than 24 hours ago);
                FAILED_PRECONDITION (it was committed; reason RESERVATION_SETTLED).
        """
        request = build(spend_pb2.ReleaseGatewaySpendRequest, reservation_id=reservation_id)
        return _settled(await self._call(methods.RELEASE_GATEWAY_SPEND, request, timeout), [])

    async def extend_spend(
        self, reservation_id: str, *, ttl_ms: int | None = None, timeout: float | None = None
    ) -> GatewaySpendReservation:
        """Give an open reservation more time; return it. It never gets less.

        Args:
            reservation_id: the reservation's id.
            ttl_ms: milliseconds from now, at most 86,400,000, 24 hours; 600,000, 10 minutes, when None.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the reservation, or it was settled more than 24 hours ago);
                FAILED_PRECONDITION (reason RESERVATION_SETTLED or RESERVATION_EXPIRED).
        """
        request = build(spend_pb2.ExtendGatewaySpendRequest, reservation_id=reservation_id, ttl_ms=ttl_ms)
        return await self._entity(methods.EXTEND_GATEWAY_SPEND, request, GatewaySpendReservation, timeout)

    async def adjust_spend(
        self,
        budget_policy_id: str,
        amount: Amount | None = None,
        *,
        reason: str,
        recorded: Amount | None = None,
        occurred_at: int | None = None,
        updated_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayBudgetBalance:
        """Correct what is recorded in a window of a policy; return the window. The change log has the correction.

        Args:
            budget_policy_id: the policy's id.
            amount: what to add in the unit, or to subtract if it is negative. Either this or recorded.
            reason: why, 1 to 1000 characters, for people; without secrets.
            recorded: what is to be recorded, 0 or more; 0 starts the window again.
            occurred_at: a time in the window, in milliseconds since the Unix epoch, UTC; now when None.
            updated_by: the actor, 1 to 255 characters.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the policy); FAILED_PRECONDITION (the recorded amount would be below
                0; reason SPEND_BELOW_ZERO).
        """
        request = build(
            spend_pb2.AdjustGatewaySpendRequest,
            budget_policy_id=budget_policy_id,
            occurred_at=occurred_at,
            amount_nanos=optional_nanos(amount, "amount_nanos"),
            recorded_nanos=optional_nanos(recorded, "recorded_nanos"),
            reason=reason,
            updated_by=updated_by,
            request_id=request_id,
        )
        return await self._entity(methods.ADJUST_GATEWAY_SPEND, request, GatewayBudgetBalance, timeout)

    async def list_budget_balances(
        self, *, budget_policy_id: str | None = None, ended_since: int | None = None, timeout: float | None = None
    ) -> EntityList[GatewayBudgetBalance]:
        """Return the current window of each policy, or the history of windows, in the order of the policies, then of time.

        Args:
            budget_policy_id: only windows of this policy; None for all.
            ended_since: for the history: windows that ended, or will end, after this time, in milliseconds since the Unix
                epoch, UTC, and in which something was reserved or recorded. They are stored for 90 days after their end.
                None for the current windows.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the policy).
        """
        windows = self.iter_budget_balances(budget_policy_id=budget_policy_id, ended_since=ended_since, timeout=timeout)
        return await windows.read_all()

    def iter_budget_balances(
        self,
        *,
        budget_policy_id: str | None = None,
        ended_since: int | None = None,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncPager[GatewayBudgetBalance]:
        """Return an iterator over the entities that ``list_budget_balances`` returns, which reads them page by page.

        Args:
            budget_policy_id: as of ``list_budget_balances``.
            ended_since: as of ``list_budget_balances``.
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(
            spend_pb2.ListGatewayBudgetBalancesRequest,
            budget_policy_id=budget_policy_id,
            ended_since=ended_since,
            page_size=page_size,
        )
        return self._pager(methods.LIST_GATEWAY_BUDGET_BALANCES, request, GatewayBudgetBalance, timeout)

    async def list_spend(
        self,
        *,
        group_by: Iterable[GatewaySpendGrouping | int | str] | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        endpoint_id: str | None = None,
        user: str | None = None,
        timeout: float | None = None,
    ) -> EntityList[GatewaySpendTotal]:
        """Return the recorded spending of the last 90 days by day, endpoint and user, in this order.

        Args:
            group_by: the parts of a row's key; None for day, endpoint and user.
            since_ms: only days that start at or after this time, in milliseconds since the Unix epoch, UTC; None for all.
            until_ms: only days that start before this time, likewise.
            endpoint_id: only spending on this endpoint, which may have been deleted; None for all.
            user: only spending of this user, of none if it is empty; None for all.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT.
        """
        totals = self.iter_spend(
            group_by=group_by,
            since_ms=since_ms,
            until_ms=until_ms,
            endpoint_id=endpoint_id,
            user=user,
            timeout=timeout,
        )
        return await totals.read_all()

    def iter_spend(
        self,
        *,
        group_by: Iterable[GatewaySpendGrouping | int | str] | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        endpoint_id: str | None = None,
        user: str | None = None,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncPager[GatewaySpendTotal]:
        """Return an iterator over the entities that ``list_spend`` returns, which reads them page by page.

        Args:
            group_by: as of ``list_spend``, like the following.
            since_ms: as there.
            until_ms: as there.
            endpoint_id: as there.
            user: as there.
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(
            spend_pb2.ListGatewaySpendRequest,
            group_by=groupings(group_by),
            since_ms=since_ms,
            until_ms=until_ms,
            endpoint_id=endpoint_id,
            user=user,
            page_size=page_size,
        )
        return self._pager(methods.LIST_GATEWAY_SPEND, request, GatewaySpendTotal, timeout)

    async def check_budget(
        self, endpoint_id: str, *, workspace: str | None = None, user: str | None = None, timeout: float | None = None
    ) -> GatewayBudgetCheck:
        """Return whether a request may be made now, and what the tightest budget leaves.

        It may not while a matching policy with the action REJECT has recorded and reserved its budget_amount in its window.
        Callers that check may exceed it together; ``reserve_spend`` prevents that.

        Args:
            endpoint_id: the endpoint's id.
            workspace: where the request comes from; ``default`` when None.
            user: the user's name; None matches no USER budget.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint).
        """
        request = build(budget_pb2.CheckGatewayBudgetRequest, endpoint_id=endpoint_id, workspace=workspace, user=user)
        return await self._entity(methods.CHECK_GATEWAY_BUDGET, request, GatewayBudgetCheck, timeout)

    async def _reserve(self, request: spend_pb2.ReserveGatewaySpendRequest, timeout: float | None) -> AsyncSpendReservation:
        response = await self._call(methods.RESERVE_GATEWAY_SPEND, request, timeout)
        if response.HasField("refusal"):
            [refusal] = entities(GatewaySpendRefusal, [response.refusal])
            raise BudgetExceededError(refusal)
        [reservation] = entities(GatewaySpendReservation, [response.reservation])
        balances = entities(GatewayBudgetBalance, response.balances)
        return AsyncSpendReservation(self, reservation, balances, entities(GatewaySpendAlert, response.alerts))


def _settled(response: Any, alerts: list[GatewaySpendAlert]) -> SettledSpend:
    [reservation] = entities(GatewaySpendReservation, [response.reservation])
    return SettledSpend(reservation, entities(GatewayBudgetBalance, response.balances), alerts)
