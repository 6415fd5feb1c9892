# Generated from gateway_entities/client/_async/spend.py by proto/generate.py. Do not edit.
"""Recording of spend, and budget checks."""

from __future__ import annotations

from typing import cast

from gateway_entities import methods
from gateway_entities.client._requests import build
from gateway_entities.client._retry import ensure_request_id
from gateway_entities.client._sync.rpc import RpcClient
from gateway_entities.entities import BudgetUnit, GatewayBudgetCheck, GatewayBudgetWindow
from gatewayentities.v1 import budget_pb2


class SpendMethods(RpcClient):
    """Recording of spend, and budget checks."""

    def record_spend(
        self,
        endpoint_id: str,
        amount_nanos: int,
        *,
        request_id: str | None = None,
        workspace: str | None = None,
        user: str | None = None,
        budget_unit: BudgetUnit | int | str = BudgetUnit.USD,
        occurred_at: int | None = None,
        timeout: float | None = None,
    ) -> list[GatewayBudgetWindow]:
        """Add the cost of a request to the window of every matching policy, atomically.

        A repeat with the same request_id and arguments counts once.

        Args:
            endpoint_id: the endpoint's id.
            amount_nanos: the cost in nano-units, 10^-9 of the unit each, 0 to 10^15.
            request_id: idempotency key, 1 to 255 characters; None generates one. The server stores it for at least
                24 hours.
            workspace: where the request came from; ``default`` when None.
            user: the user's name; None matches no USER budget.
            budget_unit: the unit of the amount. Policies in another unit do not count it.
            occurred_at: when it was spent, in milliseconds since the Unix epoch, UTC, at most 24 hours ahead; now when None.
                Each policy counts it in the window that contains this moment, unless that ended 24 hours ago or earlier.
            timeout: seconds in all, retries included; None uses the client's.

        Returns:
            The windows that it was counted in, updated, in the order of their policies. A window holds at most 2^63 - 1
            nano-units, a current_spend of about 9.2e9, and stays there.

        Raises:
            GatewayError: INVALID_ARGUMENT (also for a request_id that was sent with other arguments); NOT_FOUND (the
                endpoint).
        """
        request = build(
            budget_pb2.RecordGatewaySpendRequest,
            endpoint_id=endpoint_id,
            workspace=workspace,
            user=user,
            amount_nanos=amount_nanos,
            budget_unit=cast("budget_pb2.BudgetUnit.ValueType | None", budget_unit),
            occurred_at=occurred_at,
            request_id=request_id,
        )
        # Required, whichever server it is for.
        ensure_request_id(request)
        _, windows = self._page(methods.RECORD_GATEWAY_SPEND, request, GatewayBudgetWindow, self._deadline(timeout))
        return windows

    def check_budget(
        self, endpoint_id: str, *, workspace: str | None = None, user: str | None = None, timeout: float | None = None
    ) -> GatewayBudgetCheck:
        """Return whether a request may be made now, and what the tightest budget leaves.

        It may not while a matching policy with the action REJECT has spent its budget_amount in its window.

        Args:
            endpoint_id: the endpoint's id.
            workspace: where the request comes from; ``default`` when None.
            user: the user's name; None matches no USER budget.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint).
        """
        request = build(budget_pb2.CheckGatewayBudgetRequest, endpoint_id=endpoint_id, workspace=workspace, user=user)
        return self._entity(methods.CHECK_GATEWAY_BUDGET, request, GatewayBudgetCheck, timeout)
