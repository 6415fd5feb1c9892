"""In-memory cache of the tokens of one store, looked up by id: its cost depends on the tokens in use, not on all tokens."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.limits import Limits

if TYPE_CHECKING:
    from gateway_entities.server.store import Store
    from gateway_entities.server.store.repositories.token import Token

_MAX_UNKNOWN: Final = 1024
"""Ids of no token that are remembered, so that a client that repeats one costs no look-up."""


class CachedToken(NamedTuple):
    """The result of a look-up.

    Attributes:
        token: the token; None if the store has none with this id.
        read_at: the time of the look-up, by ``time.monotonic``.
        store_time: the same by the store's clock, in milliseconds.
    """

    token: Token | None
    read_at: float
    store_time: int

    def is_past(self, expires_at: int) -> bool:
        """Return whether it is later than a time of the store's clock, which may differ from this machine's."""
        return self.store_time + (time.monotonic() - self.read_at) * 1000 >= expires_at


class TokenCache:
    """The tokens of one store that were used recently. Thread-safe.

    A client can make up any number of ids. Their look-ups are limited by rate, those of known tokens are not: each happens
    once per ``max_age``.
    """

    def __init__(self, store: Store, limits: Limits) -> None:
        """Create an empty cache.

        Args:
            store: the store with the tokens.
            limits: its sizes and rates.
        """
        self._store = store
        self._max_known = limits.cached_tokens
        self._rate = limits.token_lookups_per_s
        self._known: OrderedDict[str, CachedToken] = OrderedDict()
        self._unknown: OrderedDict[str, CachedToken] = OrderedDict()
        self._lock = threading.Lock()
        self._budget = float(self._rate)
        self._budget_at = time.monotonic()
        self._open_at: float | None = None
        self._has_had_token = False

    def get_cached(self, token_id: str, max_age: float) -> CachedToken | None:
        """Return the result of the last look-up of an id; None if it is older than ``max_age`` seconds."""
        with self._lock:
            found = self._known.get(token_id) or self._unknown.get(token_id)
        return found if found is not None and time.monotonic() - found.read_at < max_age else None

    def get(self, token_id: str, max_age: float, *, offline: bool) -> CachedToken:
        """Return the result of a look-up of an id. It may read the store.

        Args:
            token_id: the id.
            max_age: the maximum age of a cached result, in seconds.
            offline: use an older result while the store cannot be read.

        Raises:
            GatewayError: UNAVAILABLE; the store cannot be read, or too many ids of no token were looked up.
        """
        if (cached := self.get_cached(token_id, max_age)) is not None:
            return cached
        known = self._start_lookup(token_id)
        read_at = time.monotonic()
        try:
            with self._store.read() as transaction:
                token, now = transaction.tokens.get(token_id), transaction.now
        except GatewayError:
            if known is None or not offline:
                raise
            return known
        found = CachedToken(token, read_at, now)
        self._put(token_id, found)
        return found

    def is_cached_open(self, max_age: float) -> bool | None:
        """Return whether the store has never had a token; None if that was read more than ``max_age`` seconds ago."""
        if self._has_had_token:
            return False
        read_at = self._open_at
        return True if read_at is not None and time.monotonic() - read_at < max_age else None

    def is_open(self, max_age: float, *, offline: bool) -> bool:
        """Return whether the store has never had a token. Arguments and errors as for ``get``."""
        if (cached := self.is_cached_open(max_age)) is not None:
            return cached
        read_at = time.monotonic()
        try:
            with self._store.read() as transaction:
                has_had_token = transaction.state.get().has_had_token
        except GatewayError:
            if self._open_at is None or not offline:
                raise
        else:
            self._open_at = read_at
            # Never back to False, which another thread may have read before the first token.
            self._has_had_token = self._has_had_token or has_had_token
        return not self._has_had_token

    def _start_lookup(self, token_id: str) -> CachedToken | None:
        """Return the outdated result for a known token; for any other, take a look-up from the budget."""
        with self._lock:
            known = self._known.get(token_id)
            if known is not None:
                return known
            now = time.monotonic()
            self._budget = min(self._rate, self._budget + (now - self._budget_at) * self._rate)
            self._budget_at = now
            if self._budget < 1:
                raise GatewayError(
                    Code.UNAVAILABLE,
                    "the server gets too many tokens that it does not know; try again later",
                    reason="TOKEN_LOOKUPS",
                )
            self._budget -= 1
        return None

    def _put(self, token_id: str, result: CachedToken) -> None:
        with self._lock:
            self._known.pop(token_id, None)
            self._unknown.pop(token_id, None)
            entries, most = (self._unknown, _MAX_UNKNOWN) if result.token is None else (self._known, self._max_known)
            entries[token_id] = result
            while len(entries) > most:
                entries.popitem(last=False)
