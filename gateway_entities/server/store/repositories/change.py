"""The change log in the store: what every change did, and for a while what was there before it."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

from gateway_entities.entities import GatewayChange, GatewayChangeEffect
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import changes

_own = changes.c

_HIGHEST: Final = 2**63 - 1
_LAST: Final = select(func.coalesce(func.max(_own.revision), 0))
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
_OLDEST: Final = (
    select(_own.revision)
    .where(_own.before.is_not(None), _own.changed_at <= bindparam("until_time"))
    .order_by(_own.changed_at)
    .limit(bindparam("most"))
)
_FORGET: Final = update(changes).where(_own.revision.in_(_OLDEST)).values(before=None)


class Effect(NamedTuple):
    """What a change did to one thing.

    Attributes:
        noun: kind of the thing.
        id: identifier of the thing.
        etag_before: its etag before the change; None when there was no such thing.
        etag_after: its etag after the change; None when it was removed.
        before: the thing before the change as ``to_bytes`` gives it; None when there was none.
    """

    noun: str
    id: str
    etag_before: str | None
    etag_after: str | None
    before: bytes | None


class Former(NamedTuple):
    """What there was of a thing at an earlier revision.

    Attributes:
        existed: whether there was one.
        data: it, as ``to_bytes`` gave it; None when there was none, or it is no longer remembered.
    """

    existed: bool
    data: bytes | None


class Changes:
    """The change log, as one transaction sees it."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last(self) -> int:
        """Return the revision of the last change; 0 before the first."""
        ((revision,),) = execute.rows(self._connection, _LAST)
        return int(revision)

    def add(self, rpc: str, actor: str | None, changed_at: int, effects: Sequence[Effect]) -> int:
        """Add a change and return its revision, the next one.

        Args:
            rpc: name of the RPC that makes it.
            actor: who makes it; None when nobody is known.
            changed_at: the time, in milliseconds since the Unix epoch, UTC.
            effects: what it does; first to the thing that the call is about.
        """
        # There is one writer at a time, so this is the next number, and is given to nobody else.
        revision = self.last() + 1
        same = {"revision": revision, "changed_at": changed_at, "actor": actor, "rpc": rpc}
        rows = [{**same, "position": position, **effect._asdict()} for position, effect in enumerate(effects)]
        execute.run_each(self._connection, _ADD, rows)
        return revision

    def list(self, since: int, limit: int) -> builtins.list[GatewayChange]:
        """Return the changes after a revision in their order, ``limit`` at most."""
        # The highest number there is may be asked for too.
        until = min(since + limit, _HIGHEST)
        rows = execute.rows(self._connection, _LIST, {"since": since, "until": until})
        found: builtins.list[GatewayChange] = []
        for (revision, changed_at, actor, rpc), group in groupby(rows, key=lambda row: row[:4]):
            change, *effects = [GatewayChangeEffect(*row[4:]) for row in group]
            found.append(GatewayChange(revision, changed_at, rpc, change, effects, actor))
        return found

    def former(self, noun: str, since: int) -> dict[str, Former]:
        """Return what there was at a revision of each thing of this noun that has changed since, by its identifier."""
        rows = execute.rows(self._connection, _BEFORE, {"noun": noun, "since": since})
        return {identifier: Former(etag_before is not None, before) for identifier, etag_before, before in rows}

    def forget(self, until: int, most: int) -> None:
        """Forget what there was before the oldest changes that were made at this time or earlier, ``most`` at most."""
        execute.run(self._connection, _FORGET, {"until_time": until, "most": most})
