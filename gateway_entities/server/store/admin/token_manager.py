"""Making, listing and revoking the tokens of a store, which servers may use meanwhile. No key is needed."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.open import find_database, open_database, upgrade_database
from gateway_entities.server.store.repositories.token import AccessScope, Token, Tokens, digest_of, id_of, new_text
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors, name_taken, not_found

_LONGEST_NAME: Final = 255
_LONGEST_MS: Final = 100 * 366 * 24 * 60 * 60 * 1000


class NewToken(NamedTuple):
    """A token that was just made.

    Attributes:
        token: what is stored.
        text: what its holder sends. It cannot be had a second time.
    """

    token: Token
    text: str

    def __repr__(self) -> str:
        return f"<NewToken {self.token.token_id}>"


class TokenManager:
    """Looks after the tokens of one store; ``open_tokens`` makes one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, scope: AccessScope, lifetime_ms: int | None = None) -> NewToken:
        """Make a token.

        Args:
            name: whom it stands for: 1 to 255 printable characters.
            scope: what may be done with it.
            lifetime_ms: for how many milliseconds from now it is taken, 100 years at most; None for ever.

        Raises:
            GatewayError: INVALID_ARGUMENT; ALREADY_EXISTS when the name has a token that is not revoked.
        """
        if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
            raise GatewayError(
                Code.INVALID_ARGUMENT, f"A token's name has 1 to {_LONGEST_NAME} printable characters", reason="TOKEN_NAME"
            )
        if lifetime_ms is not None and not 0 < lifetime_ms <= _LONGEST_MS:
            raise GatewayError(
                Code.INVALID_ARGUMENT, "A token expires in the future, within 100 years", reason="TOKEN_LIFETIME"
            )
        text = new_text()
        now = _now_ms()
        token = Token(
            id_of(text) or "", name, scope, digest_of(text), now, None if lifetime_ms is None else now + lifetime_ms, None
        )
        with map_db_errors(), self._database.write() as connection:
            tokens = Tokens(connection)
            if tokens.named(name) is not None:
                raise name_taken("Token", name)
            tokens.add(token)
        return NewToken(token, text)

    def list(self) -> Sequence[Token]:
        """Return all tokens, revoked and expired ones too, in the order of their creation."""
        with map_db_errors(), self._database.read() as connection:
            return Tokens(connection).list()

    def revoke(self, name: str) -> Token:
        """Revoke the token of a name, and return it. The name may have a new token from then on.

        Raises:
            GatewayError: NOT_FOUND when the name has no token that is not revoked.
        """
        with map_db_errors(), self._database.write() as connection:
            tokens = Tokens(connection)
            token = tokens.named(name)
            if token is None:
                raise not_found("Token", name=name)
            now = _now_ms()
            tokens.revoke(token.token_id, now)
            return token._replace(revoked_at=now)


@contextmanager
def open_tokens(url: str, *, create: bool = False) -> Generator[TokenManager]:
    """Open what looks after the tokens of a store.

    Args:
        url: where the store is, as for ``open_store``.
        create: make the store, or upgrade its tables, if need be.

    Raises:
        GatewayError: as ``open_store``; without ``create`` FAILED_PRECONDITION also when there is no store, or it needs an
            upgrade first.
    """
    database = find_database(url)
    try:
        if create:
            upgrade_database(database)
        else:
            open_database(database, create=False)
            with map_db_errors(), database.read() as connection:
                found = migrations.revision(connection)
            if found != migrations.HEAD:
                raise GatewayError(
                    Code.FAILED_PRECONDITION,
                    f"The tables of the store {database.place} are at revision {found}, and this release works with "
                    f"{migrations.HEAD}; run: gateway-entities db upgrade",
                    reason="STORE_SCHEMA",
                )
        yield TokenManager(database)
    finally:
        database.dispose()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
