"""Spending counters: one for each budget policy and window with spending."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Boolean, Column, Connection, and_, bindparam, case, delete, insert, or_, select, update

from gateway_entities.entities import BudgetTargetScope, GatewayBudgetPolicy
from gateway_entities.server.store.repositories import budget
from gateway_entities.server.store.sql import execute, paging
from gateway_entities.server.store.sql.schema import budget_policies, budget_windows

MAX_NANOS: Final = 2**63 - 1
"""Maximum of a counter, that of the column."""

_own = budget_windows.c
_policies = budget_policies.c

_COLUMNS: Final[tuple[Column[Any], ...]] = (_own.window_id, _own.window_start, _own.window_end, _own.spend_nanos)
_AT_MOMENT: Final = and_(
    _own.budget_policy_id == _policies.budget_policy_id,
    _own.window_start <= bindparam("moment"),
    _own.window_end > bindparam("moment"),
)
_SPEND: Final = select(*_COLUMNS, *budget.ROWS.columns).select_from(budget_policies.outerjoin(budget_windows, _AT_MOMENT))
_MATCHING: Final = _SPEND.where(
    or_(
        _policies.target_scope == int(BudgetTargetScope.GLOBAL),
        and_(
            _policies.target_scope == int(BudgetTargetScope.WORKSPACE), bindparam("own_workspace", type_=Boolean).is_(True)
        ),
        and_(_policies.target_scope == int(BudgetTargetScope.ENDPOINT), _policies.target_value == bindparam("endpoint_id")),
        and_(_policies.target_scope == int(BudgetTargetScope.USER), _policies.target_value == bindparam("user")),
    )
)
_OF_WINDOWS: Final = (
    select(*_COLUMNS, *budget.ROWS.columns)
    .join_from(budget_windows, budget_policies)
    .where(_own.window_id.in_(bindparam("ids", expanding=True)))
)
_ADD: Final = insert(budget_windows)
_INCREASED: Final = case((_own.spend_nanos > bindparam("room"), MAX_NANOS), else_=_own.spend_nanos + bindparam("amount"))
_INCREASE: Final = update(budget_windows).where(_own.window_id == bindparam("id")).values(spend_nanos=_INCREASED)
_REMOVE: Final = delete(budget_windows).where(_own.budget_policy_id == bindparam("policy_id"))
_OLDEST: Final = (
    select(_own.window_id).where(_own.window_end <= bindparam("until")).order_by(_own.window_end).limit(bindparam("limit"))
)
_PRUNE: Final = delete(budget_windows).where(_own.window_id.in_(_OLDEST))

# Below 999, the default limit of parameters in SQLite before 3.32.
_IDS_PER_QUERY: Final = 500


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    return paging.page(_SPEND, (_policies.created_at, _policies.budget_policy_id), {}, restrictions)


class Counter(NamedTuple):
    """The spending of a policy in one window.

    Attributes:
        window_id: its id, never reused.
        start: start of the window, inclusive, in milliseconds since the Unix epoch, UTC.
        end: its end, exclusive, likewise.
        nanos: the amount, in nano-units: 10^-9 of the policy's unit.
    """

    window_id: int
    start: int
    end: int
    nanos: int

    @property
    def is_full(self) -> bool:
        """Whether it has reached MAX_NANOS and counts no more."""
        return self.nanos == MAX_NANOS


class Spend(NamedTuple):
    """A policy with a counter.

    Attributes:
        policy: the policy.
        counter: the counter of its window; None without spending.
    """

    policy: GatewayBudgetPolicy
    counter: Counter | None


class BudgetSpend:
    """The spending counters within one transaction. Times are in milliseconds since the Unix epoch, UTC."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, moment: int, *, after: tuple[int, str] | None = None, limit: int | None = None) -> builtins.list[Spend]:
        """Return policies with their counters at a moment, ordered by creation and id. One query.

        Args:
            moment: the time whose windows are read.
            after: the created_at and budget_policy_id that the page starts after; None starts at the first.
            limit: the maximum number of policies; None for all.
        """
        restrictions, parameters = paging.shape({}, after, limit)
        return self._read(_list(restrictions), {**parameters, "moment": moment})

    def matching(self, moment: int, *, endpoint_id: str, user: str | None, own_workspace: bool) -> builtins.list[Spend]:
        """Return the policies that apply to a request with their counters, ordered by creation and id. One query.

        Args:
            moment: the time whose windows are read.
            endpoint_id: the endpoint of the request.
            user: its user; None without one.
            own_workspace: whether it comes from the workspace of the policies.
        """
        parameters = {"moment": moment, "endpoint_id": endpoint_id, "user": user, "own_workspace": own_workspace}
        # Sorted here, because each scope is an index look-up of its own and the rows come unordered.
        return _sorted(self._read(_MATCHING, parameters))

    def of_windows(self, window_ids: Sequence[int]) -> builtins.list[Spend]:
        """Return the counters of these windows that still exist, ordered by policy."""
        chunks = (window_ids[start : start + _IDS_PER_QUERY] for start in range(0, len(window_ids), _IDS_PER_QUERY))
        return _sorted(
            _spend(row) for chunk in chunks for row in self._connection.execute(_OF_WINDOWS, {"ids": chunk}).all()
        )

    def open(self, budget_policy_id: str, start: int, end: int, nanos: int) -> int:
        """Add a counter with its first amount; return its window_id."""
        row = {"budget_policy_id": budget_policy_id, "window_start": start, "window_end": end, "spend_nanos": nanos}
        # SQLAlchemy types the key as optional, since an insert of several rows has none.
        key = cast("tuple[int]", self._connection.execute(_ADD, row).inserted_primary_key)
        return key[0]

    def increase(self, window_ids: Collection[int], nanos: int) -> None:
        """Add an amount to each of these counters, up to MAX_NANOS."""
        if window_ids:
            amount = {"amount": nanos, "room": MAX_NANOS - nanos}
            execute.run_each(self._connection, _INCREASE, [{"id": window_id, **amount} for window_id in window_ids])

    def remove(self, budget_policy_id: str) -> None:
        """Delete all counters of a policy, so that its spending restarts at 0."""
        execute.run(self._connection, _REMOVE, {"policy_id": budget_policy_id})

    def prune(self, until: int, limit: int) -> int:
        """Delete the counters of the oldest windows that ended at or before a time, up to ``limit``; return their number."""
        return execute.run(self._connection, _PRUNE, {"until": until, "limit": limit})

    def _read(self, statement: paging.Query, parameters: Mapping[str, Any]) -> builtins.list[Spend]:
        return [_spend(row) for row in execute.rows(self._connection, statement, parameters)]


def _spend(row: Sequence[Any]) -> Spend:
    window_id, start, end, nanos, *policy = row
    return Spend(budget.ROWS.read(policy), None if window_id is None else Counter(window_id, start, end, nanos))


def _sorted(found: Iterable[Spend]) -> builtins.list[Spend]:
    return sorted(found, key=lambda spend: (spend.policy.created_at, spend.policy.budget_policy_id))
