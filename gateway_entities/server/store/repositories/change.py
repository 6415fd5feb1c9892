"""The change log: the effects of every mutation, and for a retention time the states before it."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, delete, func, insert, or_, select, tuple_

from gateway_entities.entities import (
    GatewayChange,
    GatewayChangeEffect,
    GatewayFieldDifference,
    GatewaySpendAdjustment,
)
from gateway_entities.server.store.repositories import difference
from gateway_entities.server.store.repositories.state import StoreState
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import changes

_own = changes.c

MAX_EFFECTS: Final = 20_000
"""Maximum number of effects in one list, which encoded are more than a page may have."""

_MAX_REVISION: Final = 2**63 - 1
_MAX_POSITION: Final = 2**31 - 1
_MIN_DIFFERENCE_BYTES: Final = 1024
"""Size from which a state is stored as a difference; restoring a smaller one would cost more than it saves."""
_ADD: Final = insert(changes)
_EFFECT: Final = (_own.noun, _own.id, _own.etag_before, _own.etag_after, _own.name, _own.fields)
_LIST: Final = (
    select(_own.revision, _own.changed_at, _own.actor, _own.rpc, _own.spend_adjustment, *_EFFECT)
    .where(
        tuple_(_own.revision, _own.position)
        > tuple_(bindparam("since", type_=_own.revision.type), bindparam("position", type_=_own.position.type)),
        _own.revision <= bindparam("until"),
    )
    .order_by(_own.revision, _own.position)
    .limit(MAX_EFFECTS + 1)
)
_REQUESTED: Final = select(*_EFFECT).where(_own.revision == bindparam("revision"), _own.position == 0)
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
# The scan of the index ends at the limit, and databases know the length of a state without reading it.
_SINCE: Final = (
    select(_own.id, _own.revision, _own.is_difference, func.length(_own.before).label("size"))
    .where(_own.noun == bindparam("noun"), _own.revision > bindparam("since"))
    .order_by(_own.revision)
    .limit(bindparam("limit"))
    .subquery()
)
_NUMBERED: Final = select(
    _SINCE.c.size,
    func.row_number().over(partition_by=_SINCE.c.id, order_by=_SINCE.c.revision).label("number"),
    func.first_value(_SINCE.c.is_difference)
    .over(partition_by=_SINCE.c.id, order_by=_SINCE.c.revision)
    .label("is_difference"),
).subquery()
# A difference needs all later states of its resource, a whole state none.
_IS_READ: Final = or_(_NUMBERED.c.number == 1, _NUMBERED.c.is_difference)
_COST: Final = select(func.count(), func.coalesce(func.sum(case((_IS_READ, _NUMBERED.c.size), else_=0)), 0)).select_from(
    _NUMBERED
)
# These write a definition, which a list of endpoints repeats in each endpoint that uses it. The endpoints stay as they are.
_REPEATING_RPCS: Final = ("UpdateGatewayModelDefinition", "DeleteGatewaySecret")
_IS_WRITTEN: Final = or_(_own.noun != "endpoint", and_(*(_own.rpc != rpc for rpc in _REPEATING_RPCS)))
_WRITTEN: Final = select(_own.noun, _own.id).where(_own.revision > bindparam("since"), _IS_WRITTEN).distinct()
_SECRET_FIELDS: Final = select(_own.id, _own.fields).where(
    _own.noun == "secret", _own.revision > bindparam("since"), _own.fields.is_not(None), _own.etag_before.is_not(None)
)
# From the last to the first, so that the first stays.
_OWNERS: Final = (
    select(_own.noun, _own.id, _own.owner_before)
    .where(_own.revision > bindparam("since"), or_(_own.owner_before.is_not(None), _own.owner_after.is_not(None)))
    .order_by(_own.revision.desc())
)
_FIRST_WHOLE: Final = select(_own.revision).where(_own.position == 0).order_by(_own.revision).limit(1)
_FIRST_EFFECTS: Final = (
    select(_own.revision, _own.position, _own.changed_at).order_by(_own.revision, _own.position).limit(bindparam("limit"))
)
_COMPACT: Final = delete(changes).where(
    tuple_(_own.revision, _own.position)
    <= tuple_(bindparam("revision", type_=_own.revision.type), bindparam("position", type_=_own.position.type))
)

_CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "actor": _own.actor == bindparam("actor"),
    "noun": _own.noun == bindparam("noun"),
    "name": _own.name == bindparam("name"),
    "changed_since": _own.changed_at >= bindparam("changed_since"),
    "changed_before": _own.changed_at < bindparam("changed_before"),
}


class Effect(NamedTuple):
    """What a mutation did to one resource.

    Attributes:
        noun: the type of the resource.
        id: its id.
        etag_before: its etag before the mutation; None if it was created.
        etag_after: its etag after the mutation; None if it was deleted.
        before: its ``to_bytes`` before the mutation; None if it was created.
        after: its ``to_bytes`` after the mutation, which is not stored; None if it was deleted.
        name: its name after the mutation; before it if it was deleted.
        fields: the fields that changed.
        owner_before: its owner before, if the mutation changed it.
        owner_after: its owner after, if the mutation changed it.
        adjustment: the correction of spending that it is.
    """

    noun: str
    id: str
    etag_before: str | None
    etag_after: str | None
    before: bytes | None
    after: bytes | None = None
    name: str | None = None
    fields: Sequence[GatewayFieldDifference] = ()
    owner_before: str | None = None
    owner_after: str | None = None
    adjustment: GatewaySpendAdjustment | None = None


class ChangeFilter(NamedTuple):
    """Which changes are listed. None is every one.

    Attributes:
        actor: the actor.
        noun: a type of a resource with an effect.
        name: a name of such a resource; with a noun, of that type.
        changed_since: the first time, in milliseconds since the Unix epoch, UTC.
        changed_before: the time after the last one.
    """

    actor: str | None = None
    noun: str | None = None
    name: str | None = None
    changed_since: int | None = None
    changed_before: int | None = None


class FormerState(NamedTuple):
    """A resource at an earlier revision.

    Attributes:
        existed: whether it existed.
        data: its ``to_bytes``; None if it did not exist, or its state has been pruned or cannot be restored.
    """

    existed: bool
    data: bytes | None


class LoggedChange(NamedTuple):
    """An entry of the change log, or a part of it.

    Attributes:
        change: the entry, with some of its effects on related resources.
        start: the position of the first of these effects; that of the effect on the requested resource is 0.
        is_complete: whether no effects follow.
    """

    change: GatewayChange
    start: int
    is_complete: bool


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
        rows = [{**common, "position": position, **_row(effect)} for position, effect in enumerate(effects)]
        execute.run_each(self._connection, _ADD, rows)
        self._state.set_revision(revision)
        return revision

    def list(self, since: int, limit: int, position: int | None = None) -> builtins.list[LoggedChange]:
        """Return changes, oldest first, up to MAX_EFFECTS effects.

        Args:
            since: the revision that they start after.
            limit: the maximum number of changes.
            position: if given, they start within that revision, after the effect in this position.
        """
        # The column is int64, and since may be its maximum.
        until = min(since + limit - (position is not None), _MAX_REVISION)
        after = _MAX_POSITION if position is None else position
        rows = execute.rows(self._connection, _LIST, {"since": since, "position": after, "until": until})
        cut = len(rows) > MAX_EFFECTS
        found: builtins.list[LoggedChange] = []
        for (revision, changed_at, actor, rpc, stored), group in groupby(rows[:MAX_EFFECTS], key=lambda row: row[:5]):
            effects = [_listed(row[5:]) for row in group]
            start = 0 if position is None or revision != since else position + 1
            if start:
                requested = _listed(execute.rows(self._connection, _REQUESTED, {"revision": revision})[0])
            else:
                requested = effects.pop(0)
            # The requested effect is the first one of every part.
            adjustment = None if stored is None else GatewaySpendAdjustment.from_bytes(stored)
            change = GatewayChange(revision, changed_at, rpc, requested, effects, actor, adjustment)
            found.append(LoggedChange(change, max(start, 1), is_complete=True))
        if cut:
            found[-1] = found[-1]._replace(is_complete=rows[MAX_EFFECTS][0] != found[-1].change.revision)
        return found

    def matching(
        self, wanted: ChangeFilter, since: int, until: int, limit: int, *, newest_first: bool
    ) -> builtins.list[int]:
        """Return the revisions of the changes that match a filter.

        Args:
            wanted: the filter.
            since: the revision that they are after.
            until: the last revision.
            limit: the maximum number.
            newest_first: whether the last ones come first.
        """
        given = {name: value for name, value in wanted._asdict().items() if value is not None}
        statement = _matching(tuple(given), newest_first)
        parameters = {**given, "since": since, "until": until, "limit": limit}
        return [int(revision) for (revision,) in execute.rows(self._connection, statement, parameters)]

    def written(self, since: int) -> builtins.list[tuple[str, str]]:
        """Return noun and id of the resources that were written or deleted after a revision, each once.

        An endpoint whose model definitions alone were written is not among them.
        """
        return [(noun, identifier) for noun, identifier in execute.rows(self._connection, _WRITTEN, {"since": since})]

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

    def former_cost(self, noun: str, since: int, limit: int) -> tuple[int, int]:
        """Return the cost of ``former``: the number of effects since, and the stored bytes that it reads.

        Args:
            noun: as for ``former``.
            since: as for ``former``.
            limit: the number of effects at which the count ends.
        """
        ((effects, size),) = execute.rows(self._connection, _COST, {"noun": noun, "since": since, "limit": limit})
        return effects, int(size)

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

    def rotated_since(self, since: int) -> frozenset[str]:
        """Return the ids of the secrets that got another value after a revision."""
        found: set[str] = set()
        for identifier, encoded in execute.rows(self._connection, _SECRET_FIELDS, {"since": since}):
            if any(field.path == "secret_value" for field in GatewayChangeEffect.from_bytes(encoded).fields):
                found.add(identifier)
        return frozenset(found)

    def former_owners(self, since: int) -> dict[tuple[str, str], str | None]:
        """Return the owners at a revision of the resources whose owner has changed since, by noun and id."""
        rows = execute.rows(self._connection, _OWNERS, {"since": since})
        return {(noun, identifier): owner for noun, identifier, owner in rows}

    def oldest(self) -> int:
        """Return the oldest revision of the log: the first whose effects are all there."""
        row = execute.row(self._connection, _FIRST_WHOLE)
        return self.last() + 1 if row is None else int(row[0])

    def compact(self, until: int, expired: int, number: int, limit: int) -> int:
        """Delete the oldest mutations from the log, except the last one.

        Args:
            until: mutations made later are kept, and all after the first of them.
            expired: mutations made at or before this time are deleted.
            number: of the others only the last ``number`` are kept.
            limit: the maximum number of effects to delete; a mutation may be deleted in part.

        Returns:
            The number of deleted effects.
        """
        last = self.last()
        count, end = 0, (0, 0)
        for revision, position, changed_at in execute.rows(self._connection, _FIRST_EFFECTS, {"limit": limit}):
            if changed_at > until or revision == last or (changed_at > expired and revision > last - number):
                break
            count, end = count + 1, (revision, position)
        if count:
            execute.run(self._connection, _COMPACT, {"revision": end[0], "position": end[1]})
        return count


@cache
def _matching(names: tuple[str, ...], newest_first: bool) -> Select[Any]:
    statement = (
        select(_own.revision)
        .where(_own.revision > bindparam("since"), _own.revision <= bindparam("until"))
        .where(*(_CONDITIONS[name] for name in names))
        .group_by(_own.revision)
        .limit(bindparam("limit"))
    )
    return statement.order_by(_own.revision.desc() if newest_first else _own.revision)


def is_restored(noun: str, identifier: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that ``former`` may need a resource's current state, with the parameter ``changed_since``."""
    changed = select(_own.id).where(_own.noun == noun, _own.revision > bindparam("changed_since"), _own.is_difference)
    return identifier.in_(changed)


