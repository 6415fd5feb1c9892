"""Budget policies and their windows: their operations, blocking and with asyncio."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gateway_entities.client import _calls
from gateway_entities.client._send import AsyncSender, Sender

if TYPE_CHECKING:
    from gateway_entities.entities import (
        BudgetAction,
        BudgetDuration,
        BudgetTargetScope,
        BudgetUnit,
        GatewayBudgetPolicy,
        GatewayBudgetWindow,
    )


class BudgetMethods(Sender):
    """Budget policies and their windows."""

    def create_budget_policy(
        self,
        *,
        budget_unit: BudgetUnit | int,
        budget_amount: float,
        duration: BudgetDuration,
        target_scope: BudgetTargetScope | int,
        budget_action: BudgetAction | int,
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
            created_by: who does it, 1 to 255 characters.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint of an ENDPOINT scope).
        """
        return self._send(
            _calls.create_budget_policy(
                budget_unit=budget_unit,
                budget_amount=budget_amount,
                duration=duration,
                target_scope=target_scope,
                budget_action=budget_action,
                target_value=target_value,
                created_by=created_by,
                request_id=request_id,
            ),
            timeout,
        )

    def get_budget_policy(self, budget_policy_id: str, *, timeout: float | None = None) -> GatewayBudgetPolicy:
        """Return one policy.

        Args:
            budget_policy_id: the policy's id.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND.
        """
        return self._send(_calls.get_budget_policy(budget_policy_id), timeout)

    def update_budget_policy(
        self,
        budget_policy_id: str,
        *,
        budget_unit: BudgetUnit | int | None = None,
        budget_amount: float | None = None,
        duration: BudgetDuration | None = None,
        target_scope: BudgetTargetScope | int | None = None,
        budget_action: BudgetAction | int | None = None,
        target_value: str | None = None,
        updated_by: str | None = None,
        update_mask: Iterable[str] | None = None,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayBudgetPolicy:
        """Change the given fields of a policy. One with another unit, duration, scope or target counts anew from 0.

        Args:
            budget_policy_id: the policy's id.
            budget_unit: the unit of the amount.
            budget_amount: what may be spent in one window, in that unit; finite and 0 or more.
            duration: the length of a window, at most 100 years.
            target_scope: whose spending counts. A new scope drops the old target.
            budget_action: what happens once the amount is spent.
            target_value: the endpoint's id (ENDPOINT) or the user's name (USER), 1 to 255 characters; none for other
                scopes.
            updated_by: who does it, 1 to 255 characters; last_updated_by stays as it was without.
            update_mask: the fields to write; one that is named and not given is cleared, if it may be. Without a mask
                every field that is given and not empty is written.
            etag: what the policy's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the policy, or the endpoint of an ENDPOINT scope); ABORTED (the
                etag is another).
        """
        return self._send(
            _calls.update_budget_policy(
                budget_policy_id,
                budget_unit=budget_unit,
                budget_amount=budget_amount,
                duration=duration,
                target_scope=target_scope,
                budget_action=budget_action,
                target_value=target_value,
                updated_by=updated_by,
                update_mask=update_mask,
                etag=etag,
                request_id=request_id,
            ),
            timeout,
        )

    def delete_budget_policy(
        self, budget_policy_id: str, *, etag: str | None = None, request_id: str | None = None, timeout: float | None = None
    ) -> None:
        """Remove a policy.

        Args:
            budget_policy_id: the policy's id.
            etag: what the policy's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag is another).
        """
        self._send(_calls.delete_budget_policy(budget_policy_id, etag=etag, request_id=request_id), timeout)

    def list_budget_policies(self, *, timeout: float | None = None) -> list[GatewayBudgetPolicy]:
        """Return all policies, by time of creation, then by id.

        Args:
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return self._collect(_calls.list_budget_policies(), timeout)

    def list_budget_windows(self, *, timeout: float | None = None) -> list[GatewayBudgetWindow]:
        """Return the window that each policy is in now, in the order of the policies.

        Args:
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return self._collect(_calls.list_budget_windows(), timeout)


class AsyncBudgetMethods(AsyncSender):
    """Budget policies and their windows with asyncio."""

    async def create_budget_policy(
        self,
        *,
        budget_unit: BudgetUnit | int,
        budget_amount: float,
        duration: BudgetDuration,
        target_scope: BudgetTargetScope | int,
        budget_action: BudgetAction | int,
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
            created_by: who does it, 1 to 255 characters.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the endpoint of an ENDPOINT scope).
        """
        return await self._send(
            _calls.create_budget_policy(
                budget_unit=budget_unit,
                budget_amount=budget_amount,
                duration=duration,
                target_scope=target_scope,
                budget_action=budget_action,
                target_value=target_value,
                created_by=created_by,
                request_id=request_id,
            ),
            timeout,
        )

    async def get_budget_policy(self, budget_policy_id: str, *, timeout: float | None = None) -> GatewayBudgetPolicy:
        """Return one policy.

        Args:
            budget_policy_id: the policy's id.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND.
        """
        return await self._send(_calls.get_budget_policy(budget_policy_id), timeout)

    async def update_budget_policy(
        self,
        budget_policy_id: str,
        *,
        budget_unit: BudgetUnit | int | None = None,
        budget_amount: float | None = None,
        duration: BudgetDuration | None = None,
        target_scope: BudgetTargetScope | int | None = None,
        budget_action: BudgetAction | int | None = None,
        target_value: str | None = None,
        updated_by: str | None = None,
        update_mask: Iterable[str] | None = None,
        etag: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> GatewayBudgetPolicy:
        """Change the given fields of a policy. One with another unit, duration, scope or target counts anew from 0.

        Args:
            budget_policy_id: the policy's id.
            budget_unit: the unit of the amount.
            budget_amount: what may be spent in one window, in that unit; finite and 0 or more.
            duration: the length of a window, at most 100 years.
            target_scope: whose spending counts. A new scope drops the old target.
            budget_action: what happens once the amount is spent.
            target_value: the endpoint's id (ENDPOINT) or the user's name (USER), 1 to 255 characters; none for other
                scopes.
            updated_by: who does it, 1 to 255 characters; last_updated_by stays as it was without.
            update_mask: the fields to write; one that is named and not given is cleared, if it may be. Without a mask
                every field that is given and not empty is written.
            etag: what the policy's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND (the policy, or the endpoint of an ENDPOINT scope); ABORTED (the
                etag is another).
        """
        return await self._send(
            _calls.update_budget_policy(
                budget_policy_id,
                budget_unit=budget_unit,
                budget_amount=budget_amount,
                duration=duration,
                target_scope=target_scope,
                budget_action=budget_action,
                target_value=target_value,
                updated_by=updated_by,
                update_mask=update_mask,
                etag=etag,
                request_id=request_id,
            ),
            timeout,
        )

    async def delete_budget_policy(
        self, budget_policy_id: str, *, etag: str | None = None, request_id: str | None = None, timeout: float | None = None
    ) -> None:
        """Remove a policy.

        Args:
            budget_policy_id: the policy's id.
            etag: what the policy's ``etag()`` must still be; None for anything.
            request_id: name of this request, 1 to 255 characters; None makes a new one. A repeat is answered as the first
                time and changes nothing.
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: INVALID_ARGUMENT; NOT_FOUND; ABORTED (the etag is another).
        """
        await self._send(_calls.delete_budget_policy(budget_policy_id, etag=etag, request_id=request_id), timeout)

    async def list_budget_policies(self, *, timeout: float | None = None) -> list[GatewayBudgetPolicy]:
        """Return all policies, by time of creation, then by id.

        Args:
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return await self._collect(_calls.list_budget_policies(), timeout)

    async def list_budget_windows(self, *, timeout: float | None = None) -> list[GatewayBudgetWindow]:
        """Return the window that each policy is in now, in the order of the policies.

        Args:
            timeout: seconds for all of it; the client's when None.

        Raises:
            GatewayError: see the class.
        """
        return await self._collect(_calls.list_budget_windows(), timeout)
