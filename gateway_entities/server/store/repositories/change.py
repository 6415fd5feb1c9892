"""The change log: the effects of every mutation, and for a retention time the states before it."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, func, insert, select, update

from gateway_entities.entities import GatewayChange, GatewayChangeEffect
from gateway_entities.server.store.repositories.state import StoreState
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import changes

_own = changes.c

_MAX_REVISION: Final = 2**63 - 1
_ADD: Final = insert(changes)
_LIST: Final = (
    select(_own.revision, _own.changed_at, _own.actor, _own.rpc, _own.noun, _own.id, _own.etag_before, _own.etag_after)
    .where(_own.revision > bindparam("since"), _own.revision <= bindparam("until"))
    .order_by(_own.revision, _own.position)
)
_FIRST: Final = (
    select(_own.id, func.min(_own.revision).label("revision"))
    .where(_own.noun == bindparam("noun"), _own.revision > bindparam("since"))
    .group_by(_own.id)
    .subquery()
)
_BEFORE: Final = select(_own.id, _own.etag_before, _own.before).join_from(
    changes,
    _FIRST,
    and_(_own.noun == bindparam("noun"), _own.id == _FIRST.c.id, _own.revision == _FIRST.c.revision),
)
# The scan of the index ends at the limit, and databases know the length of a state without reading it.
_SINCE: Final = (
    select(_own.id, _own.revision, func.length(_own.before).label("size"))
    .where(_own.noun == bindparam("noun"), _own.revision > bindparam("since"))
    .order_by(_own.revision)
    .limit(bindparam("limit"))
    .subquery()
)
_NUMBERED: Final = select(
    _SINCE.c.size, func.row_number().over(partition_by=_SINCE.c.id, order_by=_SINCE.c.revision).label("number")
).subquery()
_COST: Final = select(
    func.count(), func.coalesce(func.sum(case((_NUMBERED.c.number == 1, _NUMBERED.c.size), else_=0)), 0)
).select_from(_NUMBERED)
_OLDEST: Final = (
    select(_own.revision)
    .where(_own.before.is_not(None), _own.changed_at <= bindparam("until_time"))
    .order_by(_own.changed_at)
    .limit(bindparam("limit"))
)
_PRUNE: Final = update(changes).where(_own.revision.in_(_OLDEST)).values(before=None)


class Effect(NamedTuple):
    """What a mutation did to one resource.

    Attributes:
        noun: the type of the resource.
        id: its id.
        etag_before: its etag before the mutation; None if it was created.
        etag_after: its etag after the mutation; None if it was deleted.
        before: its ``to_bytes`` before the mutation; None if it was created.
    """

    noun: str
    id: str
    etag_before: str | None
    etag_after: str | None
    before: bytes | None


class FormerState(NamedTuple):
    """A resource at an earlier revision.

    Attributes:
        existed: whether it existed.
        data: its ``to_bytes``; None if it did not exist, or its state has been pruned.
    """

    existed: bool
    data: bytes | None


class Changes:
    """The change log within one transaction."""

    __slots__ = ("_connection", "_state")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._state = StoreState(connection)

    def last(self) -> int:
        """Return the current revision; 0 in a new store."""
        return self._state.get().last_revision

    def add(self, rpc: str, actor: str | None, changed_at: int, effects: Sequence[Effect]) -> int:
        """Append a mutation; return its revision.

        Args:
            rpc: the name of its RPC.
            actor: its actor; None if unknown.
            changed_at: its time, in milliseconds since the Unix epoch, UTC.
            effects: its effects, that on the requested resource first.
        """
        # The write lock is held, so no other transaction can get the same number.
        revision = self.last() + 1
        common = {"revision": revision, "changed_at": changed_at, "actor": actor, "rpc": rpc}
        rows = [{**common, "position": position, **effect._asdict()} for position, effect in enumerate(effects)]
        execute.run_each(self._connection, _ADD, rows)
        self._state.set_revision(revision)
        return revision

    def list(self, since: int, limit: int) -> builtins.list[GatewayChange]:
        """Return the changes after a revision, oldest first, up to ``limit``."""
        # The column is int64, and since may be its maximum.
        until = min(since + limit, _MAX_REVISION)
        rows = execute.rows(self._connection, _LIST, {"since": since, "until": until})
        found: builtins.list[GatewayChange] = []
        for (revision, changed_at, actor, rpc), group in groupby(rows, key=lambda row: row[:4]):
            change, *effects = [GatewayChangeEffect(*row[4:]) for row in group]
            found.append(GatewayChange(revision, changed_at, rpc, change, effects, actor))
        return found

    def former_cost(self, noun: str, since: int, limit: int) -> tuple[int, int]:
        """Return the cost of ``former``: the number of effects since, counted up to a limit, and the bytes of the states."""
        ((effects, size),) = execute.rows(self._connection, _COST, {"noun": noun, "since": since, "limit": limit})
        return effects, int(size)

    def former(self, noun: str, since: int) -> dict[str, FormerState]:
        """Return the states at a revision of the resources that have changed since, keyed by id."""
        rows = execute.rows(self._connection, _BEFORE, {"noun": noun, "since": since})
        return {identifier: FormerState(etag_before is not None, before) for identifier, etag_before, before in rows}

    def prune(self, until: int, limit: int) -> None:
        """Discard the states before the oldest mutations made at or before a time, for up to ``limit`` mutations."""
        execute.run(self._connection, _PRUNE, {"until_time": until, "limit": limit})
