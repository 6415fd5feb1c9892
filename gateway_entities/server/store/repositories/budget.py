"""Budget policies."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Column, Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    GatewayBudgetPolicy,
)
from gateway_entities.server.store.sql import errors, execute, paging
from gateway_entities.server.store.sql.schema import budget_policies
from gateway_entities.server.store.sql.values import EnumReader

_own = budget_policies.c

COLUMNS: Final[tuple[Column[Any], ...]] = (
    _own.budget_policy_id,
    _own.budget_unit,
    _own.budget_amount,
    _own.duration_unit,
    _own.duration_value,
    _own.target_scope,
    _own.budget_action,
    _own.created_at,
    _own.last_updated_at,
    _own.created_by,
    _own.last_updated_by,
    _own.target_value,
)
_POLICY: Final = select(*COLUMNS)
_GET: Final = _POLICY.where(_own.budget_policy_id == bindparam("budget_policy_id"))
_ADD: Final = insert(budget_policies)
_UPDATE: Final = update(budget_policies).where(_own.budget_policy_id == bindparam("id"))
_REMOVE: Final = delete(budget_policies).where(_own.budget_policy_id == bindparam("budget_policy_id"))

_UNITS: Final = EnumReader(BudgetUnit)
_DURATION_UNITS: Final = EnumReader(BudgetDurationUnit)
_SCOPES: Final = EnumReader(BudgetTargetScope)
_ACTIONS: Final = EnumReader(BudgetAction)


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    conditions = {"endpoint_id": _own.endpoint_id == bindparam("endpoint_id")}
    return paging.page(_POLICY, (_own.created_at, _own.budget_policy_id), conditions, restrictions)


class BudgetPolicies:
    """The budget policies within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, budget_policy_id: str) -> GatewayBudgetPolicy | None:
        """Return the policy with this id, or None."""
        row = execute.row(self._connection, _GET, {"budget_policy_id": budget_policy_id})
        return None if row is None else read(row)

    def add(self, policy: GatewayBudgetPolicy) -> None:
        """Add a policy. One of ENDPOINT scope is deleted with its endpoint.

        Raises:
            GatewayError: NOT_FOUND; the target of ENDPOINT scope does not exist.
        """
        row = {
            "budget_policy_id": policy.budget_policy_id,
            "created_at": policy.created_at,
            "created_by": policy.created_by,
            **_changeable(policy),
        }
        try:
            execute.run(self._connection, _ADD, row)
        except IntegrityError as error:
            _raise_violation(error, policy)
            raise

    def update(self, policy: GatewayBudgetPolicy) -> None:
        """Update a policy, except for its id, created_at and created_by.

        Raises:
            GatewayError: NOT_FOUND; the policy, or the target of ENDPOINT scope, does not exist.
        """
        try:
            changed = execute.run(self._connection, _UPDATE, {"id": policy.budget_policy_id, **_changeable(policy)})
        except IntegrityError as error:
            _raise_violation(error, policy)
            raise
        if changed == 0:
            raise errors.not_found("BudgetPolicy", budget_policy_id=policy.budget_policy_id)

    def remove(self, budget_policy_id: str) -> bool:
        """Delete a policy; return whether it existed."""
        return execute.run(self._connection, _REMOVE, {"budget_policy_id": budget_policy_id}) > 0

    def list(
        self, *, endpoint_id: str | None = None, after: tuple[int, str] | None = None, limit: int | None = None
    ) -> builtins.list[GatewayBudgetPolicy]:
        """Return policies, ordered by creation and id.

        Args:
            endpoint_id: filter for policies of ENDPOINT scope with this target; None for all.
            after: the created_at and budget_policy_id that the page starts after; None starts at the first.
            limit: the maximum number; None for all.
        """
        restrictions, parameters = paging.shape({"endpoint_id": endpoint_id}, after, limit)
        return [read(row) for row in execute.rows(self._connection, _list(restrictions), parameters)]


def _changeable(policy: GatewayBudgetPolicy) -> dict[str, object]:
    return {
        "budget_unit": int(policy.budget_unit),
        "budget_amount": policy.budget_amount,
        "duration_unit": int(policy.duration.unit),
        "duration_value": policy.duration.value,
        "target_scope": int(policy.target_scope),
        "budget_action": int(policy.budget_action),
        "last_updated_at": policy.last_updated_at,
        "last_updated_by": policy.last_updated_by,
        "target_value": policy.target_value,
        "endpoint_id": policy.target_value if policy.target_scope == BudgetTargetScope.ENDPOINT else None,
    }


def read(row: Sequence[Any]) -> GatewayBudgetPolicy:
    """Convert a row of COLUMNS."""
    policy_id, unit, amount, duration_unit, duration_value, scope, action, *rest = row
    return GatewayBudgetPolicy(
        policy_id,
        _UNITS.read(unit),
        amount,
        BudgetDuration(_DURATION_UNITS.read(duration_unit), duration_value),
        _SCOPES.read(scope),
        _ACTIONS.read(action),
        *rest,
    )


def _raise_violation(error: IntegrityError, policy: GatewayBudgetPolicy) -> None:
    if errors.violates_reference(error):
        raise errors.not_found("GatewayEndpoint", endpoint_id=str(policy.target_value)) from error
