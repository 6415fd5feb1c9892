"""Budget policies and their windows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from gateway_entities import methods
from gateway_entities.client._async.pager import AsyncPager
from gateway_entities.client._async.rpc import AsyncRpcClient
from gateway_entities.client._base import PAGE_SIZE
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import build, mask, message
from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetTargetScope,
    BudgetUnit,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
)
from gatewayentities.v1 import budget_pb2


class AsyncBudgetMethods(AsyncRpcClient):
    """Budget policies and their windows."""

    async def create_budget_policy(
        self,
        *,
        budget_unit: BudgetUnit | int | str,
        budget_amount: float,
        duration: BudgetDuration,
        target_scope: BudgetTargetScope | int | str,
        budget_action: BudgetAction | int | str,
        target_value: str | None = None,
        created_by: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayBudgetPolicy:
        """Store a limit on spending. Equal policies may coexist. It counts what is recorded from then on.

        Args:
            budget_unit: the unit of the amount.
            budget_amount: what may be spent in one window, in that unit; finite and 0 or more.
            duration: the length of a window, at most 100 years.
            target_scope: whose spending counts.
            budget_action: what happens once the amount is spent.
            target_value: the endpoint's id (ENDPOINT) or the user's name (USER), 1 to 255 characters; none for other
                scopes.
            created_by: the actor, 1 to 255 characters.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint of an ENDPOINT scope).
        """
        request = build(
            budget_pb2.CreateGatewayBudgetPolicyRequest,
            budget_unit=cast("budget_pb2.BudgetUnit.ValueType | None", budget_unit),
            budget_amount=budget_amount,
            duration=message("duration", BudgetDuration, duration),
            target_scope=cast("budget_pb2.BudgetTargetScope.ValueType | None", target_scope),
            budget_action=cast("budget_pb2.BudgetAction.ValueType | None", budget_action),
            target_value=target_value,
            created_by=created_by,
            request_id=request_id,
        )
        return await self._entity(methods.CREATE_GATEWAY_BUDGET_POLICY, request, GatewayBudgetPolicy, timeout)

    async def get_budget_policy(self, budget_policy_id: str, *, timeout: float | None = None) -> GatewayBudgetPolicy:
        """Return one policy.

        Args:
            budget_policy_id: the policy's id.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND.
        """
        request = build(budget_pb2.GetGatewayBudgetPolicyRequest, budget_policy_id=budget_policy_id)
        return await self._entity(methods.GET_GATEWAY_BUDGET_POLICY, request, GatewayBudgetPolicy, timeout)

    async def update_budget_policy(
        self,
        budget_policy_id: str,
        *,
        budget_unit: BudgetUnit | int | str | None = None,
        budget_amount: float | None = None,
        duration: BudgetDuration | None = None,
        target_scope: BudgetTargetScope | int | str | None = None,
        budget_action: BudgetAction | int | str | None = None,
        target_value: str | None = None,
        updated_by: str | None = None,
        update_mask: Iterable[str] | None = None,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayBudgetPolicy:
        """Change the given fields of a policy. One with another unit, duration, scope or target starts at 0.

        Args:
            budget_policy_id: the policy's id.
            budget_unit: the unit of the amount.
            budget_amount: what may be spent in one window, in that unit; finite and 0 or more.
            duration: the length of a window, at most 100 years.
            target_scope: whose spending counts. A new scope drops the old target.
            budget_action: what happens once the amount is spent.
            target_value: the endpoint's id (ENDPOINT) or the user's name (USER), 1 to 255 characters; none for other
                scopes.
            updated_by: the actor, 1 to 255 characters; None leaves last_updated_by unchanged.
            update_mask: the fields to write; a listed field that is None is cleared, if it may be. Without a mask, every
                non-empty field is written.
            etag: the policy's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the policy, or the endpoint of an ENDPOINT scope); ABORTED (the
                etag differs).
        """
        request = build(
            budget_pb2.UpdateGatewayBudgetPolicyRequest,
            budget_policy_id=budget_policy_id,
            budget_unit=cast("budget_pb2.BudgetUnit.ValueType | None", budget_unit),
            budget_amount=budget_amount,
            duration=message("duration", BudgetDuration, duration),
            target_scope=cast("budget_pb2.BudgetTargetScope.ValueType | None", target_scope),
            budget_action=cast("budget_pb2.BudgetAction.ValueType | None", budget_action),
            target_value=target_value,
            updated_by=updated_by,
            update_mask=mask(update_mask),
            etag=etag,
            request_id=request_id,
        )
        return await self._entity(methods.UPDATE_GATEWAY_BUDGET_POLICY, request, GatewayBudgetPolicy, timeout)

    async def delete_budget_policy(
        self, budget_policy_id: str, *, etag: str | None = None, request_id: str | None = None, timeout: float | None = None
    ) -> None:
        """Remove a policy.

        Args:
            budget_policy_id: the policy's id.
            etag: the policy's expected ``etag()``; None skips the check.
            request_id: idempotency key, 1 to 255 characters; None generates one. A repeat returns the first response and
                changes nothing.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag differs).
        """
        request = build(
            budget_pb2.DeleteGatewayBudgetPolicyRequest,
            budget_policy_id=budget_policy_id,
            etag=etag,
            request_id=request_id,
        )
        await self._call(methods.DELETE_GATEWAY_BUDGET_POLICY, request, timeout)

    async def list_budget_policies(self, *, timeout: float | None = None) -> EntityList[GatewayBudgetPolicy]:
        """Return all policies, by time of creation, then by id.

        Args:
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: see the class.
        """
        return await self.iter_budget_policies(timeout=timeout).read_all()

    def iter_budget_policies(
        self,
        *,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncPager[GatewayBudgetPolicy]:
        """Return an iterator over the entities that ``list_budget_policies`` returns, which reads them page by page.

        Args:
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(budget_pb2.ListGatewayBudgetPoliciesRequest, max_results=page_size)
        return self._pager(
            methods.LIST_GATEWAY_BUDGET_POLICIES,
            request,
            GatewayBudgetPolicy,
            timeout,
        )

    async def list_budget_windows(self, *, timeout: float | None = None) -> EntityList[GatewayBudgetWindow]:
        """Return the window that each policy is in now, in the order of the policies.

        Args:
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: see the class.
        """
        return await self.iter_budget_windows(timeout=timeout).read_all()

    def iter_budget_windows(
        self,
        *,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncPager[GatewayBudgetWindow]:
        """Return an iterator over the entities that ``list_budget_windows`` returns, which reads them page by page.

        Args:
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(budget_pb2.ListGatewayBudgetWindowsRequest, page_size=page_size)
        return self._pager(methods.LIST_GATEWAY_BUDGET_WINDOWS, request, GatewayBudgetWindow, timeout)
