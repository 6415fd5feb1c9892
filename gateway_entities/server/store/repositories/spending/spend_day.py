"""Recorded spending by day, endpoint, user and unit."""

from __future__ import annotations

import builtins
from collections.abc import Collection
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)

from gateway_entities.entities.amount import MAX_NANOS
from gateway_entities.server.store.sql import execute, paging
from gateway_entities.server.store.sql.schema import spend_days

DAY_MS: Final = 24 * 60 * 60 * 1000

_own = spend_days.c
_KEY: Final = (_own.day_start, _own.endpoint_id, _own.user_name, _own.budget_unit)
_ADD: Final = insert(spend_days)
# A saturated amount stays so.
_SPENT: Final = case(
    (_own.spend_nanos > bindparam("room"), MAX_NANOS),
    (_own.spend_nanos < bindparam("debt"), 0),
    else_=_own.spend_nanos + bindparam("nanos"),
)
_INCREASE: Final = (
    update(spend_days)
    .where(
        _own.day_start == bindparam("day"),
        _own.endpoint_id == bindparam("endpoint"),
        _own.user_name == bindparam("user"),
        _own.budget_unit == bindparam("unit"),
    )
    .values(spend_nanos=_SPENT, charges=_own.charges + bindparam("number"))
)
_OLDEST: Final = select(*_KEY).where(_own.day_start <= bindparam("until")).order_by(*_KEY).limit(bindparam("limit"))
_PRUNE: Final = delete(spend_days).where(tuple_(*_KEY).in_(_OLDEST))
_GROUPINGS: Final = ("day", "endpoint", "user")
# Whole units and the rest, because a sum of nano-units may be too large for SQLite.
_UNIT: Final = 10**9
_CONDITIONS: Final = {
    "since": _own.day_start >= bindparam("since"),
    "until": _own.day_start < bindparam("until"),
    "endpoint_id": _own.endpoint_id == bindparam("endpoint_id"),
    "user": _own.user_name == bindparam("user"),
}


@cache
def _list(restrictions: paging.Shape, by: frozenset[str]) -> paging.Query:
    columns = (_own.day_start, _own.endpoint_id, _own.user_name)
    others: tuple[ColumnElement[Any], ...] = (literal_column("0"), literal_column("''"), literal_column("''"))
    given = [name in by for name in _GROUPINGS]
    keys = [column for column, is_key in zip(columns, given, strict=True) if is_key] + [_own.budget_unit]
    shown = [column if is_key else other for column, other, is_key in zip(columns, others, given, strict=True)]
    sums = (func.sum(_own.spend_nanos // _UNIT), func.sum(_own.spend_nanos % _UNIT), func.sum(_own.charges))
    return paging.page(select(*shown, _own.budget_unit, *sums).group_by(*keys), keys, _CONDITIONS, restrictions)


class SpendKey(NamedTuple):
    """The key of a sum.

    Attributes:
        day: first moment of the day, in milliseconds since the Unix epoch, UTC; 0 for sums of all days.
        endpoint: id of the endpoint; empty for sums of all.
        user: name of the user; empty for spending without one, and for sums of all.
        unit: number of the unit.
    """

    day: int
    endpoint: str
    user: str
    unit: int


class SpendSum(NamedTuple):
    """A sum of recorded spending.

    Attributes:
        key: of what.
        nanos: the amount, at most MAX_NANOS.
        charges: the number of charges.
    """

    key: SpendKey
    nanos: int
    charges: int


class SpendDays:
    """The recorded spending within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: SpendKey, nanos: int, charges: int) -> None:
        """Add an amount and a number of charges, which may be negative. The amount stays between 0 and MAX_NANOS."""
        row = {**key._asdict(), "nanos": nanos, "room": MAX_NANOS - max(nanos, 0), "debt": -nanos, "number": charges}
        # Writers are alone, so no other one adds the row in between.
        if execute.run(self._connection, _INCREASE, row) == 0:
            values = {"spend_nanos": max(nanos, 0), "charges": max(charges, 0)}
            key_columns = {column.name: value for column, value in zip(_KEY, key, strict=True)}
            execute.run(self._connection, _ADD, {**key_columns, **values})

    def list(
        self,
        by: Collection[str],
        *,
        since: int | None = None,
        until: int | None = None,
        endpoint_id: str | None = None,
        user: str | None = None,
        after: SpendKey | None = None,
        limit: int,
    ) -> builtins.list[SpendSum]:
        """Return sums, ordered by day, endpoint, user and unit.

        Args:
            by: the parts of the key: ``day``, ``endpoint``, ``user``.
            since: only days that start at or after this time; None for all, like the following.
            until: only days that start before this time.
            endpoint_id: only this endpoint.
            user: only this user.
            after: the key that the page starts after; None starts at the first.
            limit: the maximum number.
        """
        filters: dict[str, str | int | None] = {"since": since, "until": until, "endpoint_id": endpoint_id, "user": user}
        given = [*(name in by for name in _GROUPINGS), True]
        parts: tuple[int | str, ...] | None = after
        start = None if parts is None else [part for part, is_key in zip(parts, given, strict=True) if is_key]
        restrictions, parameters = paging.shape(filters, start, limit)
        found = execute.rows(self._connection, _list(restrictions, frozenset(by)), parameters)
        return [_sum(row) for row in found]

    def prune(self, until: int, limit: int) -> int:
        """Delete the oldest rows of days that start at or before a time, up to ``limit``; return their number."""
        return execute.run(self._connection, _PRUNE, {"until": until, "limit": limit})


def _sum(row: execute.Row) -> SpendSum:
    day, endpoint, user, unit, units, rest, charges = row
    return SpendSum(SpendKey(day, endpoint, user, unit), min(int(units) * _UNIT + int(rest), MAX_NANOS), int(charges))
