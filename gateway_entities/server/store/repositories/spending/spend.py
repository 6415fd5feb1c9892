"""Windows of budget policies: what is recorded and reserved in them."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Boolean, Column, Connection, and_, bindparam, delete, insert, or_, select, update

from gateway_entities.entities import BudgetTargetScope, GatewayBudgetPolicy
from gateway_entities.entities.amount import MAX_NANOS
from gateway_entities.server.store.repositories import budget
from gateway_entities.server.store.sql import execute, paging
from gateway_entities.server.store.sql.schema import budget_policies, budget_windows

_own = budget_windows.c
_policies = budget_policies.c

_COLUMNS: Final[tuple[Column[Any], ...]] = (
    _own.window_id,
    _own.window_start,
    _own.window_end,
    _own.spend_nanos,
    _own.reserved_nanos,
    _own.limit_nanos,
    _own.alerted_percent,
    _own.overrun_record,
    _own.overrun_commit,
    _own.overrun_reserve,
    _own.overrun_amount,
    _own.overrun_adjust,
)
"""In the order of Counter's attributes."""
_CAUSES: Final = tuple(column.name for column in _COLUMNS[-5:])
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
_STORED: Final = select(*_COLUMNS, *budget.ROWS.columns).join_from(budget_windows, budget_policies)
_OF_POLICY: Final = _STORED.where(
    _own.budget_policy_id == bindparam("policy_id"), _own.window_end > bindparam("ended_since")
).order_by(_own.window_end)
_ADD: Final = insert(budget_windows)
_SAVE: Final = update(budget_windows).where(_own.window_id == bindparam("id"))
_REMOVE: Final = delete(budget_windows).where(_own.budget_policy_id == bindparam("policy_id"))
_OLDEST: Final = (
    select(_own.window_id).where(_own.window_end <= bindparam("until")).order_by(_own.window_end).limit(bindparam("limit"))
)
_PRUNE: Final = delete(budget_windows).where(_own.window_id.in_(_OLDEST))

# Below 999, the default limit of parameters in SQLite before 3.32.
_MAX_IDS: Final = 512


@cache
def _of_windows(number: int) -> paging.Query:
    return _STORED.where(_own.window_id.in_([bindparam(f"id_{position}") for position in range(number)]))


_ORDER: Final = (_policies.created_at, _policies.budget_policy_id)
_CONDITIONS: Final = {
    "budget_policy_id": _policies.budget_policy_id == bindparam("budget_policy_id"),
    "ended_since": _own.window_end > bindparam("ended_since"),
}


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    return paging.page(_SPEND, _ORDER, _CONDITIONS, restrictions)


@cache
def _history(restrictions: paging.Shape) -> paging.Query:
    return paging.page(_STORED, (*_ORDER, _own.window_end), _CONDITIONS, restrictions)


