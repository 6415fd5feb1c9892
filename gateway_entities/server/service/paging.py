"""Pagination with page tokens.

A token encodes the list, the revision of the first page and the key of the last item. Later pages show the state at that
revision, regardless of later writes. The format is private to the server.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from google.protobuf.message import Message

from gateway_entities.entities.base import Entity
from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.server.service.base import add_all
from gateway_entities.server.service.mutation import identifier, noun

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

    from gateway_entities.server.store import Transaction
    from gateway_entities.server.store.repositories.change import FormerState

Key = TypeVar("Key", bound=tuple[Any, ...])
"""Sort key of a list: created_at in milliseconds, then one or more strings."""
Item = TypeVar("Item")
T = TypeVar("T", bound=Entity[Any])

PAGE_ITEMS: Final = 1000
"""Default page size, in items."""
PAGE_BYTES: Final = 2 * 1024 * 1024
"""Maximum encoded size of a page, unless its first item alone is larger. gRPC clients accept 4 MiB by default."""
_INT64_END: Final = 2**63


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
        add_all(messages, cast("Any", self._items) if entity is None else map(entity, self._items))
        if self._revision is not None:
            response.revision = self._revision
        count = fitting(response, messages)
        del messages[count:]
        if count and (count < len(self._items) or not self._is_last):
            response.next_page_token = self._token(self._items[count - 1])


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

    __slots__ = ("_after", "_list", "_revision", "_size")

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
        self._revision: int | None = None
        self._after: Key | None = None
        if token:
            self._revision, after = _read(of, texts, token)
            # _read checks the number of strings.
            self._after = cast("Key", after)

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
            GatewayError: ABORTED; the state at that revision has been pruned.
        """
        now = transaction.changes.last()
        revision = now if self._revision is None else self._revision
        if revision != now and revision + 1 < transaction.changes.oldest():
            raise _expired()
        former = {} if revision == now else self._former(transaction, kind, revision, fetch)
        limit = self._size + 1
        # Changed items are dropped below, so fetch as many more.
        items = list(fetch(**filters, after=self._after, limit=limit + len(former)))
        if former:
            items = [item for item in items if identifier(item) not in former]
            items += [item for item in self._restored(kind, former.values()) if matches(item) and self._follows(key(item))]
            items.sort(key=key)
        return self._page(items[:limit], key, revision)

    def read_current(self, fetch: Callable[[Key | None, int], Sequence[Item]], key: Callable[[Item], Key]) -> Page[Item]:
        """Read the page at the current state, for lists that no revision covers."""
        return self._page(fetch(self._after, self._size + 1), key, None)

    @staticmethod
    def _former(
        transaction: Transaction, kind: type[T], revision: int, fetch: Callable[..., Sequence[T]]
    ) -> dict[str, FormerState]:
        """Return the states at a revision of the items that have changed since."""

        def current() -> Iterator[tuple[str, bytes]]:
            for item in fetch(changed_since=revision):
                yield identifier(item), item.to_bytes()

        return transaction.changes.former(noun(kind), revision, current)

    def _page(self, found: Sequence[Item], key: Callable[[Item], Key], revision: int | None) -> Page[Item]:
        """Return a page of fetched items; one more than its size means that another page follows."""

        def token(item: Item) -> str:
            return _write(self._list, revision or 0, key(item))

        return Page(found[: self._size], token, is_last=len(found) <= self._size, revision=revision)

    def _follows(self, key: Key) -> bool:
        return self._after is None or key > self._after

    @staticmethod
    def _restored(kind: type[T], former: Any) -> list[T]:
        if any(state.existed and state.data is None for state in former):
            raise _expired()
        return [kind.from_bytes(state.data) for state in former if state.data is not None]


def _write(of: str, revision: int, key: Sequence[int | str]) -> str:
    text = ":".join(str(part) for part in (of, revision, *key))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(of: str, texts: int, token: str) -> tuple[int, tuple[int | str, ...]]:
    try:
        plain = b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True).decode()
        name, _, numbers = plain.partition(":")
        # Only the last string of a key may contain a colon.
        first, second, *rest = numbers.split(":", texts + 1)
        revision, created_at = int(first), int(second)
    except ValueError:
        raise unreadable_token() from None
    # Decoders accept variants such as padding and leading zeros; only the canonical form is valid.
    is_canonical = _write(name, revision, (created_at, *rest)) == token
    if not is_canonical or not 0 <= revision < _INT64_END or not -_INT64_END <= created_at < _INT64_END:
        raise unreadable_token()
    if name != of:
        raise GatewayError.invalid(
            [FieldViolation("page_token", "belongs to another list; it must be the next_page_token of this one")]
        )
    if len(rest) != texts:
        raise unreadable_token()
    return revision, (created_at, *rest)


def _expired() -> GatewayError:
    return GatewayError(Code.ABORTED, "the list began more than 24 hours ago; start it again", reason="PAGE_TOKEN_EXPIRED")


def unreadable_token() -> GatewayError:
    """Return INVALID_ARGUMENT for a page token that the server did not create."""
    return GatewayError.invalid([FieldViolation("page_token", "must be the unchanged next_page_token of the previous page")])
