"""Pagination with page tokens.

A token has the revision of the first page and the key of the last item. Later pages show the state at that revision,
regardless of later writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from google.protobuf.message import Message

from gateway_entities.entities import parts
from gateway_entities.entities.base import Entity
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.service.base import add_all
from gateway_entities.server.service.context import collected_entities
from gateway_entities.server.service.lists.page_token import GivenToken, Position
from gateway_entities.server.service.writes.mutation import identifier, noun

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

    from gateway_entities.server.store import Transaction
    from gateway_entities.server.store.repositories.change import FormerState
    from gateway_entities.server.store.repositories.state import State

Key = TypeVar("Key", bound=tuple[Any, ...])
"""Sort key of a list: created_at in milliseconds, then one or more strings."""
Item = TypeVar("Item")
T = TypeVar("T", bound=Entity[Any])

PAGE_ITEMS: Final = 1000
"""Default page size, in items."""
PAGE_BYTES: Final = 2 * 1024 * 1024
"""Maximum encoded size of a page, unless its first item alone is larger. gRPC clients accept 4 MiB by default."""
MAX_CHANGES: Final = 10_000
"""Maximum number of effects on resources of a list, from its first page to a later one, that the server undoes."""
MAX_FORMER_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of the former states that it restores for that."""
_TOO_OLD: Final = "the list began more than 24 hours ago"
_TOO_MUCH: Final = "too much has changed since the list began"


class Page(Generic[Item]):
    """One page of a list."""

    __slots__ = ("_is_last", "_items", "_revision", "_token")

    def __init__(self, items: Sequence[Item], token: Callable[[Item], str], *, is_last: bool, revision: int | None) -> None:
        """Create a page.

        Args:
            items: its items.
            token: returns the token of the page that starts after an item.
            is_last: whether it is the list's last page.
            revision: the revision of the list; None for a list without one.
        """
        self._items = items
        self._token = token
        self._is_last = is_last
        self._revision = revision

    def fill(
        self,
        response: Any,
        messages: RepeatedCompositeFieldContainer[Any],
        entity: Callable[[Item], Entity[Any]] | None = None,
    ) -> None:
        """Write as many items as fit into PAGE_BYTES, at least one, with next_page_token and revision.

        Args:
            response: the response message.
            messages: its repeated field.
            entity: converts an item to an entity; None if the items are entities.
        """
        if self._revision is not None:
            response.revision = self._revision
        size: int = response.ByteSize()
        entities = list(cast("Any", self._items) if entity is None else map(entity, self._items))
        if _collected(response, entities, PAGE_BYTES - size):
            count = len(entities)
        else:
            added = add_all(response, messages, entities)
            fits = added is not None and size + added <= PAGE_BYTES
            count = len(entities) if fits else fitting(response, messages)
        del messages[count:]
        if count and (count < len(self._items) or not self._is_last):
            response.next_page_token = self._token(self._items[count - 1])


def _collected(response: Message, entities: list[Entity[Any]], size: int) -> bool:
    """Encode the entities of a response where the call collects them, if they fit; return whether that was done."""
    collected = collected_entities()
    if collected is None or not entities:
        return False
    data = parts.encode(type(response), type(entities[0]), entities)
    if data is None or len(data) > size:
        return False
    collected.append(data)
    return True


def fitting(response: Message, messages: Sequence[Message]) -> int:
    """Return how many items of a response fit into PAGE_BYTES, 1 or more unless there are none."""
    # Nearly every page fits, and one ByteSize of the whole is cheaper than one for each item.
    if response.ByteSize() <= PAGE_BYTES:
        return len(messages)
    size = 0
    for count, message in enumerate(messages):
        # One byte for the tag, up to four for the length.
        size += message.ByteSize() + 5
        if size > PAGE_BYTES:
            return max(1, count)
    return len(messages)


