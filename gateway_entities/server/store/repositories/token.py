"""Access tokens, stored as digests."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import string
from collections.abc import Sequence
from enum import IntFlag
from hashlib import sha256
from typing import Any, Final, NamedTuple

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
    _own.token_id,
    _own.name,
    _own.scope,
    _own.digest,
    _own.created_at,
    _own.expires_at,
    _own.revoked_at,
    _own.endpoints,
    _own.owners,
).order_by(_own.created_at, _own.token_id)
_GET: Final = _LIST.where(_own.token_id == bindparam("id"))
_NAMED: Final = _LIST.where(_own.name == bindparam("name"), _own.revoked_at.is_(None))
_LAST_NAMED: Final = (
    _LIST.where(_own.name == bindparam("name"))
    .order_by(None)
    .order_by(_own.created_at.desc(), _own.token_id.desc())
    .limit(1)
)
_REVOKE: Final = update(tokens).where(_own.token_id == bindparam("id")).values(revoked_at=bindparam("at"))
# The tokens that ended at or before a time: revoked or expired.
_ENDED: Final = (
    select(_own.token_id)
    .where(or_(_own.revoked_at <= bindparam("until"), _own.expires_at <= bindparam("until")))
    .order_by(_own.token_id)
    .limit(bindparam("limit"))
)
_PRUNE: Final = delete(tokens).where(_own.token_id.in_(_ENDED))


class AccessScope(IntFlag):
    """A set of scopes, stored as a number. A token has those that its scopes include, too."""

    READ = 1
    """Read all configuration, without secret values."""
    WRITE = 2
    """Change the configuration, except for budget policies, and record spending. Includes READ."""
    ADMIN = 4
    """Change budget policies, and list accesses to secrets. Includes WRITE."""
    RESOLVE = 8
    """Read secret values."""
    SPEND = 16
    """Record spending and check budgets."""
    NODE = 32
    """Acknowledge and refuse revisions."""


GATEWAY: Final = AccessScope.READ | AccessScope.RESOLVE | AccessScope.SPEND | AccessScope.NODE
"""The scopes of a gateway."""


LIMITED_SCOPES: Final = AccessScope.RESOLVE | AccessScope.SPEND
"""The scopes that a limit to endpoints is about. A limit to owners is about WRITE, and so ADMIN."""


def with_included(scope: AccessScope) -> AccessScope:
    """Return scopes with those that they include."""
    if scope & AccessScope.ADMIN:
        scope |= AccessScope.WRITE
    return scope | AccessScope.READ if scope & AccessScope.WRITE else scope


def scope_names(scope: AccessScope) -> tuple[str, ...]:
    """Return the names of scopes, in lower case, without those that another one of them includes."""
    included = AccessScope(0)
    for each in scope:
        included |= with_included(each) & ~each
    return tuple(str(each.name).lower() for each in AccessScope if each & scope & ~included)


class Token(NamedTuple):
    """A stored token.

    Attributes:
        token_id: its id, part of its text.
        name: the actor of the requests that it authenticates.
        scope: its scopes, with those that they include.
        digest: the SHA-256 of its text.
        created_at: milliseconds since the Unix epoch, UTC, as all times here.
        expires_at: the first moment at which it is invalid; None for never.
        revoked_at: the time of its revocation; None if valid.
        endpoints: the names of the endpoints that it is limited to; None for all.
        owners: the owners whose configurations alone it may apply, changing nothing else; None for no such limit.
    """

    token_id: str
    name: str
    scope: AccessScope
    digest: bytes
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    endpoints: frozenset[str] | None = None
    owners: frozenset[str] | None = None


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
        return [_read(row) for row in self._connection.execute(_LIST)]

    def get(self, token_id: str) -> Token | None:
        """Return the token with this id, or None."""
        row = execute.row(self._connection, _GET, {"id": token_id})
        return None if row is None else _read(row)

    def named(self, name: str) -> Token | None:
        """Return the unrevoked token with this name, or None."""
        row = self._connection.execute(_NAMED, {"name": name}).one_or_none()
        return None if row is None else _read(row)

    def last_named(self, name: str) -> Token | None:
        """Return the token with this name that was created last, revoked or not; None if there is none."""
        row = self._connection.execute(_LAST_NAMED, {"name": name}).one_or_none()
        return None if row is None else _read(row)

    def add(self, token: Token) -> None:
        """Add a token. Its name must have no unrevoked token."""
        limits = {"endpoints": _written(token.endpoints), "owners": _written(token.owners)}
        self._connection.execute(_ADD, {**token._asdict(), "scope": int(token.scope), **limits})

    def revoke(self, token_id: str, at: int) -> None:
        """Revoke the token with this id."""
        self._connection.execute(_REVOKE, {"id": token_id, "at": at})

    def prune(self, until: int, limit: int) -> int:
        """Delete tokens that were revoked or expired at or before a time, up to ``limit``; return their number."""
        return execute.run(self._connection, _PRUNE, {"until": until, "limit": limit})


def _read(row: Sequence[Any]) -> Token:
    token = Token(*row)
    return token._replace(scope=AccessScope(token.scope), endpoints=_names(token.endpoints), owners=_names(token.owners))


def _names(column: object) -> frozenset[str] | None:
    return None if column is None else frozenset(json.loads(str(column)))


def _written(names: frozenset[str] | None) -> str | None:
    return None if names is None else json.dumps(sorted(names))
