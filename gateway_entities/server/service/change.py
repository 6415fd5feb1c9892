"""ChangeService."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.rules import validate
from gateway_entities.server.service.base import BaseService, add_all
from gateway_entities.server.service.context import check_call
from gateway_entities.server.service.lists.page_token import GivenToken, Position
from gateway_entities.server.service.lists.paging import PAGE_BYTES, PAGE_ITEMS
from gateway_entities.server.store.repositories.change import ChangeFilter
from gatewayentities.v1 import change_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store.repositories.change import Changes, LoggedChange

_LIST: Final = "changes"
_NEWEST: Final = "newest_changes"
_FILTERS: Final = ("actor", "noun", "name", "changed_since", "changed_before", "until_revision", "newest_first")
_WHOLE: Final = -1
"""The position in a page token that stands for all effects of its revision."""
_FIELD_BYTES: Final = 5
"""Bytes of the tag and the length of a message in a repeated field: one, and up to four."""


class _Start(NamedTuple):
    """The place in the log that a page starts after.

    Attributes:
        revision: a revision.
        position: the position of an effect in it; None for all of it.
    """

    revision: int
    position: int | None = None

    @classmethod
    def of(cls, key: tuple[int | str, ...], revision: int) -> _Start:
        """Return the place that a page token names."""
        (position,) = key
        return cls(revision, None if position == _WHOLE else int(position))

    def key(self) -> tuple[int]:
        """Return the key of its page token."""
        return (_WHOLE if self.position is None else self.position,)


class ChangeService(BaseService):
    """The RPCs of ChangeService. Errors: as the contract lists, and UNAVAILABLE from the store.

    Attributes:
        watch: returns the watch stream after a resume token, of encoded messages, on an event loop; None until it is set.
    """

    watch: Callable[[str], AsyncGenerator[bytes]] | None = None

    def list_gateway_changes(self, request: pb.ListGatewayChangesRequest) -> pb.ListGatewayChangesResponse:
        """Return a page of the change log, starting after a revision."""
        validate(request)
        if any(request.HasField(name) for name in _FILTERS):
            return self._filtered(request)
        token = GivenToken(_LIST, 0, request.page_token) if request.page_token else None
        given = _Start(request.since_revision) if request.HasField("since_revision") else None
        with self.read() as transaction:
            state = transaction.state.get()
            if token is not None:
                token.verify(transaction, state)
                given = _Start.of(token.position.key, token.position.revision)
            revision = state.last_revision
            start = _start(transaction.changes, given, revision)
            found = transaction.changes.list(start.revision, request.page_size or PAGE_ITEMS, start.position)
            response = pb.ListGatewayChangesResponse(revision=revision)
            end = _fill(response, found)
            if end is not None and end != _Start(revision):
                position = Position(state.store_id, _LIST, end.revision, end.key())
                response.next_page_token = position.token(transaction)
        return response

    def _filtered(self, request: pb.ListGatewayChangesRequest) -> pb.ListGatewayChangesResponse:
        """Return a page of the changes that match filters, or of all from the last to the first."""
        newest = request.newest_first
        list_name = _NEWEST if newest else _LIST
        token = GivenToken(list_name, 0, request.page_token) if request.page_token else None
        wanted = ChangeFilter(
            request.actor or None,
            request.noun or None,
            request.name or None,
            request.changed_since if request.HasField("changed_since") else None,
            request.changed_before if request.HasField("changed_before") else None,
        )
        with self.read() as transaction:
            state, changes = transaction.state.get(), transaction.changes
            last = state.last_revision
            since = request.since_revision if request.HasField("since_revision") else 0
            until = min(request.until_revision, last) if request.HasField("until_revision") else last
            found: list[LoggedChange] = []
            if token is not None:
                token.verify(transaction, state)
                start = _Start.of(token.position.key, token.position.revision)
                since, until = (since, min(until, start.revision - 1)) if newest else (start.revision, until)
                if start.position is not None:
                    found += changes.list(start.revision, 1, start.position)
            elif request.HasField("since_revision"):
                _start(changes, _Start(since), last)
            limit = request.page_size or PAGE_ITEMS
            revisions = changes.matching(wanted, since, until, limit + 1, newest_first=newest)
            response = pb.ListGatewayChangesResponse(revision=last)
            end = _fill(response, _each(changes, found, revisions[:limit]))
            complete = end is not None and end.position is None
            if end is not None and not (complete and end.revision == (revisions or [end.revision])[-1]):
                position = Position(state.store_id, list_name, end.revision, end.key())
                response.next_page_token = position.token(transaction)
        return response

    def watch_gateway(self, request: pb.WatchGatewayRequest) -> AsyncGenerator[bytes]:
        """Return the stream of updates, as encoded WatchGatewayResponse messages. For an event loop."""
        validate(request)
        if self.watch is None:
            raise GatewayError(Code.UNIMPLEMENTED, "this server has no watch stream", reason="NO_WATCH")
        return self.watch(request.resume_token)


def _each(changes: Changes, first: Iterable[LoggedChange], revisions: Iterable[int]) -> Iterator[LoggedChange]:
    yield from first
    for revision in revisions:
        check_call()
        yield from changes.list(revision - 1, 1)


def _start(changes: Changes, given: _Start | None, last: int) -> _Start:
    """Return the start of a page; without a given one, that of the log.

    Raises:
        GatewayError: OUT_OF_RANGE; a change after the given start was deleted.
    """
    oldest = changes.oldest()
    if given is None:
        return _Start(oldest - 1)
    first = given.revision + (given.position is None)
    if first < oldest and first <= last:
        raise GatewayError(
            Code.OUT_OF_RANGE,
            f"The change log starts at revision {oldest}, older changes have been deleted; read the resources again, and "
            f"then the changes after the revision of that read (the oldest that can be: since_revision {oldest - 1})",
            reason="REVISION_COMPACTED",
        )
    return given


def _fill(response: pb.ListGatewayChangesResponse, found: Iterable[LoggedChange]) -> _Start | None:
    """Write as many changes as fit into PAGE_BYTES; return where they end, None if there are none.

    Only a change that is larger than a page is divided.
    """
    size, end = 0, None
    for number, (change, start, is_complete) in enumerate(found):
        add_all(response, response.changes, [change])
        size += response.changes[number].ByteSize() + _FIELD_BYTES
        if number and (size > PAGE_BYTES or not is_complete):
            del response.changes[number]
            return end
        if size <= PAGE_BYTES and is_complete:
            end = _Start(change.revision)
        else:
            return _Start(change.revision, start + _divide(response.changes[number]) - 1)
    return end


def _divide(change: pb.GatewayChange) -> int:
    """Remove the effects that do not fit into PAGE_BYTES; return the number of those that do."""
    size = 0
    for count, effect in enumerate(change.effects):
        size += effect.ByteSize() + _FIELD_BYTES
        # A kilobyte is more than the rest of the change has.
        if count and size > PAGE_BYTES - 1024:
            del change.effects[count:]
            return count
    return len(change.effects)
