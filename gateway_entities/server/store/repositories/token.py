"""Access tokens, stored as digests."""

from __future__ import annotations

import hmac
import re
import secrets
import string
from collections.abc import Sequence
from enum import IntEnum
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import tokens

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH: Final = 43
"""Base-62 digits for 256 bits."""
_TEXT: Final = re.compile(f"gwe_([0-9a-f]{{16}})_[0-9A-Za-z]{{{_SECRET_LENGTH}}}")
_NO_DIGEST: Final = bytes(32)

_own = tokens.c

_ADD: Final = insert(tokens)
_LIST: Final = select(
    _own.token_id, _own.name, _own.scope, _own.digest, _own.created_at, _own.expires_at, _own.revoked_at
).order_by(_own.created_at, _own.token_id)
_GET: Final = _LIST.where(_own.token_id == bindparam("id"))
_NAMED: Final = _LIST.where(_own.name == bindparam("name"), _own.revoked_at.is_(None))
_REVOKE: Final = update(tokens).where(_own.token_id == bindparam("id")).values(revoked_at=bindparam("at"))
# The tokens that ended at or before a time: revoked or expired.
_ENDED: Final = (
    select(_own.token_id)
    .where(or_(_own.revoked_at <= bindparam("until"), _own.expires_at <= bindparam("until")))
    .order_by(_own.token_id)
    .limit(bindparam("limit"))
)
_PRUNE: Final = delete(tokens).where(_own.token_id.in_(_ENDED))


class AccessScope(IntEnum):
    """Scope of a token. Each includes the preceding ones."""

    READ = 1
    """Read all configuration, without secret values."""
    WRITE = 2
    """Change the configuration, except for budget policies."""
    ADMIN = 3
    """Change budget policies."""


class Token(NamedTuple):
    """A stored token.

    Attributes:
        token_id: its id, part of its text.
        name: the actor of the requests that it authenticates.
        scope: its scope.
        digest: the SHA-256 of its text.
        created_at: milliseconds since the Unix epoch, UTC, as all times here.
        expires_at: the first moment at which it is invalid; None for never.
        revoked_at: the time of its revocation; None if valid.
    """

    token_id: str
    name: str
    scope: AccessScope
    digest: bytes
    created_at: int
    expires_at: int | None
    revoked_at: int | None


def new_text() -> str:
    """Return a random token text: ``gwe_``, id, and 256 random bits."""
    return f"gwe_{secrets.token_hex(8)}_{''.join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))}"


def id_of(text: str) -> str | None:
    """Return the id in a token text; None for a malformed text."""
    match = _TEXT.fullmatch(text)
    return match and match[1]


def digest_of(text: str) -> bytes:
    """Return the stored digest of a token text."""
    return sha256(text.encode()).digest()


def is_text_of(text: str, token: Token | None) -> bool:
    """Return whether a text belongs to a token, in constant time; None stands for an unknown token id."""
    matches = hmac.compare_digest(digest_of(text), _NO_DIGEST if token is None else token.digest)
    return matches and token is not None


class Tokens:
    """The tokens within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Sequence[Token]:
        """Return all tokens, including revoked ones, ordered by creation."""
        return [Token(row[0], row[1], AccessScope(row[2]), *row[3:]) for row in self._connection.execute(_LIST)]

    def get(self, token_id: str) -> Token | None:
        """Return the token with this id, or None."""
        row = execute.row(self._connection, _GET, {"id": token_id})
        return None if row is None else Token(row[0], row[1], AccessScope(row[2]), *row[3:])

    def named(self, name: str) -> Token | None:
        """Return the unrevoked token with this name, or None."""
        row = self._connection.execute(_NAMED, {"name": name}).one_or_none()
        return None if row is None else Token(row[0], row[1], AccessScope(row[2]), *row[3:])

    def add(self, token: Token) -> None:
        """Add a token. Its name must have no unrevoked token."""
        self._connection.execute(_ADD, token._asdict())

    def revoke(self, token_id: str, at: int) -> None:
        """Revoke the token with this id."""
        self._connection.execute(_REVOKE, {"id": token_id, "at": at})

    def prune(self, until: int, limit: int) -> int:
        """Delete tokens that were revoked or expired at or before a time, up to ``limit``; return their number."""
        return execute.run(self._connection, _PRUNE, {"until": until, "limit": limit})
