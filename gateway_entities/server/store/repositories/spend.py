"""What was spent, in the store: for each budget policy, the windows in which something was."""

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

MOST_NANOS: Final = 2**63 - 1
"""The most that a window holds."""

_own = budget_windows.c
_policies = budget_policies.c

_COLUMNS: Final[tuple[Column[Any], ...]] = (_own.window_id, _own.window_start, _own.window_end, _own.spend_nanos)
_AT_MOMENT: Final = and_(
    _own.budget_policy_id == _policies.budget_policy_id,
    _own.window_start <= bindparam("moment"),
    _own.window_end > bindparam("moment"),
)
_SPEND: Final = select(*_COLUMNS, *budget.COLUMNS).select_from(budget_policies.outerjoin(budget_windows, _AT_MOMENT))
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
    select(*_COLUMNS, *budget.COLUMNS)
    .join_from(budget_windows, budget_policies)
    .where(_own.window_id.in_(bindparam("ids", expanding=True)))
)
_ADD: Final = insert(budget_windows)
_INCREASED: Final = case((_own.spend_nanos > bindparam("room"), MOST_NANOS), else_=_own.spend_nanos + bindparam("amount"))
_INCREASE: Final = update(budget_windows).where(_own.window_id == bindparam("id")).values(spend_nanos=_INCREASED)
_REMOVE: Final = delete(budget_windows).where(_own.budget_policy_id == bindparam("policy_id"))
_OLDEST: Final = (
    select(_own.window_id).where(_own.window_end <= bindparam("until")).order_by(_own.window_end).limit(bindparam("most"))
)
_PRUNE: Final = delete(budget_windows).where(_own.window_id.in_(_OLDEST))

# Fewer than the parameters that every SQLite takes.
_IDS_AT_ONCE: Final = 500


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    return paging.page(_SPEND, (_policies.created_at, _policies.budget_policy_id), {}, restrictions)


class Counter(NamedTuple):
    """A window of a policy in which something was spent.

    Attributes:
        window_id: its number, which no other window ever gets.
        start: its first moment, in milliseconds since the Unix epoch, UTC.
        end: the first moment after it, likewise.
        nanos: what was spent in it, in nano-units: 10^-9 of the policy's unit.
    """

    window_id: int
    start: int
    end: int
    nanos: int

    @property
    def is_full(self) -> bool:
        """Whether it counts nothing more."""
        return self.nanos == MOST_NANOS


class Spend(NamedTuple):
    """A policy with one of its windows.

    Attributes:
        policy: the policy.
        counter: the window; None while nothing was spent in it.
    """

    policy: GatewayBudgetPolicy
    counter: Counter | None


class BudgetSpend:
    """What was spent, in one transaction. Moments and times are milliseconds since the Unix epoch, UTC."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, moment: int, *, after: tuple[int, str] | None = None, limit: int | None = None) -> builtins.list[Spend]:
        """Return policies with the window that each is in at a moment, in order of creation, then of id; one query.

        Args:
            moment: the moment.
            after: the created_at and budget_policy_id of the last policy seen; None starts at the first.
            limit: the most to return; None for all.
        """
        restrictions, parameters = paging.shape({}, after, limit)
        return self._read(_list(restrictions), {**parameters, "moment": moment})

    def matching(self, moment: int, *, endpoint_id: str, user: str | None, own_workspace: bool) -> builtins.list[Spend]:
        """Return the policies that count what a request costs, with the window that each is in at a moment; one query.

        Args:
            moment: the moment.
            endpoint_id: the endpoint that the request is to.
            user: who makes it; None for nobody.
            own_workspace: whether it comes from the workspace that the policies belong to.

        Returns:
            The policies in order of creation, then of id.
        """
        given = {"moment": moment, "endpoint_id": endpoint_id, "user": user, "own_workspace": own_workspace}
        # Sorted here: the policies of each scope come by another way through the index.
        return _sorted(self._read(_MATCHING, given))

    def of_windows(self, window_ids: Sequence[int]) -> builtins.list[Spend]:
        """Return those of these windows that are still there, with their policies, in the order of the policies."""
        chunks = (window_ids[start : start + _IDS_AT_ONCE] for start in range(0, len(window_ids), _IDS_AT_ONCE))
        return _sorted(
            _spend(row) for chunk in chunks for row in self._connection.execute(_OF_WINDOWS, {"ids": chunk}).all()
        )

    def open(self, budget_policy_id: str, start: int, end: int, nanos: int) -> int:
        """Store the first amount that is spent in a window of a policy; return the window's number."""
        row = {"budget_policy_id": budget_policy_id, "window_start": start, "window_end": end, "spend_nanos": nanos}
        # The type of the result does not say that an insert of one row has a key.
        key = cast("tuple[int]", self._connection.execute(_ADD, row).inserted_primary_key)
        return key[0]

    def increase(self, window_ids: Collection[int], nanos: int) -> None:
        """Add an amount to each of these windows, up to MOST_NANOS."""
        if window_ids:
            amount = {"amount": nanos, "room": MOST_NANOS - nanos}
            execute.run_each(self._connection, _INCREASE, [{"id": window_id, **amount} for window_id in window_ids])

    def remove(self, budget_policy_id: str) -> None:
        """Remove every window of a policy: it counts anew."""
        execute.run(self._connection, _REMOVE, {"policy_id": budget_policy_id})

    def prune(self, until: int, most: int) -> None:
        """Remove the oldest of the windows that ended at this moment or before, ``most`` at most."""
        execute.run(self._connection, _PRUNE, {"until": until, "most": most})

    def _read(self, statement: paging.Query, parameters: Mapping[str, Any]) -> builtins.list[Spend]:
        return [_spend(row) for row in execute.rows(self._connection, statement, parameters)]


def _spend(row: Sequence[Any]) -> Spend:
    window_id, start, end, nanos, *policy = row
    return Spend(budget.read(policy), None if window_id is None else Counter(window_id, start, end, nanos))


def _sorted(found: Iterable[Spend]) -> builtins.list[Spend]:
    return sorted(found, key=lambda spend: (spend.policy.created_at, spend.policy.budget_policy_id))
