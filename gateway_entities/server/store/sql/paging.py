"""Keyset pagination: a page starts after a sort key, so that its cost is independent of its position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, tuple_

Query: TypeAlias = "Select[*tuple[Any, ...]]"
"""A SELECT of any columns."""


class Shape(NamedTuple):
    """The clauses of a list query; lists with equal shapes share a compiled statement.

    Attributes:
        filters: the names of its filters.
        after: whether it starts after a key.
        limit: whether it has a LIMIT.
    """

    filters: tuple[str, ...]
    after: bool
    limit: bool


def shape(
    filters: Mapping[str, str | int | None], after: Sequence[int | str] | None, limit: int | None
) -> tuple[Shape, dict[str, Any]]:
    """Return the shape and the parameters of a list query. Filters that are None are left out."""
    parameters: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    names = tuple(parameters)
    if after is not None:
        parameters.update((f"after_{position}", value) for position, value in enumerate(after))
    if limit is not None:
        parameters["limit"] = limit
    return Shape(names, after is not None, limit is not None), parameters


def page(
    statement: Query,
    order: Sequence[ColumnElement[Any]],
    conditions: Mapping[str, ColumnElement[bool]],
    restrictions: Shape,
) -> Query:
    """Return the query of a list.

    Args:
        statement: the query without WHERE, ORDER BY and LIMIT.
        order: the columns of the sort key: unique together, and an index in this order.
        conditions: the condition of each filter, with a parameter of the filter's name.
        restrictions: the shape.
    """
    statement = statement.where(*(conditions[name] for name in restrictions.filters)).order_by(*order)
    if restrictions.after:
        start: list[BindParameter[Any]] = [
            bindparam(f"after_{position}", type_=column.type) for position, column in enumerate(order)
        ]
        statement = statement.where(tuple_(*order) > tuple_(*start))
    return statement.limit(bindparam("limit")) if restrictions.limit else statement