class Counter(NamedTuple):
    """What is recorded and reserved in one window of a policy. Amounts are in nano-units: 10^-9 of the policy's unit.

    Attributes:
        window_id: its id, never reused; 0 for one that is not stored yet.
        start: start of the window, inclusive, in milliseconds since the Unix epoch, UTC.
        end: its end, exclusive, likewise.
        nanos: the recorded amount.
        reserved: what open reservations take. With the recorded amount it is at most MAX_NANOS.
        limit: the policy's amount; None for one that is never reached.
        alerted: the highest share of the limit, in percent, of which there is an alert; 0 for none.
        overruns: by how much both exceed the limit, by cause, in the order of BudgetOverrunCause.
    """

    window_id: int
    start: int
    end: int
    nanos: int
    reserved: int = 0
    limit: int | None = None
    alerted: int = 0
    overruns: tuple[int, ...] = (0,) * len(_CAUSES)

    @property
    def is_full(self) -> bool:
        """Whether it has reached MAX_NANOS and counts no more."""
        return self.nanos + self.reserved >= MAX_NANOS

    @property
    def overrun(self) -> int:
        """By how much the recorded and the reserved amount exceed the limit, 0 or more."""
        return 0 if self.limit is None else max(self.nanos + self.reserved - self.limit, 0)


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

    def list(
        self,
        moment: int,
        *,
        budget_policy_id: str | None = None,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> builtins.list[Spend]:
        """Return policies with their counters at a moment, ordered by creation and id. One query.

        Args:
            moment: the time whose windows are read.
            budget_policy_id: only this policy; None for all.
            after: the created_at and budget_policy_id that the page starts after; None starts at the first.
            limit: the maximum number of policies; None for all.
        """
        restrictions, parameters = paging.shape({"budget_policy_id": budget_policy_id}, after, limit)
        return self._read(_list(restrictions), {**parameters, "moment": moment})

    def history(
        self,
        ended_since: int,
        *,
        budget_policy_id: str | None = None,
        after: tuple[int, str, int] | None = None,
        limit: int | None = None,
    ) -> builtins.list[Spend]:
        """Return the counters of all windows that end after a time, ordered by creation and id of the policy, then by end.

        Args:
            ended_since: the time.
            budget_policy_id: only this policy; None for all.
            after: the created_at, the budget_policy_id and the end that the page starts after; None starts at the first.
            limit: the maximum number of windows; None for all.
        """
        filters: dict[str, str | int | None] = {"budget_policy_id": budget_policy_id, "ended_since": ended_since}
        restrictions, parameters = paging.shape(filters, after, limit)
        return self._read(_history(restrictions), parameters)

    def of_policy(self, budget_policy_id: str, ended_since: int) -> builtins.list[Spend]:
        """Return the counters of a policy whose windows end after a time, in their order."""
        return self._read(_OF_POLICY, {"policy_id": budget_policy_id, "ended_since": ended_since})

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
        found: builtins.list[Spend] = []
        for start in range(0, len(window_ids), _MAX_IDS):
            ids = window_ids[start : start + _MAX_IDS]
            # A power of two, so that there are few statements.
            number = 1 << (len(ids) - 1).bit_length()
            padded = [*ids, *[ids[0]] * (number - len(ids))]
            found += self._read(_of_windows(number), {f"id_{position}": each for position, each in enumerate(padded)})
        return _sorted(found)

    def open(self, budget_policy_id: str, counter: Counter) -> int:
        """Add a counter; return its window_id."""
        row = {
            "budget_policy_id": budget_policy_id,
            "window_start": counter.start,
            "window_end": counter.end,
            **_values(counter),
        }
        # SQLAlchemy types the key as optional, since an insert of several rows has none.
        key = cast("tuple[int]", self._connection.execute(_ADD, row).inserted_primary_key)
        return key[0]

    def save(self, counters: Sequence[Counter]) -> None:
        """Store the amounts of counters, which their transaction has read."""
        if counters:
            execute.run_each(self._connection, _SAVE, [{"id": each.window_id, **_values(each)} for each in counters])

    def remove(self, budget_policy_id: str) -> None:
        """Delete all counters of a policy, so that its spending restarts at 0."""
        execute.run(self._connection, _REMOVE, {"policy_id": budget_policy_id})

    def prune(self, until: int, limit: int) -> int:
        """Delete the counters of the oldest windows that ended at or before a time, up to ``limit``; return their number."""
        return execute.run(self._connection, _PRUNE, {"until": until, "limit": limit})

    def _read(self, statement: paging.Query, parameters: Mapping[str, Any]) -> builtins.list[Spend]:
        return [_spend(row) for row in execute.rows(self._connection, statement, parameters)]


def _spend(row: Sequence[Any]) -> Spend:
    width = len(_COLUMNS)
    own, policy = row[:width], row[width:]
    first = width - len(_CAUSES)
    if own[0] is None:
        return Spend(budget.ROWS.read(policy), None)
    window_id, start, end, nanos, reserved, limit, alerted = own[:first]
    counter = Counter(window_id, start, end, nanos, reserved, limit, alerted, tuple(own[first:]))
    return Spend(budget.ROWS.read(policy), counter)


def _values(counter: Counter) -> dict[str, int | None]:
    return {
        "spend_nanos": counter.nanos,
        "reserved_nanos": counter.reserved,
        "limit_nanos": counter.limit,
        "alerted_percent": counter.alerted,
        **dict(zip(_CAUSES, counter.overruns, strict=True)),
    }


def _sorted(found: Iterable[Spend]) -> builtins.list[Spend]:
    return sorted(found, key=lambda spend: (spend.policy.created_at, spend.policy.budget_policy_id))
