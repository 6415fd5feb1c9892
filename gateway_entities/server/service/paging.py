"""Pages of a list, and the tokens that lead from one to the next.

A token names the list, the revision at which its first page was read, and the last item of its page. A later page shows what
there was at that revision, whatever was written since. Callers must not read anything into a token.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from google.protobuf.message import Message

from gateway_entities.entities.base import Entity
from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.server.service.base import add_all
from gateway_entities.server.service.mutation import identifier, noun

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

    from gateway_entities.server.store import Transaction

Key = TypeVar("Key", bound=tuple[Any, ...])
"""What a list is ordered by: the time of creation in milliseconds, then one or more texts."""
Item = TypeVar("Item")
T = TypeVar("T", bound=Entity[Any])

PAGE_ITEMS: Final = 1000
"""Items of a page whose request names no size."""
PAGE_BYTES: Final = 2 * 1024 * 1024
"""Encoded size at which a page ends before its number of items; one item may be larger. gRPC clients accept 4 MiB."""
_LARGEST = 2**63


class Part(Generic[Item]):
    """The items of a page, and whether more follow."""

    __slots__ = ("_is_last", "_items", "_revision", "_token")

    def __init__(self, items: Sequence[Item], token: Callable[[Item], str], *, is_last: bool, revision: int | None) -> None:
        """Hold the items.

        Args:
            items: those of the page.
            token: returns the token of the page after an item.
            is_last: whether no page follows.
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
        """Write the page into a response: at least one item, at most PAGE_BYTES, next_page_token and revision.

        Args:
            response: the response message.
            messages: its list of items.
            entity: returns the entity of an item; None if the items are entities.
        """
        add_all(messages, cast("Any", self._items) if entity is None else map(entity, self._items))
        if self._revision is not None:
            response.revision = self._revision
        shown = fitting(response, messages)
        del messages[shown:]
        if shown and (shown < len(self._items) or not self._is_last):
            response.next_page_token = self._token(self._items[shown - 1])


def fitting(response: Message, messages: Sequence[Message]) -> int:
    """Return how many items of a response fit into PAGE_BYTES, at least the first."""
    # Nearly every page fits, and the size of the whole is known sooner than that of each item.
    if response.ByteSize() <= PAGE_BYTES:
        return len(messages)
    size = 0
    for count, message in enumerate(messages):
        # A tag, and a length of up to four bytes.
        size += message.ByteSize() + 5
        if size > PAGE_BYTES:
            return max(1, count)
    return len(messages)


class Page(Generic[Key]):
    """One page of a list: where it starts and how long it may be."""

    __slots__ = ("_after", "_list", "_revision", "_size")

    def __init__(self, of: str, texts: int, size: int, token: str) -> None:
        """Read the fields of a request.

        Args:
            of: the list's name, which its tokens carry.
            texts: how many texts follow the time in its key.
            size: the most items in the page; 0 for PAGE_ITEMS.
            token: the token of the page before; empty for the first page.

        Raises:
            GatewayError: INVALID_ARGUMENT; the token cannot be read, or belongs to another list.
        """
        self._list = of
        self._size = size or PAGE_ITEMS
        self._revision: int | None = None
        self._after: Key | None = None
        if token:
            self._revision, after = _read(of, texts, token)
            # The reader of tokens is told the shape of the list's key.
            self._after = cast("Key", after)

    def read(
        self,
        transaction: Transaction,
        kind: type[T],
        key: Callable[[T], Key],
        found: Callable[[Key | None, int], Sequence[T]],
        matches: Callable[[T], bool],
    ) -> Part[T]:
        """Read the page, as of the revision of the list's first page.

        Args:
            transaction: what to read.
            kind: the class of the list's items.
            key: gives an item's key.
            found: reads the items after a key (None: from the first) as they are now, at most so many.
            matches: tells whether an item belongs into the list; for those that are no longer what they were.

        Raises:
            GatewayError: ABORTED, if what there was at that revision is no longer remembered.
        """
        now = transaction.changes.last()
        revision = now if self._revision is None else self._revision
        former = {} if revision == now else transaction.changes.former(noun(kind), revision)
        limit = self._size + 1
        # As many more as the changed ones among them, which are left out.
        items = list(found(self._after, limit + len(former)))
        if former:
            items = [item for item in items if identifier(item) not in former]
            items += [item for item in self._restored(kind, former.values()) if matches(item) and self._follows(key(item))]
            items.sort(key=key)
        return self._part(items[:limit], key, revision)

    def around(self, found: Callable[[Key | None, int], Sequence[Item]], key: Callable[[Item], Key]) -> Part[Item]:
        """Read the page as things are now: for what is not configuration, and changes all the time."""
        return self._part(found(self._after, self._size + 1), key, None)

    def _part(self, found: Sequence[Item], key: Callable[[Item], Key], revision: int | None) -> Part[Item]:
        """Return the page of the items that were read, one more than it may hold if there are so many."""

        def token(item: Item) -> str:
            return _write(self._list, revision or 0, key(item))

        return Part(found[: self._size], token, is_last=len(found) <= self._size, revision=revision)

    def _follows(self, key: Key) -> bool:
        return self._after is None or key > self._after

    @staticmethod
    def _restored(kind: type[T], former: Any) -> list[T]:
        if any(was.existed and was.data is None for was in former):
            raise GatewayError(
                Code.ABORTED, "the list began more than 24 hours ago; start it again", reason="PAGE_TOKEN_EXPIRED"
            )
        return [kind.from_bytes(was.data) for was in former if was.data is not None]


def _write(of: str, revision: int, key: Sequence[int | str]) -> str:
    text = ":".join(str(part) for part in (of, revision, *key))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(of: str, texts: int, token: str) -> tuple[int, tuple[int | str, ...]]:
    try:
        plain = b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True).decode()
        name, _, numbers = plain.partition(":")
        # Only the last text of a key may hold a colon.
        first, second, *rest = numbers.split(":", texts + 1)
        revision, created_at = int(first), int(second)
    except ValueError:
        raise _unreadable() from None
    # Written again it must be the same: whatever else a decoder lets pass was not written here.
    written_here = _write(name, revision, (created_at, *rest)) == token
    if not written_here or not 0 <= revision < _LARGEST or not -_LARGEST <= created_at < _LARGEST:
        raise _unreadable()
    if name != of:
        raise GatewayError.invalid(
            [FieldViolation("page_token", "belongs to another list; it must be the next_page_token of this one")]
        )
    if len(rest) != texts:
        raise _unreadable()
    return revision, (created_at, *rest)


def _unreadable() -> GatewayError:
    return GatewayError.invalid([FieldViolation("page_token", "must be the next_page_token of the page before, unchanged")])