def is_written(noun: str, identifier: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a resource is one of ``written``, with the parameter ``written_since``."""
    changed = select(_own.id).where(_own.noun == noun, _own.revision > bindparam("written_since"), _IS_WRITTEN)
    return identifier.in_(changed)


def _row(effect: Effect) -> dict[str, object]:
    noun, identifier, etag_before, etag_after, before, after, name, changed_fields, *owners, adjustment = effect
    is_difference = False
    if before is not None and after is not None and len(before) >= _MIN_DIFFERENCE_BYTES:
        with suppress(ValueError):
            shorter = difference.encode(before, after)
            if len(shorter) < len(before):
                before, is_difference = shorter, True
    return {
        "noun": noun,
        "id": identifier,
        "etag_before": etag_before,
        "etag_after": etag_after,
        "before": before,
        "is_difference": is_difference,
        "name": name,
        "fields": _encoded_fields(effect) if changed_fields else None,
        "owner_before": owners[0],
        "owner_after": owners[1],
        "spend_adjustment": None if adjustment is None else adjustment.to_bytes(),
    }


def _listed(row: execute.Row) -> GatewayChangeEffect:
    """Return the effect of a row of _EFFECT."""
    noun, identifier, etag_before, etag_after, name, encoded = row
    fields = GatewayChangeEffect.from_bytes(encoded).fields if encoded else []
    return GatewayChangeEffect(noun, identifier, etag_before, etag_after, name, fields)


def _encoded_fields(effect: Effect) -> bytes:
    return GatewayChangeEffect(effect.noun, effect.id, fields=list(effect.fields)).to_bytes()


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
