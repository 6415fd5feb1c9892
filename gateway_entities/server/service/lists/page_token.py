"""Page tokens.

A token encodes the store, the list, a revision and the place that a page starts after, behind a keyed digest of these. The
format is private to the server.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway_entities.errors import Code, FieldViolation, GatewayError

if TYPE_CHECKING:
    from gateway_entities.server.store import Store, Transaction
    from gateway_entities.server.store.repositories.state import State

_INT64_END: Final = 2**63
_MAC_BYTES: Final = 16
# Separates these digests from those of requests, which start with the name of a message.
_MAC_CONTEXT: Final = b"page token\0"


class Position(NamedTuple):
    """The content of a page token.

    Attributes:
        store_id: the id of the store.
        of: the name of the list.
        revision: the revision that the page belongs to; 0 for a list without one.
        key: the key that it starts after: an integer, then strings, of which only the last may contain a colon.
    """

    store_id: str
    of: str
    revision: int
    key: tuple[int | str, ...]

    def token(self, transaction: Transaction | Store) -> str:
        """Return the token; the transaction, or the store, makes its digest."""
        return _encoded(self.mac(transaction), self)

    def encode(self) -> bytes:
        """Return the part of the token after the digest."""
        return ":".join(str(part) for part in (self.store_id, self.of, self.revision, *self.key)).encode()

    def mac(self, transaction: Transaction | Store) -> bytes:
        """Return the keyed digest of the token."""
        return transaction.digest(_MAC_CONTEXT + self.encode())[:_MAC_BYTES]


class GivenToken:
    """The page token of a request.

    Attributes:
        position: its content, which is not verified yet.
    """

    __slots__ = ("_mac", "position")

    def __init__(self, of: str, texts: int, token: str) -> None:
        """Parse a token.

        Args:
            of: the name of the list.
            texts: the number of strings in its key.
            token: the token.

        Raises:
            GatewayError: INVALID_ARGUMENT; it cannot be read, or belongs to another list.
        """
        self._mac, self.position = _read(of, texts, token)

    def verify(self, transaction: Transaction | Store, state: State) -> None:
        """Check that the token is of this store and of this server.

        Raises:
            GatewayError: INVALID_ARGUMENT (the server did not create it) or OUT_OF_RANGE (it is of another store, or of a
                state that this one does not have).
        """
        position = self.position
        # First, because the key of another store is another one too.
        if position.store_id != state.store_id:
            raise _store_changed("the page_token is of another store")
        if not hmac.compare_digest(self._mac, position.mac(transaction)):
            raise _unreadable()
        if position.revision > state.last_revision:
            raise _store_changed("the page_token is of a later state than the store has")


def _encoded(mac: bytes, position: Position) -> str:
    return urlsafe_b64encode(mac + position.encode()).decode().rstrip("=")


def _read(of: str, texts: int, token: str) -> tuple[bytes, Position]:
    """Return the digest and the content of a token, which are not verified yet."""
    try:
        data = b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        mac, plain = data[:_MAC_BYTES], data[_MAC_BYTES:].decode()
        # Only the last string of a key may contain a colon.
        store_id, name, revision, number, *rest = plain.split(":", texts + 3)
        position = Position(store_id, name, int(revision), (int(number), *rest))
    except ValueError:
        raise _unreadable() from None
    # Decoders accept variants such as padding and leading zeros; only the canonical form is valid.
    if _encoded(mac, position) != token or not 0 <= position.revision < _INT64_END or not _is_int64(number):
        raise _unreadable()
    if name != of:
        raise GatewayError.invalid(
            [FieldViolation("page_token", "belongs to another list; it must be the next_page_token of this one")]
        )
    if len(rest) != texts:
        raise _unreadable()
    return mac, position


def _is_int64(text: str) -> bool:
    return -_INT64_END <= int(text) < _INT64_END


def _unreadable() -> GatewayError:
    return GatewayError.invalid([FieldViolation("page_token", "must be the unchanged next_page_token of the previous page")])


def _store_changed(cause: str) -> GatewayError:
    return GatewayError(Code.OUT_OF_RANGE, f"{cause}; start the list again", reason="STORE_CHANGED")
