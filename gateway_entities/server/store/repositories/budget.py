"""Budget policies."""

from __future__ import annotations

import builtins
from functools import cache
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    GatewayBudgetPolicy,
)
from gateway_entities.server.store.repositories import change
from gateway_entities.server.store.sql import errors, execute, paging
from gateway_entities.server.store.sql.entity_rows import Conversion, EntityRows, enum_column
from gateway_entities.server.store.sql.schema import budget_policies

_own = budget_policies.c
_DURATION_UNIT: Final = enum_column("duration_unit", BudgetDurationUnit)


def _read_duration(unit: int, value: int) -> BudgetDuration:
    return BudgetDuration(_DURATION_UNIT.read(unit), value)


def _write_duration(duration: BudgetDuration) -> tuple[int, int]:
    (unit,) = _DURATION_UNIT.write(duration.unit)
    return unit, duration.value


ROWS: Final = EntityRows(
    GatewayBudgetPolicy,
    budget_policies,
    {
        "budget_unit": enum_column("budget_unit", BudgetUnit),
        "duration": Conversion(("duration_unit", "duration_value"), _read_duration, _write_duration),
        "target_scope": enum_column("target_scope", BudgetTargetScope),
        "budget_action": enum_column("budget_action", BudgetAction),
    },
    fixed=("budget_policy_id", "created_at", "created_by"),
)
"""The conversion of rows."""

_POLICY: Final = select(*ROWS.columns)
_GET: Final = _POLICY.where(_own.budget_policy_id == bindparam("budget_policy_id"))
_ADD: Final = insert(budget_policies)
_UPDATE: Final = update(budget_policies).where(_own.budget_policy_id == bindparam("id"))
_REMOVE: Final = delete(budget_policies).where(_own.budget_policy_id == bindparam("budget_policy_id"))


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    conditions = {
        "endpoint_id": _own.endpoint_id == bindparam("endpoint_id"),
        "changed_since": change.is_restored("budget_policy", _own.budget_policy_id),
        "written_since": change.is_written("budget_policy", _own.budget_policy_id),
    }
    return paging.page(_POLICY, (_own.created_at, _own.budget_policy_id), conditions, restrictions)


class BudgetPolicies:
    """The budget policies within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, budget_policy_id: str) -> GatewayBudgetPolicy | None:
        """Return the policy with this id, or None."""
        row = execute.row(self._connection, _GET, {"budget_policy_id": budget_policy_id})
        return None if row is None else ROWS.read(row)

    def add(self, policy: GatewayBudgetPolicy) -> None:
        """Add a policy. One of ENDPOINT scope is deleted with its endpoint.

        Raises:
            GatewayError: NOT_FOUND; the target of ENDPOINT scope does not exist.
        """
        try:
            execute.run(self._connection, _ADD, {**ROWS.write(policy), **_endpoint(policy)})
        except IntegrityError as error:
            _raise_violation(error, policy)
            raise

    def update(self, policy: GatewayBudgetPolicy) -> None:
        """Update a policy, except for its id, created_at and created_by.

        Raises:
            GatewayError: NOT_FOUND; the policy, or the target of ENDPOINT scope, does not exist.
        """
        row = {"id": policy.budget_policy_id, **ROWS.changes(policy), **_endpoint(policy)}
        try:
            changed = execute.run(self._connection, _UPDATE, row)
        except IntegrityError as error:
            _raise_violation(error, policy)
            raise
        if changed == 0:
            raise errors.not_found("BudgetPolicy", budget_policy_id=policy.budget_policy_id)

    def remove(self, budget_policy_id: str) -> bool:
        """Delete a policy; return whether it existed."""
        return execute.run(self._connection, _REMOVE, {"budget_policy_id": budget_policy_id}) > 0

    def list(
        self,
        *,
        endpoint_id: str | None = None,
        changed_since: int | None = None,
        written_since: int | None = None,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> builtins.list[GatewayBudgetPolicy]:
        """Return policies, ordered by creation and id.

        Args:
            endpoint_id: filter for policies of ENDPOINT scope with this target; None for all.
            changed_since: only those whose current state ``Changes.former`` may need for this revision; None for all.
            written_since: only those that were written after this revision, as ``Changes.written``; None for all.
            after: the created_at and budget_policy_id that the page starts after; None starts at the first.
            limit: the maximum number; None for all.
        """
        restrictions, parameters = paging.shape(
            {"endpoint_id": endpoint_id, "changed_since": changed_since, "written_since": written_since}, after, limit
        )
        return [ROWS.read(row) for row in execute.rows(self._connection, _list(restrictions), parameters)]


def _endpoint(policy: GatewayBudgetPolicy) -> dict[str, str | None]:
    return {"endpoint_id": policy.target_value if policy.target_scope == BudgetTargetScope.ENDPOINT else None}


def _raise_violation(error: IntegrityError, policy: GatewayBudgetPolicy) -> None:
    if errors.violates_reference(error):
        raise errors.not_found("GatewayEndpoint", endpoint_id=str(policy.target_value)) from error
