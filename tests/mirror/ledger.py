"""What a store was at each of its revisions, from its change log, and what of a mirror's states contradicts it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import select

from gateway_entities.mirror import MirrorEvent, MirrorState
from gateway_entities.server.service.writes.mutation import identifier
from gateway_entities.server.store import Store, Transaction
from gateway_entities.server.store.repositories import difference
from gateway_entities.server.store.sql.schema import changes

MAPS: Final = {
    "secret": "secrets",
    "model_definition": "model_definitions",
    "endpoint": "endpoints",
    "binding": "bindings",
    "budget_policy": "budget_policies",
    "guardrail": "guardrails",
    "guardrail_config": "guardrail_configs",
}
"""The maps of a MirrorState by noun; also the repositories of a transaction."""

Key: TypeAlias = tuple[str, str]
Resources: TypeAlias = dict[Key, bytes]
"""The ``to_bytes`` of resources by noun and id."""

_EFFECTS: Final = (
    select(
        changes.c.revision,
        changes.c.noun,
        changes.c.id,
        changes.c.etag_before,
        changes.c.before,
        changes.c.is_difference,
    )
    .where(changes.c.revision > 0)
    .order_by(changes.c.revision.desc(), changes.c.position.desc())
)


class Ledger:
    """The resources at each revision. They come from the log of the states before each change, which streams do not read.

    Attributes:
        last: the id of the store, and its revision, when it was read last.
    """

    def __init__(self) -> None:
        self._at: dict[tuple[str, int], Resources] = {}
        self._read_to: dict[str, int] = {}
        self.last = ("", 0)

    def read(self, store: Store, *, compact: bool = False) -> None:
        """Read what is new. Compact deletes the change log then, but for the last change, in the same transaction."""
        with store.write() if compact else store.read() as transaction:
            self._read(transaction)
            if compact:
                transaction.changes.compact(transaction.now, transaction.now, 0, 10**9)

    def resources(self, store_id: str | None, revision: int) -> Resources | None:
        """Return the resources at a revision; None if it is not known."""
        return self._at.get((store_id or "", revision))

    def _read(self, transaction: Transaction) -> None:
        state = transaction.state.get()
        known = self._read_to.get(state.store_id, 0)
        current = {
            (noun, identifier(each)): each.to_bytes()
            for noun, name in MAPS.items()
            for each in getattr(transaction, name).list()
        }
        self.last = state.store_id, state.last_revision
        self._at[self.last] = dict(current)
        found = transaction._connection.execute(_EFFECTS.where(changes.c.revision > known)).all()
        for revision, effects in groupby(found, key=lambda row: int(row[0])):
            assert (state.store_id, revision) in self._at, f"revision {revision + 1} is not in the log"
            _undo(current, [tuple(row[1:]) for row in effects])
            before = self._at.setdefault((state.store_id, revision - 1), dict(current))
            assert before == current, f"the log contradicts itself at revision {revision - 1}"
        self._read_to[state.store_id] = state.last_revision


def _undo(resources: Resources, effects: Iterable[tuple[Any, ...]]) -> None:
    for noun, key, etag_before, before, is_difference in effects:
        if etag_before is None:
            resources.pop((noun, key), None)
        elif is_difference:
            resources[noun, key] = b"".join(difference.apply(difference.fields(resources[noun, key]), before))
        else:
            resources[noun, key] = bytes(before)


class Shown(NamedTuple):
    """What a mirror showed after a complete update.

    Attributes:
        state: the state.
        events: what it told its subscriber.
    """

    state: MirrorState
    events: Sequence[MirrorEvent]


class Checker:
    """Finds what contradicts a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        # States share most of their entities.
        self._encoded: dict[int, tuple[Any, bytes]] = {}

    def violations(self, before: MirrorState, shown: Iterable[Shown]) -> Iterator[str]:
        """Yield the violations of one mirror.

        Args:
            before: its state before it began.
            shown: what it showed then.
        """
        for state, events in shown:
            place = f"revision {state.revision} of store {state.store_id}"
            expected = self._ledger.resources(state.store_id, state.revision)
            if state.store_id == before.store_id and state.revision < before.revision:
                yield f"{place}: after revision {before.revision}"
            if expected is None:
                yield f"{place}: the store never had it"
            elif wrong := _different(self.resources(state), expected):
                yield f"{place}: {len(wrong)} resources are not the store's: {wrong[:3]}"
            yield from (f"{place}: {problem}" for problem in self._wrong_events(before, state, events))
            before = state

    def resources(self, state: MirrorState) -> Resources:
        """Return the resources of a state."""
        return {(noun, key): self._encode(each) for noun, name in MAPS.items() for key, each in getattr(state, name).items()}

    def _wrong_events(self, before: MirrorState, after: MirrorState, events: Sequence[MirrorEvent]) -> Iterator[str]:
        old, new = self.resources(before), self.resources(after)
        different = set(_different(old, new))
        for event in events:
            key = (event.noun, event.id)
            told = (self._maybe(event.before), self._maybe(event.after))
            if told != (old.get(key), new.get(key)):
                yield f"the event of {key} is not of what happened"
            elif key in different:
                different.remove(key)
            else:
                yield f"the event of {key} is one too many"
        if different:
            yield f"no event of {sorted(different)[:3]}"

    def _maybe(self, entity: Any) -> bytes | None:
        return None if entity is None else self._encode(entity)

    def _encode(self, entity: Any) -> bytes:
        found = self._encoded.get(id(entity))
        if found is None:
            found = self._encoded[id(entity)] = (entity, entity.to_bytes())
        return found[1]


def _different(one: Mapping[Key, bytes], other: Mapping[Key, bytes]) -> list[Key]:
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
