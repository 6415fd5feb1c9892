"""Lists in a fixed order, filtered and paged by the database.

A page starts after the key of the last entry seen, so that it costs the same wherever it is, and entries that come or go
meanwhile shift nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, tuple_

Query: TypeAlias = "Select[*tuple[Any, ...]]"
"""A statement that reads rows of any columns."""


class Shape(NamedTuple):
    """What a list is restricted by; lists of one shape share a statement.

    Attributes:
        filters: the names of the filters that are given.
        after: whether it starts after some entry.
        limit: whether it is limited in length.
    """

    filters: tuple[str, ...]
    after: bool
    limit: bool


def shape(
    filters: Mapping[str, str | None], after: Sequence[int | str] | None, limit: int | None
) -> tuple[Shape, dict[str, Any]]:
    """Split the arguments of a list into its shape and the parameters of its statement. A filter of None is not given."""
    parameters: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    names = tuple(parameters)
    if after is not None:
        parameters.update((f"after_{place}", value) for place, value in enumerate(after))
    if limit is not None:
        parameters["limit"] = limit
    return Shape(names, after is not None, limit is not None), parameters


def page(
    statement: Query,
    order: Sequence[ColumnElement[Any]],
    conditions: Mapping[str, ColumnElement[bool]],
    restrictions: Shape,
) -> Query:
    """Return the statement of a list.

    Args:
        statement: what to select.
        order: the columns to order by; together they are unique, and an index has them in this order.
        conditions: what each filter compares, its value a parameter of the filter's name.
        restrictions: the list's shape.
    """
    statement = statement.where(*(conditions[name] for name in restrictions.filters)).order_by(*order)
    if restrictions.after:
        start: list[BindParameter[Any]] = [
            bindparam(f"after_{place}", type_=column.type) for place, column in enumerate(order)
        ]
        statement = statement.where(tuple_(*order) > tuple_(*start))
    return statement.limit(bindparam("limit")) if restrictions.limit else statement