class PageRequest(Generic[Key]):
    """The page that a request asks for: its start and maximum size."""

    __slots__ = ("_after", "_given", "_list", "_size")

    def __init__(self, of: str, texts: int, size: int, token: str) -> None:
        """Parse the paging fields of a request.

        Args:
            of: the list's name, part of its tokens.
            texts: the number of strings in its sort key, after created_at.
            size: the maximum number of items; 0 for PAGE_ITEMS.
            token: the token from the previous page; empty for the first page.

        Raises:
            GatewayError: INVALID_ARGUMENT; the token cannot be read, or belongs to another list.
        """
        self._list = of
        self._size = size or PAGE_ITEMS
        self._given = GivenToken(of, texts, token) if token else None
        # The number of its strings has been checked.
        self._after = None if self._given is None else cast("Key", self._given.position.key)

    def read(
        self,
        transaction: Transaction,
        kind: type[T],
        key: Callable[[T], Key],
        fetch: Callable[..., Sequence[T]],
        *,
        filters: Mapping[str, str | None],
        matches: Callable[[T], bool],
    ) -> Page[T]:
        """Read the page, as of the revision of the list's first page.

        Args:
            transaction: the transaction to read.
            kind: the class of the items.
            key: returns an item's sort key.
            fetch: the ``list`` of the items' repository, with ``after``, ``limit`` and ``changed_since``.
            filters: its filters.
            matches: whether an item satisfies the list's filters; called for restored former states.

        Raises:
            GatewayError: INVALID_ARGUMENT (the server did not create the token), OUT_OF_RANGE (it is of another store, or of
                a state that this one does not have) or ABORTED (the state at its revision has been pruned, or too much has
                changed since).
        """
        state = self._verified_state(transaction)
        now = state.last_revision
        revision = now if self._given is None else self._given.position.revision
        if revision != now and revision + 1 < transaction.changes.oldest():
            raise _expired(_TOO_OLD)
        former: Mapping[str, FormerState] = {} if revision == now else self._former(transaction, kind, revision, fetch)
        limit = self._size + 1
        # Changed items are dropped below, so fetch as many more.
        items = list(fetch(**filters, after=self._after, limit=limit + len(former)))
        if former:
            items = [item for item in items if identifier(item) not in former]
            items += [item for item in self._restored(kind, former.values()) if matches(item) and self._follows(key(item))]
            items.sort(key=key)
        return self._page(transaction, state, items[:limit], key, revision)

    def read_current(
        self,
        transaction: Transaction,
        fetch: Callable[[Key | None, int], Sequence[Item]],
        key: Callable[[Item], Key],
    ) -> Page[Item]:
        """Read the page at the current state, for lists that no revision covers. Arguments and errors as for ``read``."""
        state = self._verified_state(transaction)
        return self._page(transaction, state, fetch(self._after, self._size + 1), key, None)

    def _verified_state(self, transaction: Transaction) -> State:
        """Return the state of the store, after checking that the token is of this store and of this server."""
        state = transaction.state.get()
        if self._given is not None:
            self._given.verify(transaction, state)
        return state

    @staticmethod
    def _former(
        transaction: Transaction, kind: type[T], revision: int, fetch: Callable[..., Sequence[T]]
    ) -> Mapping[str, FormerState]:
        """Return the states at a revision of the items that have changed since.

        Raises:
            GatewayError: ABORTED; too much has changed.
        """
        effects, size = transaction.changes.former_cost(noun(kind), revision, MAX_CHANGES + 1)
        if effects > MAX_CHANGES or size > MAX_FORMER_BYTES:
            raise _expired(_TOO_MUCH)

        def current() -> Iterator[tuple[str, bytes]]:
            # A state that is stored as a difference is as large as the one that it is restored from, or about.
            restored = size
            for item in fetch(changed_since=revision):
                data = item.to_bytes()
                restored += len(data)
                if restored > MAX_FORMER_BYTES:
                    raise _expired(_TOO_MUCH)
                yield identifier(item), data

        return transaction.changes.former(noun(kind), revision, current)

    def _page(
        self,
        transaction: Transaction,
        state: State,
        found: Sequence[Item],
        key: Callable[[Item], Key],
        revision: int | None,
    ) -> Page[Item]:
        """Return a page of fetched items; one more than its size means that another page follows."""

        def token(item: Item) -> str:
            return Position(state.store_id, self._list, revision or 0, key(item)).token(transaction)

        return Page(found[: self._size], token, is_last=len(found) <= self._size, revision=revision)

    def _follows(self, key: Key) -> bool:
        return self._after is None or key > self._after

    @staticmethod
    def _restored(kind: type[T], former: Any) -> list[T]:
        if any(state.existed and state.data is None for state in former):
            raise _expired(_TOO_OLD)
        return [kind.from_bytes(state.data) for state in former if state.data is not None]


def _expired(cause: str) -> GatewayError:
    return GatewayError(Code.ABORTED, f"{cause}; start it again", reason="PAGE_TOKEN_EXPIRED")
