"""Pages of a list, and the tokens that lead from one to the next.

A token names the list and the last item of its page, not a position: entries that come and go between two pages neither hide
nor repeat others. Callers must not read anything into it.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

from gateway_entities.errors import FieldViolation, GatewayError

Key = TypeVar("Key", bound=tuple[Any, ...])
"""What a list is ordered by: the time of creation in milliseconds, then one or more texts."""
Item = TypeVar("Item")

_LARGEST_TIME = 2**63


class Page(Generic[Key]):
    """One page of a list: where it starts and how long it may be.

    Attributes:
        after: the key of the last item of the page before; None on the first page.
        limit: how many items to read; None for all. It is one more than the page holds, which tells whether others follow.
    """

    __slots__ = ("_list", "_size", "after", "limit")

    def __init__(self, of: str, texts: int, size: int, token: str) -> None:
        """Read the fields of a request.

        Args:
            of: the list's name, which its tokens carry.
            texts: how many texts follow the time in its key.
            size: the most items in the page; 0 for all.
            token: the token of the page before; empty for the first page.

        Raises:
            GatewayError: INVALID_ARGUMENT; the token cannot be read, or belongs to another list.
        """
        self._list = of
        self._size = size
        self.limit = size + 1 if size else None
        # The reader of tokens is told the shape of the list's key.
        self.after = cast("Key | None", _read(of, texts, token) if token else None)

    def cut(self, found: Sequence[Item], key: Callable[[Item], Key]) -> tuple[Sequence[Item], str | None]:
        """Return the page's items, and the token of the next page; None if this is the last one.

        Args:
            found: the items read, at most ``limit``.
            key: gives an item's key.
        """
        if not self._size or len(found) <= self._size:
            return found, None
        items = found[: self._size]
        return items, _write(self._list, key(items[-1]))


def _write(of: str, key: Sequence[int | str]) -> str:
    text = ":".join(str(part) for part in (of, *key))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(of: str, texts: int, token: str) -> tuple[int | str, ...]:
    try:
        # Only the last text of a key may hold a colon.
        plain = b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True).decode()
        name, _, key = plain.partition(":")
        # Only the last text of a key may hold a colon.
        time, *rest = key.split(":", texts)
        created_at = int(time)
    except ValueError:
        raise _unreadable() from None
    # Written again it must be the same: whatever else a decoder lets pass was not written here.
    if _write(name, (created_at, *rest)) != token or not -_LARGEST_TIME <= created_at < _LARGEST_TIME:
        raise _unreadable()
    if name != of:
        raise GatewayError.invalid(
            [FieldViolation("page_token", "belongs to another list; it must be the next_page_token of this one")]
        )
    if len(rest) != texts:
        raise _unreadable()
    return (created_at, *rest)


def _unreadable() -> GatewayError:
    return GatewayError.invalid([FieldViolation("page_token", "must be the next_page_token of the page before, unchanged")])
