"""The change log: the effects of every mutation, and for a retention time the states before it."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, select, update

from gateway_entities.entities import GatewayChange, GatewayChangeEffect
from gateway_entities.server.store.repositories import difference
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import changes

_own = changes.c

_MAX_REVISION: Final = 2**63 - 1
_MIN_DIFFERENCE_BYTES: Final = 1024
"""Size from which a state is stored as a difference; restoring a smaller one would cost more than it saves."""

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
_IS_FIRST: Final = and_(_own.noun == bindparam("noun"), _own.id == _FIRST.c.id, _own.revision == _FIRST.c.revision)
_STATE: Final = (_own.id, _own.etag_before, _own.before, _own.is_difference)
_BEFORE: Final = select(*_STATE).join_from(changes, _FIRST, _IS_FIRST)
_LATER: Final = (
    select(*_STATE)
    .where(
        _own.noun == bindparam("noun"),
        _own.revision > bindparam("since"),
        _own.id.in_(select(_own.id).join_from(changes, _FIRST, _IS_FIRST).where(_own.is_difference)),
    )
    .order_by(_own.revision.desc())
)
_RESULT: Final = select(_own.noun, _own.id, _own.etag_after).where(
    _own.revision == bindparam("revision"), _own.position == 0
)
_LATER_OF_ONE: Final = (
    select(*_STATE)
    .where(_own.noun == bindparam("noun"), _own.id == bindparam("id"), _own.revision > bindparam("since"))
    .order_by(_own.revision.desc())
)
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
        after: its ``to_bytes`` after the mutation, which is not stored; None if it was deleted.
    """

    noun: str
    id: str
    etag_before: str | None
    etag_after: str | None
    before: bytes | None
    after: bytes | None = None


class FormerState(NamedTuple):
    """A resource at an earlier revision.

    Attributes:
        existed: whether it existed.
        data: its ``to_bytes``; None if it did not exist, or its state has been pruned or cannot be restored.
    """

    existed: bool
    data: bytes | None


class Changes:
    """The change log within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last(self) -> int:
        """Return the current revision; 0 in a new store."""
        ((revision,),) = execute.rows(self._connection, _LAST)
        return int(revision)

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
        rows = [{**common, "position": position, **_row(effect)} for position, effect in enumerate(effects)]
        execute.run_each(self._connection, _ADD, rows)
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

    def former(self, noun: str, since: int, current: Callable[[], Iterable[tuple[str, bytes]]]) -> dict[str, FormerState]:
        """Return the states at a revision of the resources that have changed since, keyed by id.

        Args:
            noun: the type of the resources.
            since: the revision.
            current: returns ids and ``to_bytes`` of the resources of ``is_restored``, at the current revision.
        """
        parameters = {"noun": noun, "since": since}
        first = execute.rows(self._connection, _BEFORE, parameters)
        found = {identifier: FormerState(etag is not None, before) for identifier, etag, before, _ in first}
        etags = {identifier: etag for identifier, etag, _, is_difference in first if is_difference}
        if etags:
            later = execute.rows(self._connection, _LATER, parameters)
            restored = _restored(later, {identifier: data for identifier, data in current() if identifier in etags})
            for identifier, etag in etags.items():
                found[identifier] = FormerState(True, _verified(restored.get(identifier), etag))
        return found

    def result(self, revision: int, current: Callable[[str, str], bytes | None]) -> bytes | None:
        """Return the ``to_bytes`` of the resource that a mutation was about, after it; None if it cannot be restored.

        Args:
            revision: the revision of the mutation.
            current: returns the ``to_bytes`` of a resource, by noun and id, at the current revision; None without it.
        """
        row = execute.row(self._connection, _RESULT, {"revision": revision})
        if row is None or row[2] is None:
            return None
        noun, identifier, etag = row
        now = current(noun, identifier)
        later = execute.rows(self._connection, _LATER_OF_ONE, {"noun": noun, "id": identifier, "since": revision})
        return _verified(_restored(later, {} if now is None else {identifier: now}).get(identifier), etag)

    def prune(self, until: int, limit: int) -> None:
        """Discard the states before the oldest mutations made at or before a time, for up to ``limit`` mutations."""
        execute.run(self._connection, _PRUNE, {"until_time": until, "limit": limit})


def is_restored(noun: str, identifier: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that ``former`` may need a resource's current state, with the parameter ``changed_since``."""
    changed = select(_own.id).where(_own.noun == noun, _own.revision > bindparam("changed_since"), _own.is_difference)
    return identifier.in_(changed)


def _row(effect: Effect) -> dict[str, object]:
    row = effect._asdict()
    del row["after"]
    before, is_difference = effect.before, False
    if before is not None and effect.after is not None and len(before) >= _MIN_DIFFERENCE_BYTES:
        with suppress(ValueError):
            shorter = difference.encode(before, effect.after)
            if len(shorter) < len(before):
                before, is_difference = shorter, True
    return {**row, "before": before, "is_difference": is_difference}


def _restored(later: Sequence[execute.Row], current: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the states before the earliest of these changes, for those that can be restored.

    Args:
        later: rows of _STATE, from the latest change to the earliest.
        current: the states after all of them.
    """
    states = {identifier: difference.fields(data) for identifier, data in current.items()}
    for identifier, _, before, is_difference in later:
        state = states.pop(identifier, None)
        with suppress(ValueError):
            if is_difference and before is not None and state is not None:
                states[identifier] = difference.apply(state, before)
            elif not is_difference and before is not None:
                states[identifier] = difference.fields(before)
    return {identifier: b"".join(state) for identifier, state in states.items()}


def _verified(data: bytes | None, etag: str) -> bytes | None:
    """Return a restored state if it has this etag, which it has not if another release has written it differently."""
    return data if data is not None and sha256(data).hexdigest().startswith(etag) else None
