"""Bearer tokens: who may call, and how much. Of a token's text only a digest is stored."""

from __future__ import annotations

import hmac
import re
import secrets
import string
from collections.abc import Sequence
from enum import IntEnum
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from gateway_entities.server.store.sql.schema import tokens

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH: Final = 43
"""As many of these characters hold 256 bits."""
_TEXT: Final = re.compile(f"gwe_([0-9a-f]{{16}})_[0-9A-Za-z]{{{_SECRET_LENGTH}}}")
_NO_DIGEST: Final = bytes(32)

_own = tokens.c

_ADD: Final = insert(tokens)
_LIST: Final = select(
    _own.token_id, _own.name, _own.scope, _own.digest, _own.created_at, _own.expires_at, _own.revoked_at
).order_by(_own.created_at, _own.token_id)
_NAMED: Final = _LIST.where(_own.name == bindparam("name"), _own.revoked_at.is_(None))
_REVOKE: Final = update(tokens).where(_own.token_id == bindparam("id")).values(revoked_at=bindparam("at"))


class AccessScope(IntEnum):
    """What a caller may do. Each one includes those before it."""

    READ = 1
    """Read everything; secret values are never among it."""
    WRITE = 2
    """Change everything but what needs ADMIN."""
    ADMIN = 3
    """Set the limits for others: budget policies."""


class Token(NamedTuple):
    """A token as it is stored.

    Attributes:
        token_id: its id, which stands in its text.
        name: whom it stands for: the actor of whatever is done with it.
        scope: what may be done with it.
        digest: the SHA-256 of its text.
        created_at: milliseconds since the Unix epoch, UTC, as are the others.
        expires_at: from when on it is not taken; None for never.
        revoked_at: when it was revoked; None when it was not.
    """

    token_id: str
    name: str
    scope: AccessScope
    digest: bytes
    created_at: int
    expires_at: int | None
    revoked_at: int | None


def new_text() -> str:
    """Return the text of a new token: ``gwe_``, its id, and 256 random bits."""
    return f"gwe_{secrets.token_hex(8)}_{''.join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))}"


def id_of(text: str) -> str | None:
    """Return the id in the text of a token; None for a text of another form."""
    match = _TEXT.fullmatch(text)
    return match and match[1]


def digest_of(text: str) -> bytes:
    """Return what is stored of a token's text."""
    return sha256(text.encode()).digest()


def is_text_of(text: str, token: Token | None) -> bool:
    """Tell whether a text is that of a token. It takes as long for a token that does not exist, which has no text."""
    same = hmac.compare_digest(digest_of(text), _NO_DIGEST if token is None else token.digest)
    return same and token is not None


class Tokens:
    """The tokens, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Sequence[Token]:
        """Return all tokens, revoked ones too, in the order of their creation."""
        return [Token(row[0], row[1], AccessScope(row[2]), *row[3:]) for row in self._connection.execute(_LIST)]

    def named(self, name: str) -> Token | None:
        """Return the token of this name that is not revoked; None if there is none."""
        row = self._connection.execute(_NAMED, {"name": name}).one_or_none()
        return None if row is None else Token(row[0], row[1], AccessScope(row[2]), *row[3:])

    def add(self, token: Token) -> None:
        """Add a token. No token of its name may be there that is not revoked."""
        self._connection.execute(_ADD, token._asdict())

    def revoke(self, token_id: str, at: int) -> None:
        """Revoke the token of this id at this time."""
        self._connection.execute(_REVOKE, {"id": token_id, "at": at})
