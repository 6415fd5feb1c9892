"""What is spent, and what may still be: their operations, blocking and with asyncio."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gateway_entities.client import _calls
from gateway_entities.client._send import AsyncSender, Sender
from gateway_entities.entities import BudgetUnit

if TYPE_CHECKING:
    from gateway_entities.entities import GatewayBudgetCheck, GatewayBudgetWindow


def _new_request_id() -> str:
    return os.urandom(16).hex()


class SpendMethods(Sender):
    """What is spent, and what may still be."""

    def record_spend(
        self,
        endpoint_id: str,
        amount_nanos: int,
        *,
        request_id: str | None = None,
        workspace: str | None = None,
        user: str | None = None,
        budget_unit: BudgetUnit | int = BudgetUnit.USD,
        occurred_at: int | None = None,
        timeout: float | None = None,
    ) -> list[GatewayBudgetWindow]:
        """Add what a request cost to the window of every policy that matches, to all or to none.

        It is safe to repeat: with the same request_id and arguments it counts once. So it is also tried again by itself, as
        reads are.

        Args:
            endpoint_id: the endpoint's id.
            amount_nanos: the cost in nano-units, 10^-9 of the unit each, 0 or more.
            request_id: names this charge, 1 to 255 characters; a random one when None. Give one of your own to be able to
                repeat the call; the gateway remembers it for 24 hours or longer.
            workspace: where the request came from; ``default`` when None.
            user: the name of who made it; None for nobody that has a budget.
            budget_unit: the unit of the amount. Policies in another unit do not count it.
            occurred_at: when it was spent, in milliseconds since the Unix epoch, UTC, at most 24 hours ahead; now when None.
                Each policy counts it in the window that contains this moment, unless that ended 24 hours ago or earlier.
            timeout: seconds for all of it; the client's when None.

        Returns:
            The windows that it was counted in, as they are now, in the order of their policies. A window holds at most
            2^63 - 1 nano-units, a current_spend of about 9.2e9, and stays there.

        Raises:
            GatewayError: INVALID_ARGUMENT (also for a request_id that was used with other arguments); NOT_FOUND (the
                endpoint).
        """
        call = _calls.record_spend(
            endpoint_id,
            amount_nanos,
            request_id=_new_request_id() if request_id is None else request_id,
            workspace=workspace,
            user=user,
            budget_unit=budget_unit,
            occurred_at=occurred_at,
        )
        return self._send(call, timeout)

    def check_budget(
        self, endpoint_id: str, *, workspace: str | None = None, user: str | None = None, timeout: float | None = None
    ) -> GatewayBudgetCheck:
        """Return whether a request may be made now, and what the tightest budget leaves.

        It may not while a policy that matches and has the action REJECT has its budget_amount or more spent in its window.

        Args:
            endpoint_id: the endpoint's id.
            workspace: where the request comes from; ``default`` when None.
            user: the name of who makes it; None for nobody that has a budget.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint).
        """
        return self._send(_calls.check_budget(endpoint_id, workspace=workspace, user=user), timeout)


class AsyncSpendMethods(AsyncSender):
    """What is spent, and what may still be, with asyncio."""

    async def record_spend(
        self,
        endpoint_id: str,
        amount_nanos: int,
        *,
        request_id: str | None = None,
        workspace: str | None = None,
        user: str | None = None,
        budget_unit: BudgetUnit | int = BudgetUnit.USD,
        occurred_at: int | None = None,
        timeout: float | None = None,
    ) -> list[GatewayBudgetWindow]:
        """Add what a request cost to the window of every policy that matches, to all or to none.

        It is safe to repeat: with the same request_id and arguments it counts once. So it is also tried again by itself, as
        reads are.

        Args:
            endpoint_id: the endpoint's id.
            amount_nanos: the cost in nano-units, 10^-9 of the unit each, 0 or more.
            request_id: names this charge, 1 to 255 characters; a random one when None. Give one of your own to be able to
                repeat the call; the gateway remembers it for 24 hours or longer.
            workspace: where the request came from; ``default`` when None.
            user: the name of who made it; None for nobody that has a budget.
            budget_unit: the unit of the amount. Policies in another unit do not count it.
            occurred_at: when it was spent, in milliseconds since the Unix epoch, UTC, at most 24 hours ahead; now when None.
                Each policy counts it in the window that contains this moment, unless that ended 24 hours ago or earlier.
            timeout: seconds for all of it; the client's when None.

        Returns:
            The windows that it was counted in, as they are now, in the order of their policies. A window holds at most
            2^63 - 1 nano-units, a current_spend of about 9.2e9, and stays there.

        Raises:
            GatewayError: INVALID_ARGUMENT (also for a request_id that was used with other arguments); NOT_FOUND (the
                endpoint).
        """
        call = _calls.record_spend(
            endpoint_id,
            amount_nanos,
            request_id=_new_request_id() if request_id is None else request_id,
            workspace=workspace,
            user=user,
            budget_unit=budget_unit,
            occurred_at=occurred_at,
        )
        return await self._send(call, timeout)

    async def check_budget(
        self, endpoint_id: str, *, workspace: str | None = None, user: str | None = None, timeout: float | None = None
    ) -> GatewayBudgetCheck:
        """Return whether a request may be made now, and what the tightest budget leaves.

        It may not while a policy that matches and has the action REJECT has its budget_amount or more spent in its window.

        Args:
            endpoint_id: the endpoint's id.
            workspace: where the request comes from; ``default`` when None.
            user: the name of who makes it; None for nobody that has a budget.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint).
        """
        return await self._send(_calls.check_budget(endpoint_id, workspace=workspace, user=user), timeout)
