"""Creation, listing, revocation and removal of access tokens. Needs no key."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.open import find_database, open_current_database, upgrade_database
from gateway_entities.server.store.repositories.state import StoreState
from gateway_entities.server.store.repositories.token import (
    LIMITED_SCOPES,
    AccessScope,
    Token,
    Tokens,
    digest_of,
    id_of,
    new_text,
    scope_names,
    with_included,
)
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors, name_taken, not_found

_NAME_LENGTH: Final = 255
RETENTION_MS: Final = 30 * 24 * 60 * 60 * 1000
"""Time for which a revoked or expired token is listed. The next creation or revocation after it deletes the token."""
# Such a pass holds the write lock for a few milliseconds.
_PRUNED_PER_PASS: Final = 500
_PAUSE_S: Final = 0.005
_MAX_LIMITS: Final = 1000
_MAX_LIFETIME_MS: Final = 100 * 366 * 24 * 60 * 60 * 1000


class NewToken(NamedTuple):
    """A newly created token.

    Attributes:
        token: the stored token.
        text: the text that clients send. It cannot be retrieved later.
        former: the last token of the same name, which was revoked; None if none is known. Records do not tell them apart.
    """

    token: Token
    text: str
    former: Token | None = None

    def __repr__(self) -> str:
        return f"<NewToken {self.token.token_id}>"


class TokenManager:
    """Manages the tokens of a store; created by ``open_tokens``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        name: str,
        scope: AccessScope,
        lifetime_ms: int | None = None,
        *,
        endpoints: Iterable[str] | None = None,
        owners: Iterable[str] | None = None,
        closes: bool = True,
    ) -> NewToken:
        """Create a token.

        Args:
            name: the actor of its requests: 1 to 255 printable characters.
            scope: one or more scopes.
            lifetime_ms: its lifetime in milliseconds, at most 100 years; None for no expiry.
            endpoints: the names of the endpoints that it may resolve and spend on, 1 to 1000; None for all. They need not
                exist. An endpoint that gets one of these names later is among them, and one that loses it is not.
            owners: the owners whose configurations alone it may apply, 1 to 1000; None for no such limit. All other changes
                are refused, and so are those of resources without an owner or of another one.
            closes: whether the store may require tokens from now on, if this is its first one and not an admin's.

        Raises:
            GatewayError: INVALID_ARGUMENT, ALREADY_EXISTS (the name has an unrevoked token), or FAILED_PRECONDITION (the
                clock has jumped; without ``closes``, the store has had no token).
        """
        if not 1 <= len(name) <= _NAME_LENGTH or not name.isprintable():
            raise GatewayError(
                Code.INVALID_ARGUMENT,
                f"A token's name has 1 to {_NAME_LENGTH} printable characters",
                reason="TOKEN_NAME",
            )
        if lifetime_ms is not None and not 0 < lifetime_ms <= _MAX_LIFETIME_MS:
            raise GatewayError(
                Code.INVALID_ARGUMENT, "A token expires in the future, within 100 years", reason="TOKEN_LIFETIME"
            )
        if not scope:
            raise GatewayError(Code.INVALID_ARGUMENT, "A token has one or more scopes", reason="TOKEN_SCOPE")
        limited = _limits(endpoints, "endpoints")
        own_owners = _limits(owners, "owners")
        if limited is not None and not scope & LIMITED_SCOPES:
            raise GatewayError(
                Code.INVALID_ARGUMENT,
                f"A token of scope {', '.join(scope_names(scope))} cannot be limited to endpoints: that limits resolve and "
                "spend alone, and all else would be allowed on every endpoint. Give one of these scopes, or no endpoints",
                reason="TOKEN_ENDPOINTS",
            )
        if own_owners is not None and not with_included(scope) & AccessScope.WRITE:
            raise GatewayError(
                Code.INVALID_ARGUMENT,
                f"A token of scope {', '.join(scope_names(scope))} cannot be limited to owners: that limits changes, and it "
                "makes none. Give the scope write or admin, or no owners",
                reason="TOKEN_OWNERS",
            )
        text = new_text()
        with map_db_errors(), self._database.write() as connection:
            self._database.clock.check(connection)
            now = self._database.clock.now(connection)
            expires_at = None if lifetime_ms is None else now + lifetime_ms
            own = with_included(scope)
            token = Token(id_of(text) or "", name, own, digest_of(text), now, expires_at, None, limited, own_owners)
            tokens = Tokens(connection)
            if not closes and not own & AccessScope.ADMIN and not StoreState(connection).get().has_had_token:
                raise GatewayError(
                    Code.FAILED_PRECONDITION,
                    "This would be the store's first token: from then on every call needs a token, and nobody has one of "
                    "scope admin. Create that first (token create NAME --scope admin), or confirm with --yes",
                    reason="FIRST_TOKEN",
                )
            if tokens.named(name) is not None:
                raise name_taken("Token", name)
            former = tokens.last_named(name)
            tokens.prune(now - RETENTION_MS, _PRUNED_PER_PASS)
            tokens.add(token)
            StoreState(connection).record_token()
        return NewToken(token, text, former)

    def list(self) -> Sequence[Token]:
        """Return all tokens, including revoked and expired ones, ordered by creation."""
        with map_db_errors(), self._database.read() as connection:
            return Tokens(connection).list()

    def revoke(self, name: str) -> Token:
        """Revoke the token of a name, which is then free for a new token; return the token.

        Raises:
            GatewayError: NOT_FOUND; the name has no unrevoked token.
        """
        with map_db_errors(), self._database.write() as connection:
            tokens = Tokens(connection)
            token = tokens.named(name)
            if token is None:
                raise not_found("Token", name=name)
            # Without a check: a clock that has jumped must not keep a stolen token valid.
            now = self._database.clock.now(connection)
            tokens.revoke(token.token_id, now)
            tokens.prune(now - RETENTION_MS, _PRUNED_PER_PASS)
            return token._replace(revoked_at=now)

    def prune(self, age_ms: int = RETENTION_MS) -> int:
        """Delete the tokens that were revoked or expired for longer than an age, in small transactions.

        The store requires tokens afterwards too, even if it has none left.

        Args:
            age_ms: the age in milliseconds; 0 for every ended token.

        Returns:
            The number of deleted tokens.

        Raises:
            GatewayError: FAILED_PRECONDITION; the clock has jumped.
        """
        total = 0
        while True:
            with map_db_errors(), self._database.write() as connection:
                # What a clock that has jumped calls ended may be valid.
                self._database.clock.check(connection)
                until = self._database.clock.now(connection) - age_ms
                pruned = Tokens(connection).prune(until, _PRUNED_PER_PASS)
            total += pruned
            if pruned < _PRUNED_PER_PASS:
                return total
            # SQLite's writers poll for the lock, so it must be free between two passes.
            time.sleep(_PAUSE_S)


def _limits(names: Iterable[str] | None, what: str) -> frozenset[str] | None:
    found = None if names is None else frozenset(names)
    if found is not None and not (1 <= len(found) <= _MAX_LIMITS and all(1 <= len(name) <= _NAME_LENGTH for name in found)):
        raise GatewayError(
            Code.INVALID_ARGUMENT,
            f"A token is limited to 1 to {_MAX_LIMITS} {what}, each by its name of 1 to {_NAME_LENGTH} characters",
            reason=f"TOKEN_{what.upper()}",
        )
    return found


@contextmanager
def open_tokens(url: str, *, create: bool = False, new_store: bool = False) -> Generator[TokenManager]:
    """Open the token manager of a store; servers may use the store concurrently.

    Args:
        url: the store's URL, as for ``open_store``.
        create: create the store or upgrade its tables if necessary.
        new_store: as for ``open_store``.

    Raises:
        GatewayError: as ``open_store``; without ``create`` also FAILED_PRECONDITION (no store, or its tables need an
            upgrade).
    """
    database = find_database(url)
    try:
        if create:
            upgrade_database(database, new_store=new_store)
        else:
            open_current_database(database)
        yield TokenManager(database)
    finally:
        database.dispose()
